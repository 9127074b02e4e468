"""How evaluations are drawn: the planners of a benchmark in one table, and one of them alone."""

import json
from collections.abc import Sequence
from itertools import groupby

from labeling.ui.i18n import Words, moment
from labeling.ui.view import Node, bar, card, facts, interval, node, pill, table
from schemas.evaluation import AnswerView, BenchmarkView, EvaluationView, Figures, PlannerView

SHARES = ("strict_form", "valid_json", "expert_f1", "order", "rewrite", "sub_questions")
_TILES = ("plan_distance", "first_commit")
_COLUMNS = (
    *("planner", "accuracy", "valid_json", "expert_f1", "order_figure"),
    *("thinking", "median", "p95", "cut_off"),
)
_STATES = {"done": "ok", "failed": "bad"}
CHARACTERS = "characters"


def evaluations_view(found: Sequence[EvaluationView], words: Words) -> list[Node]:
    """A table for each benchmark, the newest evaluation's first: a row is a planner."""
    if not found:
        return [card(words("evaluation.evaluations"), _nothing(words("evaluation.none")))]
    order = list(dict.fromkeys(each.benchmark for each in found))
    ranked = sorted(found, key=lambda each: order.index(each.benchmark))
    return [
        _benchmark(benchmark, list(rows), words)
        for benchmark, rows in groupby(ranked, key=lambda each: each.benchmark)
    ]


def benchmarks_view(found: Sequence[BenchmarkView], words: Words) -> Node:
    """The benchmarks of the project, each with the list that it is asked under."""
    rows: list[tuple[str | None, list[Node]]] = [
        (
            None,
            [
                node("div", each.reference, node("div", each.expert_list, cls="pw-mute")),
                f"{each.questions:,}",
            ],
        )
        for each in found
    ]
    heads = [words(f"evaluation.{name}") for name in ("benchmark_of_list", "questions")]
    listing = table(heads, rows, empty=words("evaluation.no_benchmarks"))
    return card(words("evaluation.benchmarks"), listing)


def _benchmark(benchmark: str, found: list[EvaluationView], words: Words) -> Node:
    heads = [words(f"evaluation.{name}") for name in _COLUMNS]
    rows = [(each.id, _row(each, words)) for each in found]
    listing = node("div", table(heads, rows, empty=""), cls="pw-models pw-narrow")
    title = words("evaluation.planners_on", benchmark=benchmark)
    return card(title, listing, right=words("evaluation.asked_of", count=f"{found[0].asked:,}"))


def _row(found: EvaluationView, words: Words) -> list[Node]:
    about: list[Node] = [moment(found.created_at)]
    if found.planner.checkpoint_hash:
        about += [" · ", node("code", found.planner.checkpoint_hash[:8])]
    if found.state != "done":
        about += [" · ", state_pill(found.state, words)]
    if not found.is_current_scoring:
        about += [" · ", words("evaluation.older_scoring")]
    name = node("div", planner_name(found.planner, words), node("div", *about, cls="pw-mute"))
    if found.figures is None:
        far = f"{found.answered:,} / {found.asked:,}"
        share = found.answered / found.asked if found.asked else 0.0
        progress = node("div", bar(share), far, cls="pw-share")
        return [name, progress, *("–" for _ in _COLUMNS[2:])]
    held = found.figures
    return [
        name,
        accuracy_cell(held),
        percent(held.valid_json),
        percent(held.expert_f1),
        percent(held.order),
        _thinking(held, words),
        number(held.think_length_median),
        number(held.think_length_p95),
        f"{held.cut_off:,}",
    ]


def _thinking(held: Figures, words: Words) -> Node:
    """Mean ± standard deviation, with its unit where it is not characters."""
    if held.think_length_mean is None:
        return "–"
    told = spread(held.think_length_mean, held.think_length_std)
    if held.length_unit == CHARACTERS:
        return told
    return node("div", told, node("div", unit_words(held.length_unit, words), cls="pw-mute"))


def accuracy_cell(held: Figures) -> Node:
    """Accuracy as a dot on a line, with Wilson's interval at 95 %."""
    reach = f"{held.accuracy_low:.1%} – {held.accuracy_high:.1%}"
    line = interval(held.accuracy, held.accuracy_low, held.accuracy_high)
    return node(
        "div",
        node("div", line, node("b", f"{held.accuracy:.1%}"), cls="pw-share"),
        node("div", reach, cls="pw-mute"),
    )


def evaluation_view(
    found: EvaluationView, answers: Sequence[AnswerView], confusion: Node, words: Words
) -> Node:
    """One evaluation: figures, how it was asked, what was confused, and what was answered."""
    parts: list[Node] = []
    if found.figures is not None:
        parts.append(_figures(found.figures, words))
    elif found.reason:
        parts.append(node("p", words.sentence(found.reason, found.values), cls="pw-bad-text"))
    state = state_pill(found.state, words)
    return node(
        "div",
        card(found.planner.name, *parts, facts(_facts(found, words)), right=state),
        confusion,
        _answers(found, answers, words),
        cls="pw-view",
    )


