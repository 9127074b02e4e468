"""How evaluations are drawn: figures with their interval, answers, before against after."""

import json

from labeling.ui.i18n import Words, moment
from labeling.ui.view import Node, bar, card, facts, node, pill, table
from schemas.evaluation import AnswerView, Comparison, EvaluationView, Figures, PlannerView

_SHARES = ("strict_form", "valid_json", "expert_f1", "order", "rewrite", "sub_questions")
_LENGTHS = ("think_length_mean", "think_length_median", "think_length_p95")
_STATES = {"done": "ok", "failed": "bad"}


def evaluation_row(found: EvaluationView, words: Words) -> list[Node]:
    """One line of the list."""
    about = f"{found.benchmark} · {moment(found.created_at)}"
    accuracy: Node = "–"
    if found.figures is not None:
        accuracy = accuracy_bar(found.figures)
    return [
        node("div", planner_name(found.planner, words), node("div", about, cls="pw-mute")),
        state_pill(found.state, words),
        accuracy,
    ]


def accuracy_bar(figures: Figures) -> Node:
    """Accuracy with Wilson's interval at 95 %."""
    interval = f"{figures.accuracy_low:.1%} – {figures.accuracy_high:.1%}"
    return node(
        "div",
        node("div", bar(figures.accuracy), node("b", f"{figures.accuracy:.1%}"), cls="pw-share"),
        node("div", interval, cls="pw-mute"),
    )


def evaluation_view(found: EvaluationView, answers: list[AnswerView], words: Words) -> Node:
    """One evaluation: figures, then what was answered."""
    parts: list[Node] = []
    if found.figures is not None:
        parts.append(_figures(found.figures, words))
    pairs: list[tuple[str, Node]] = [
        (words("evaluation.benchmark"), found.benchmark),
        (words("evaluation.answered"), f"{found.answered:,}"),
        (words("evaluation.scoring"), found.scoring_hash[:16]),
    ]
    title = found.planner.name
    return node(
        "div",
        card(title, *parts, facts(pairs), right=state_pill(found.state, words)),
        card(words("evaluation.answers"), *(_answer(each, words) for each in answers)),
        cls="pw-view",
    )


def comparison_view(found: Comparison, names: tuple[str, str], words: Words) -> Node:
    """Before against after, over the questions that both answered."""
    rows: list[tuple[str | None, list[Node]]] = [
        (
            None,
            [
                words("evaluation.accuracy"),
                accuracy_bar(found.before),
                accuracy_bar(found.after),
                _change(found.before.accuracy, found.after.accuracy),
            ],
        )
    ]
    for name in _SHARES:
        before, after = getattr(found.before, name), getattr(found.after, name)
        label = words(_label(name))
        rows.append((None, [label, _percent(before), _percent(after), _change(before, after)]))
    told = words("evaluation.changed", mended=found.mended, broken=found.broken)
    heads = ["", *names, words("evaluation.change")]
    return card(words("evaluation.comparison"), table(heads, rows, empty=""), right=told)


def planner_name(planner: PlannerView, words: Words) -> Node:
    """A planner's name, marked when it was not trained here."""
    mark = [" ", pill(words("evaluation.external"), "quiet")] if planner.is_external else []
    return node("div", node("b", planner.name), *mark)


def state_pill(state: str, words: Words) -> Node:
    """An evaluation's state."""
    return pill(words(f"evaluation.state_{state}"), _STATES.get(state, ""))


def _figures(figures: Figures, words: Words) -> Node:
    tiles: list[tuple[str, str]] = [
        ("accuracy", f"{figures.accuracy:.1%}"),
        ("interval", f"{figures.accuracy_low:.1%} – {figures.accuracy_high:.1%}"),
        ("right", f"{figures.right:,} / {figures.questions:,}"),
        ("failed", f"{figures.failed:,} · {figures.cut_off:,}"),
        *((name, _percent(getattr(figures, name))) for name in _SHARES),
        *((name, _number(getattr(figures, name))) for name in _LENGTHS),
    ]
    return node(
        "div",
        *(
            node("div", node("b", value), node("span", words(_label(name))), cls="pw-figure")
            for name, value in tiles
        ),
        cls="pw-figures",
    )


def _answer(found: AnswerView, words: Words) -> Node:
    is_right = bool(found.scores.get("right"))
    mark = pill("✓", "ok") if is_right else pill("×", "bad")
    scores = json.dumps({k: round(v, 3) for k, v in found.scores.items()}, ensure_ascii=False)
    return node(
        "details",
        node("summary", mark, " ", found.question),
        node("pre", found.completion),
        node("p", scores, cls="pw-mute"),
        key=f"a{found.question_id}",
    )


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _change(before: float | None, after: float | None) -> Node:
    if before is None or after is None:
        return "–"
    difference = 100 * (after - before)
    kind = "ok" if difference > 0 else "bad" if difference < 0 else "quiet"
    return pill(f"{difference:+.1f}", kind)


def _label(name: str) -> str:
    return "evaluation.order_figure" if name == "order" else f"evaluation.{name}"
