"""How changes of an expert list, their impact and moved rows are drawn."""

from collections.abc import Sequence
from typing import Any

from labeling.ui.i18n import Words, moment
from labeling.ui.view import Node, bar, card, node, pill, table
from schemas.experts import Expert, ExpertList, ListComparison, compare_lists
from schemas.list_changes import ListChange, ListChanges
from schemas.list_impact import FATES
from schemas.list_impact_report import AffectedQuery, ImpactReport, ListWorkView, MovedRow

_TONES = {"add": "ok", "retire": "bad", "describe": "warn", "rename": "", "split": "warn"}
_FATE_TONES = {"automatic": "ok", "people": "warn", "lost": "bad", "untouched": "quiet"}


def comparison_view(
    before: ExpertList, after: ExpertList, changes: ListChanges, words: Words
) -> Node:
    """What became of whom, side by side; then tools and services."""
    old = {each.name: each for each in before.experts}
    new = {each.name: each for each in after.experts}
    rows = [(None, _change_row(each, old, new, words)) for each in changes.changes]
    touched = {name for each in changes.changes for name in each.after}
    counted = words("experts.unchanged", count=len(new.keys() - touched))
    tone = "ok" if changes.source == "recorded" else "warn"
    source = [pill(words(f"experts.source_{changes.source}"), tone)] if rows else []
    found = compare_lists(before, after)
    return node(
        "div",
        card(
            words("experts.comparison"),
            table(
                ["", before.reference, after.reference], rows, empty=words("experts.same_experts")
            ),
            right=node("span", *source, " ", counted, cls="pw-line"),
        ),
        *_other_changes(found, words),
        cls="pw-view",
    )


def likeness_of(change: ListChange, words: Words) -> str:
    """How a change is known, in words; nothing where a person stated it."""
    if change.reason == "stated":
        return ""
    if change.likeness is None:
        return words(f"experts.reason_{change.reason}")
    return words("experts.reason_likeness", percent=round(100 * change.likeness))


def impact_view(found: ImpactReport, words: Words) -> Node:
    """What becomes of the rows, questions and planners of the older version; nothing is changed."""
    plain = impact_answer(found, words)
    tiles = [
        node("div", node("b", each["count"]), node("span", each["word"]), cls="pw-figure")
        for each in plain["tiles"]
    ]
    heads = [words(f"experts.{each}") for each in ("affected", "fate", "candidates")]
    rows: list[tuple[None, list[Node]]] = []
    for each in plain["rows"]:
        steps = [node("div", step) for step in each["steps"]]
        link = node("a", each["text"], href=each["href"])
        rows.append((None, [link, pill(each["fate"], each["tone"]), node("div", *steps)]))
    return card(
        words("experts.impact"),
        node("p", plain["said"]),
        node("div", *tiles, cls="pw-figures"),
        *(node("p", each, cls="pw-mute") for each in plain["notes"]),
        node(
            "details",
            node("summary", words("experts.examples", count=len(rows))),
            node("div", table(heads, rows, empty=words("experts.none_affected")), cls="pw-short"),
            key="examples",
            open=True,
        ),
    )


def impact_answer(found: ImpactReport, words: Words) -> dict[str, Any]:
    """The same as plain values, for a script to draw."""
    questions = words(
        "experts.impact_questions",
        touched=found.questions.touched,
        total=found.questions.total,
        names=words.listed(found.benchmarks) or "–",
    )
    planners = words(
        "experts.impact_planners",
        count=len(found.planners),
        names=words.listed(found.planners) or "–",
    )
    return {
        "said": words(
            "experts.impact_of",
            touched=f"{found.rows.touched:,}",
            total=f"{found.rows.total:,}",
        ),
        "tiles": [
            {"count": f"{count:,}", "word": words(f"experts.fate_{fate}"), "fate": fate}
            for fate, count in zip(FATES, found.rows, strict=True)
        ],
        "notes": [questions, planners],
        "rows": [_affected(each, words) for each in found.affected],
    }


def work_view(found: Sequence[ListWorkView], words: Words) -> Node:
    """Rows that were moved: each time with its counts, the one under way with its progress."""
    heads = [words(f"experts.{each}") for each in ("moved", "moved_counts", "published_by")]
    rows = [(None, _work_row(each, words)) for each in found]
    return card(words("experts.moves"), table(heads, rows, empty=words("experts.no_moves")))


