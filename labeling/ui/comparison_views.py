"""How two evaluations are drawn side by side: the verdict, what differs and how surely, two plots.

Of the two plots the first lays the lengths of thinking over each other on one axis: a shift and a
narrowing are seen at once, where two means hide the second. The second is accuracy by the steps of
the accepted plan, with the two bars of the whole before them: a planner may gain on easy questions
what it loses on those that need several experts, and the two bars alone would never tell.
"""

from labeling.ui.evaluation_views import CHARACTERS, label_of, percent, spread, unit_words
from labeling.ui.i18n import Words
from labeling.ui.matrix import confusion_matrix
from labeling.ui.view import (
    Node,
    Share,
    card,
    distributions,
    group_of_bars,
    node,
    pill,
    table,
)
from schemas.evaluation import Comparison, ConfusedExperts, Difference
from schemas.intervals import wilson

LENGTHS = ("think_length", "think_length_right", "deviation_ratio")
_BETTER_BELOW = ("plan_distance",)
_NEUTRAL = (*LENGTHS, "first_commit")


def comparison_view(
    found: Comparison, names: tuple[str, str], links: tuple[str, str], words: Words
) -> Node:
    """Before against after, over the questions that both answered."""
    downloads = node(
        "span",
        *(
            node("a", words(f"evaluation.{name}"), href=link, cls="pw-button", download=True)
            for name, link in zip(("as_markdown", "as_csv"), links, strict=True)
        ),
        cls="pw-line",
    )
    parts: list[Node] = [_verdict(found, words), _differences(found, names, words)]
    if not found.is_same_scoring:
        parts.insert(0, node("p", words("evaluation.other_scoring"), cls="pw-bad-text"))
    return node(
        "div",
        card(words("evaluation.comparison"), *parts, right=downloads),
        node("div", _lengths(found, names, words), _by_steps(found, names, words), cls="pw-two"),
        cls="pw-view",
    )


def _verdict(found: Comparison, words: Words) -> Node:
    accuracy = found.find_difference("accuracy")
    if accuracy is None:
        return node("p", words("evaluation.nothing_in_common"), cls="pw-empty")
    tiles: list[tuple[str, Node]] = [
        ("accuracy", f"{accuracy.before:.1%} → {accuracy.after:.1%}"),
        ("points", signed(100 * accuracy.change)),
        ("points_interval", between(100 * accuracy.low, 100 * accuracy.high)),
        ("mended_broken", f"{found.mended:,} · {found.broken:,}"),
        ("p_value", p_value(found.p_value)),
    ]
    return node(
        "div",
        *(
            node(
                "div", node("b", value), node("span", words(f"evaluation.{name}")), cls="pw-figure"
            )
            for name, value in tiles
        ),
        cls="pw-figures pw-told",
    )


def p_value(value: float) -> str:
    """A p value as articles write it."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _differences(found: Comparison, names: tuple[str, str], words: Words) -> Node:
    heads = ["", *names, *(words(f"evaluation.{name}") for name in ("change", "interval_95"))]
    unit = unit_words(found.before.length_unit, words)
    rows: list[tuple[str | None, list[Node]]] = [
        (None, _difference(each, unit, words)) for each in found.differences
    ]
    listing = table([*heads, words("evaluation.pairs")], rows, empty="")
    about = node("p", words("evaluation.paired"), cls="pw-mute")
    return node("div", about, node("div", listing, cls="pw-narrow"), cls="pw-said")


def _difference(found: Difference, unit: str, words: Words) -> list[Node]:
    name = "think_length_mean" if found.name == "think_length" else found.name
    label: Node = words(label_of(name))
    if found.name in LENGTHS:
        label = node("span", label, " ", node("span", unit, cls="pw-mute"))
    before, after, change, reach = told(found)
    return [label, before, after, pill(change, _kind(found)), reach, f"{found.questions:,}"]


def told(found: Difference) -> tuple[str, str, str, str]:
    """A difference in words: before, after, the change, its interval."""
    if found.name == "deviation_ratio":
        reach = f"× [{found.low:.2f}, {found.high:.2f}]"
        return f"{found.before:,.2f}", f"{found.after:,.2f}", f"× {found.change:.2f}", reach
    if found.name in LENGTHS:
        before, after = f"{found.before:,.2f}", f"{found.after:,.2f}"
        return before, after, signed(found.change), between(found.low, found.high)
    change, low, high = (100 * each for each in (found.change, found.low, found.high))
    return percent(found.before), percent(found.after), signed(change), between(low, high)


def signed(value: float) -> str:
    """A change with its sign; the minus is as wide as the plus."""
    return f"{value:+,.1f}".replace("-", "\u2212")


def between(low: float, high: float) -> str:
    """An interval of changes."""
    return f"[{signed(low)}, {signed(high)}]"


def _kind(found: Difference) -> str:
    """Green or red only where the interval leaves out no change at all."""
    none = 1.0 if found.name == "deviation_ratio" else 0.0
    if found.low <= none <= found.high:
        return "quiet"
    if found.name in _NEUTRAL:
        return ""
    return "ok" if (found.change > 0) != (found.name in _BETTER_BELOW) else "bad"


def _lengths(found: Comparison, names: tuple[str, str], words: Words) -> Node:
    title, held = words("evaluation.plot_lengths"), found.lengths
    if held is None:
        return card(title, node("p", words("evaluation.no_lengths"), cls="pw-empty"))
    sides = (found.before, found.after)
    labels = [
        f"{name} · {spread(each.think_length_mean, each.think_length_std)}"
        for name, each in zip(names, sides, strict=True)
    ]
    is_characters = found.before.length_unit == CHARACTERS
    unit = words("evaluation.characters" if is_characters else "evaluation.tokens")
    return distributions(title, labels, (held.before, held.after), width=held.width, unit=unit)


def _by_steps(found: Comparison, names: tuple[str, str], words: Words) -> Node:
    title = words("evaluation.plot_steps")
    whole = (found.before, found.after)
    groups = [
        (
            words("evaluation.all_questions", count=f"{found.before.questions:,}"),
            [Share(each.accuracy, each.accuracy_low, each.accuracy_high) for each in whole],
        )
    ]
    for each in found.by_steps:
        name = "evaluation.steps_or_more" if each.is_or_more else "evaluation.steps"
        label = words(name, steps=each.steps, count=f"{each.questions:,}")
        rights = (each.right_before, each.right_after)
        shares = [Share(right / each.questions, *wilson(right, each.questions)) for right in rights]
        groups.append((label, shares))
    return group_of_bars(title, names, groups)


def confusion_view(title: str, found: tuple[ConfusedExperts, ...], words: Words) -> Node:
    """Rows are experts of the accepted plans, columns the planner's; the diagonal is right."""
    if not found:
        return card(title, node("p", words("evaluation.no_confusion"), cls="pw-empty"))
    matrix = confusion_matrix(
        {(each.gold, each.answered): each.count for each in found},
        corner=words("evaluation.gold_to_planner"),
        none=words("evaluation.no_expert"),
    )
    return card(title, matrix)
