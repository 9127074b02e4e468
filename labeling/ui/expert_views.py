"""How an expert list, and the difference of two, is drawn."""

from collections.abc import Sequence

from pydantic import JsonValue

from labeling.ui.i18n import Words
from labeling.ui.view import Node, card, node, pill, table
from schemas.experts import Expert, ExpertList, compare_lists
from schemas.list_impact import FATES
from schemas.list_impact_report import AffectedQuery, ImpactReport


def list_view(found: ExpertList, words: Words) -> Node:
    """One version: experts, tools, services."""
    heads = [words(f"experts.{each}") for each in ("expert", "description")]
    rows = [(None, [_name(each, words), each.description]) for each in found.experts]
    return node(
        "div",
        card(found.reference, table(heads, rows, empty=words("experts.no_experts"))),
        _things(words("experts.tools"), found.tools),
        _things(words("experts.services"), found.services),
        cls="pw-view",
    )


def comparison_view(before: ExpertList, after: ExpertList, words: Words) -> Node:
    """Two versions side by side: what came, went, was renamed or described anew."""
    changes = compare_lists(before, after)
    old = {each.name: each for each in before.experts}
    renamed = {each.after.name: each.before for each in changes.renamed}
    described = {each.after.name for each in changes.described}
    rows: list[tuple[str | None, Sequence[Node]]] = []
    for each in after.experts:
        if each.name in renamed:
            rows.append((None, _pair(renamed[each.name], each, words("experts.renamed"), "warn")))
        elif each.name in described:
            rows.append((None, _pair(old[each.name], each, words("experts.described"), "warn")))
        elif each.name not in old:
            rows.append((None, _pair(None, each, words("experts.added"), "ok")))
    rows += [(None, _pair(each, None, words("experts.retired"), "bad")) for each in changes.retired]
    same = len(after.experts) - sum(1 for _, cells in rows if cells[2] != "")
    heads = ["", before.reference, after.reference]
    counted = words("experts.unchanged", count=max(0, same))
    tools = (changes.tools_added, changes.tools_retired, changes.tools_changed)
    services = (changes.services_added, changes.services_retired, changes.services_changed)
    return node(
        "div",
        card(
            words("experts.comparison"),
            table(heads, rows, empty=words("experts.same")),
            right=counted,
        ),
        _named_changes(words("experts.tools"), tools, words),
        _named_changes(words("experts.services"), services, words),
        cls="pw-view",
    )


def impact_view(found: ImpactReport, words: Words) -> Node:
    """What becomes of the rows, questions and planners of the older version; nothing is changed."""
    said = words("experts.impact_of", touched=found.rows.touched, total=found.rows.total)
    tiles = [
        node(
            "div",
            node("b", f"{count:,}"),
            node("span", words(f"experts.fate_{fate}")),
            cls="pw-figure",
        )
        for fate, count in zip(FATES, found.rows, strict=True)
    ]
    questions = words(
        "experts.impact_questions",
        touched=found.questions.touched,
        total=found.questions.total,
        names=", ".join(found.benchmarks) or "–",
    )
    planners = words("experts.impact_planners", names=", ".join(found.planners) or "–")
    rows = [(None, _affected(each, words)) for each in found.affected]
    heads = [words(f"experts.{each}") for each in ("affected", "fate", "candidates")]
    return card(
        words("experts.impact"),
        node("p", said),
        node("div", *tiles, cls="pw-figures"),
        node("p", questions, cls="pw-mute"),
        node("p", planners, cls="pw-mute"),
        node("div", table(heads, rows, empty=words("experts.none_affected")), cls="pw-short"),
    )


def _affected(each: AffectedQuery, words: Words) -> list[Node]:
    kind = "bad" if each.fate == "lost" else "warn"
    steps = [
        node("div", f"{number}. {' / '.join(names) or '–'}")
        for number, names in enumerate(each.candidates, start=1)
    ]
    link = node("a", each.text, href=f"/{words.language}/queries?query={each.query_id}")
    return [link, pill(words(f"experts.fate_{each.fate}"), kind), node("div", *steps)]


def _pair(before: Expert | None, after: Expert | None, what: str, kind: str) -> list[Node]:
    is_reworded = before and after and before.description != after.description

    def side(expert: Expert | None, tag: str) -> Node:
        if expert is None:
            return ""
        names = ", ".join(expert.aliases)
        also = [node("div", f"= {names}", cls="pw-mute")] if names else []
        body = node(tag if is_reworded else "span", expert.description)
        return node("div", node("b", expert.name), *also, node("div", body))

    return [pill(what, kind), side(before, "del"), side(after, "ins")]


def _named_changes(
    name: str, changes: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], words: Words
) -> Node:
    added, retired, changed = changes
    if not any(changes):
        return ""
    pills = [
        *(pill(f"+ {each}", "ok") for each in added),
        *(pill(f"− {each}", "bad") for each in retired),
        *(pill(f"{each}: {words('experts.described')}", "warn") for each in changed),
    ]
    return card(name, node("div", *pills, cls="pw-line"))


def _name(expert: Expert, words: Words) -> Node:
    aliases = words("experts.aliases", names=", ".join(expert.aliases)) if expert.aliases else ""
    inputs = words("experts.inputs", names=", ".join(expert.inputs)) if expert.inputs else ""
    notes = [node("div", each, cls="pw-mute") for each in (aliases, inputs) if each]
    return node("div", node("b", expert.name), *notes)


def _things(title: str, things: Sequence[dict[str, JsonValue]]) -> Node:
    if not things:
        return ""
    rows = [
        (None, [node("b", str(each.get("name", ""))), str(each.get("description", ""))])
        for each in things
    ]
    return card(f"{title} · {len(things)}", table(["", ""], rows, empty=""))