def _answers(found: EvaluationView, answers: Sequence[AnswerView], words: Words) -> Node:
    """What was answered, folded: there may be thousands."""
    title = words("evaluation.answers")
    count = words("evaluation.shown_of", shown=len(answers), total=f"{found.answered:,}")
    listing = node(
        "details",
        node("summary", words("evaluation.open_answers")),
        *(_answer(each, words) for each in answers),
        key="answers",
    )
    return card(title, listing, right=count)


def _facts(found: EvaluationView, words: Words) -> list[tuple[str, Node]]:
    planner, terms = found.planner, found.terms
    page = f"/{words.language}/planners?planner={planner.id}"
    pairs: list[tuple[str, Node]] = [
        (words("evaluation.planner"), node("a", planner.name, href=page)),
        (words("evaluation.benchmark"), found.benchmark),
        (words("evaluation.prompt"), found.prompt),
        (words("evaluation.answered"), f"{found.answered:,} / {found.asked:,}"),
    ]
    if planner.checkpoint_hash:
        pairs.append((words("evaluation.checkpoint"), planner.checkpoint_hash[:16]))
    if planner.endpoint:
        pairs.append((words("evaluation.endpoint"), f"{planner.endpoint} · {planner.model}"))
    if terms is not None:
        thinks = words("evaluation.thinks" if terms.with_thinking else "evaluation.thinks_not")
        told = words("evaluation.asked_with", tokens=f"{terms.max_tokens:,}", thinks=thinks)
        pairs.append((words("evaluation.manner"), told))
    return [*pairs, (words("evaluation.scoring"), found.scoring_hash[:16])]


def planner_name(planner: PlannerView, words: Words) -> Node:
    """A planner's name, marked when it was not trained here."""
    mark = [" ", pill(words("evaluation.external"), "quiet")] if planner.is_external else []
    whole = planner.checkpoint_hash or planner.endpoint
    return node("div", node("b", planner.name, title=whole), *mark)


def state_pill(state: str, words: Words) -> Node:
    """An evaluation's state."""
    return pill(words(f"evaluation.state_{state}"), _STATES.get(state, ""))


def _figures(held: Figures, words: Words) -> Node:
    tiles: list[tuple[str, str]] = [
        ("accuracy", f"{held.accuracy:.1%}"),
        ("interval", f"{held.accuracy_low:.1%} – {held.accuracy_high:.1%}"),
        ("right", f"{held.right:,} / {held.questions:,}"),
        ("failed", f"{held.failed:,} · {held.cut_off:,}"),
        *((name, percent(getattr(held, name))) for name in (*SHARES, *_TILES)),
        ("think_length", spread(held.think_length_mean, held.think_length_std)),
        ("think_length_median", number(held.think_length_median)),
        ("think_length_p95", number(held.think_length_p95)),
    ]
    return node(
        "div",
        *(
            node("div", node("b", value), node("span", words(label_of(name))), cls="pw-figure")
            for name, value in tiles
        ),
        cls="pw-figures pw-told",
    )


def _answer(found: AnswerView, words: Words) -> Node:
    is_right = bool(found.scores.get("right"))
    mark = pill("✓", "ok") if is_right else pill("×", "bad")
    scores = json.dumps({k: round(v, 3) for k, v in found.scores.items()}, ensure_ascii=False)
    parts: list[Node] = [node("pre", found.completion), node("p", scores, cls="pw-mute")]
    if not is_right:
        parts.append(node("button", words("evaluation.label_alike"), pick=found.question_id))
    summary = node("summary", mark, " ", found.question)
    return node("details", summary, *parts, key=f"a{found.question_id}")


def percent(value: float | None) -> str:
    """A share as a percentage, a dash where it does not apply."""
    return "–" if value is None else f"{value:.1%}"


def number(value: float | None) -> str:
    """A length, a dash where there is none."""
    return "–" if value is None else f"{value:,.0f}"


def spread(mean: float | None, deviation: float | None) -> str:
    """A mean with its standard deviation."""
    return "–" if mean is None or deviation is None else f"{mean:,.2f} ± {deviation:,.2f}"


def unit_words(unit: str, words: Words) -> str:
    """The unit of lengths: characters, or the tokens of a tokenizer."""
    if unit == CHARACTERS:
        return words("evaluation.characters")
    return words("evaluation.tokens_of", tokenizer=unit)


def label_of(name: str) -> str:
    """The words of a figure."""
    return "evaluation.order_figure" if name == "order" else f"evaluation.{name}"


def _nothing(text: str) -> Node:
    return node("p", text, cls="pw-empty")