def moved_view(
    reference: str, rows: Sequence[MovedRow], counts: dict[tuple[str, str], int], words: Words
) -> Node:
    """Where the rows stand that were moved to a version, and the first of them."""
    if not counts:
        return ""
    tiles = [
        node(
            "div",
            node("b", f"{count:,}"),
            node("span", f"{words(f'experts.fate_{fate}')} · {_state(state, words)}"),
            cls="pw-figure",
        )
        for (fate, state), count in sorted(counts.items())
    ]
    heads = [words(f"experts.{each}") for each in ("affected", "fate", "candidates", "now")]
    listed = [(None, _moved_row(each, words)) for each in rows]
    return card(
        words("experts.moved_to", reference=reference),
        node("div", *tiles, cls="pw-figures"),
        node(
            "details",
            node("summary", words("experts.examples", count=len(listed))),
            node("div", table(heads, listed, empty=""), cls="pw-short"),
            key="moved",
        ),
    )


def _change_row(
    change: ListChange, old: dict[str, Expert], new: dict[str, Expert], words: Words
) -> list[Node]:
    kind = pill(words(f"experts.kind_{change.kind}"), _TONES.get(change.kind, "warn"))
    known = likeness_of(change, words)
    why = [node("div", known, cls="pw-mute")] if known else []
    is_pair = len(change.before) == len(change.after) == 1
    told = is_pair and old[change.before[0]].description != new[change.after[0]].description
    left = [_expert(old[name], "del" if told else "span", words) for name in change.before]
    right = [_expert(new[name], "ins" if told else "span", words) for name in change.after]
    return [node("div", kind, *why), node("div", *left), node("div", *right)]


def _expert(expert: Expert, tag: str, words: Words) -> Node:
    names = words.listed(expert.aliases)
    also = [node("div", f"= {names}", cls="pw-mute")] if names else []
    inputs = words.listed(expert.inputs)
    needs = [node("div", words("experts.inputs", names=inputs), cls="pw-mute")] if inputs else []
    return node(
        "div", node("b", expert.name), *also, node("div", node(tag, expert.description)), *needs
    )


def _affected(each: AffectedQuery, words: Words) -> dict[str, Any]:
    rule = f" · {words(f'experts.kind_{each.rule}')}" if each.rule else ""
    return {
        "text": each.text,
        "href": f"/{words.language}/queries?query={each.query_id}",
        "fate": f"{words(f'experts.fate_{each.fate}')}{rule}",
        "tone": _FATE_TONES[each.fate],
        "steps": _steps(each.candidates),
    }


def _work_row(found: ListWorkView, words: Words) -> list[Node]:
    tone = {"running": "warn", "done": "ok"}.get(found.state, "bad")
    state = pill(words(f"experts.work_{found.state}"), tone)
    counts = found.counts
    told = "" if counts is None else words("experts.counts", **counts.model_dump())
    parts: list[Node] = [node("div", told)]
    if found.state == "running":
        said = words("experts.weighing", done=f"{found.done:,}", total=f"{found.total:,}")
        parts = [bar(found.done / max(1, found.total)), node("div", said, cls="pw-mute"), *parts]
    by = f"{found.created_by or ''} {moment(found.created_at)}".strip()
    return [
        node("div", f"{found.before} → {found.after} ", state),
        node("div", *parts),
        by,
    ]


def _moved_row(each: MovedRow, words: Words) -> list[Node]:
    at = f"/{words.language}/queries?query="
    kind = f"{words(f'experts.fate_{each.fate}')} · {words(f'experts.kind_{each.rule}')}"
    made: Node = "–"
    if each.query_id is not None:
        made = node("a", _state(each.state or "none", words), href=at + each.query_id)
    return [
        node("a", each.text, href=at + each.parent_query_id),
        pill(kind, _FATE_TONES[each.fate]),
        node("div", *(node("div", step) for step in _steps(each.candidates))),
        made,
    ]


def _steps(candidates: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"{number}. {' / '.join(names) or '–'}" for number, names in enumerate(candidates, start=1)
    ]


def _state(state: str, words: Words) -> str:
    return words("experts.no_query") if state == "none" else words(f"queries.state_{state}")


def _other_changes(found: ListComparison, words: Words) -> list[Node]:
    tools = (found.tools_added, found.tools_retired, found.tools_changed)
    services = (found.services_added, found.services_retired, found.services_changed)
    return [
        _named_changes(words("experts.tools"), tools, words),
        _named_changes(words("experts.services"), services, words),
    ]


def _named_changes(
    name: str, changes: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], words: Words
) -> Node:
    added, retired, changed = changes
    if not any(changes):
        return ""
    pills = [
        *(pill(f"+ {each}", "ok") for each in added),
        *(pill(f"− {each}", "bad") for each in retired),
        *(pill(f"{each}: {words('experts.kind_describe')}", "warn") for each in changed),
    ]
    return card(name, node("div", *pills, cls="pw-line"))
