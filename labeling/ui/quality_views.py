"""What the Quality page draws: weeks, people, agreement, confusion of experts, effort by model."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from labeling.ui.i18n import Words
from labeling.ui.matrix import confusion_matrix
from labeling.ui.view import Node, bar, card, chart, interval, node, pill, table
from schemas.quality import (
    Confusion,
    Estimate,
    ModelEffort,
    NamedAgreement,
    PairAgreement,
    PersonQuality,
    ReasonCount,
    TeamAgreement,
    TeamFigures,
    Week,
)

VERDICTS = ("accepted", "fixed", "returned", "discarded")
PARTS = ("exact", "experts", "order", "sub_questions", "rewrite")


def team_views(found: TeamFigures, words: Words) -> list[Node]:
    """Everything below the counts of now, as cards."""
    return [
        _weeks(found.weeks, words),
        _people(found.people, words),
        _agreement(found.agreement, words),
        _reasons(found.reasons, words),
        _confusion(found.confusion, words, looked_at=found.looked_at),
        _efforts(found.efforts, words),
    ]


def share(value: float | None) -> str:
    """A share as a percentage, a dash where it does not apply."""
    return "–" if value is None else f"{value:.0%}"


def _weeks(weeks: Sequence[Week], words: Words) -> Node:
    days = [f"{each.monday:%m-%d}" for each in weeks]

    def drawn(name: str, values: Iterable[float | None], label: str) -> Node:
        points = [(at, value) for at, value in enumerate(values) if value is not None]
        return chart(words(f"quality.{name}"), points, label=label, ticks=days)

    last = weeks[-1]
    lines = [
        drawn("submitted", [each.submitted for each in weeks], f"{last.submitted:,}"),
        drawn("reviewed", [each.decided for each in weeks], f"{last.decided:,}"),
        drawn("acceptance", [each.acceptance for each in weeks], share(last.acceptance)),
        drawn("seconds", [each.median_seconds for each in weeks], _seconds(last.median_seconds)),
    ]
    title = words("quality.weeks", count=len(weeks))
    return card(title, node("div", *lines, cls="pw-charts pw-fit"))


def _people(people: Sequence[PersonQuality], words: Words) -> Node:
    heads = [
        "person",
        "submitted",
        "by_week",
        "seconds",
        *VERDICTS,
        "acceptance",
        "rework",
        "gold",
        "alpha",
    ]
    rows = [(None, _person(each, words)) for each in people]
    listing = table(
        [words(f"quality.{name}") for name in heads], rows, empty=words("quality.nobody")
    )
    return card(words("quality.people"), node("div", listing, cls="pw-narrow"))


def _person(person: PersonQuality, words: Words) -> list[Node]:
    most = max(1, *(each.submitted for each in person.weeks))
    bars = [
        node(
            "i",
            height=100 * each.submitted / most,
            title=f"{each.monday:%Y-%m-%d} · {each.submitted:,}",
        )
        for each in person.weeks
    ]
    gold = f"{person.gold_right}/{person.gold_answered}" if person.gold_answered else "–"
    return [
        _named_person(person, words),
        f"{person.submitted:,}",
        node("span", *bars, cls="pw-spark"),
        _seconds(person.median_seconds),
        *(f"{person.verdicts.get(verdict, 0):,}" for verdict in VERDICTS),
        _estimate(person.acceptance),
        share(person.returned_share),
        gold,
        node("span", f"{person.alpha.value:.2f} ", _bounds(person.alpha)) if person.alpha else "–",
    ]


def _named_person(person: PersonQuality, words: Words) -> Node:
    """The name, and what a lead should know first."""
    notes: list[Node] = []
    if person.is_careless:
        said = " · ".join(words(f"quality.against_{name}") for name in person.against)
        notes.append(node("span", pill(words("quality.careless"), "bad"), title=said))
    if person.is_paused:
        notes.append(pill(words("quality.paused"), "warn"))
    return node("span", person.name, *(part for each in notes for part in (" ", each)))


def _agreement(found: TeamAgreement | None, words: Words) -> Node:
    title = words("quality.agreement")
    if found is None:
        return card(title, node("p", words("quality.no_agreement"), cls="pw-empty"))
    said = words("quality.agreement_of", queries=found.queries, plans=found.plans)
    columns = [_named("by_expert", found.experts, words), _named("by_list", found.lists, words)]
    return card(
        title,
        node("p", said, cls="pw-mute"),
        _agreement_tiles(found, words),
        _pairs(found.pairs, words),
        node("div", *columns, cls="pw-two"),
    )


def _agreement_tiles(found: TeamAgreement, words: Words) -> Node:
    alpha = node("b", f"{found.alpha.value:.2f}")
    tiles = [node("div", alpha, node("span", "Krippendorff α "), _bounds(found.alpha))]
    for name in PARTS:
        said = node("span", words(f"quality.part_{name}"))
        tiles.append(node("div", node("b", share(found.parts.get(name))), said))
    return node("div", *(node("div", tile, cls="pw-figure") for tile in tiles), cls="pw-figures")


def _pairs(pairs: Sequence[PairAgreement], words: Words) -> Node:
    rows: list[tuple[str | None, list[Node]]] = [
        (
            None,
            [
                " · ".join(each.names),
                f"{each.queries:,}",
                f"{each.alpha.value:.2f}",
                _bounds(each.alpha),
            ],
        )
        for each in pairs
    ]
    heads = [words(f"quality.{name}") for name in ("pair", "queries", "alpha", "interval")]
    return node("div", table(heads, rows, empty=words("quality.no_pairs")), cls="pw-short")


def _named(name: str, found: Sequence[NamedAgreement], words: Words) -> Node:
    rows = [(None, [each.name, f"{each.queries:,}", f"{each.alpha:.2f}"]) for each in found]
    heads = [words(f"quality.{each}") for each in (name, "queries", "alpha")]
    return table(heads, rows, empty=words("quality.no_pairs"))


def _reasons(found: Sequence[ReasonCount], words: Words) -> Node:
    """What plans came back for; one plan may have several reasons."""
    known = words.area("desk")
    rows: list[tuple[str | None, list[Node]]] = [
        (
            None,
            [
                known.get(f"reason.{each.code}", each.code),
                node("div", bar(each.share), f"{each.count:,}", cls="pw-share"),
                share(each.share),
            ],
        )
        for each in found
    ]
    heads = [words(f"quality.{name}") for name in ("reason", "returned", "reason_share")]
    return card(
        words("quality.reasons"),
        *([node("p", words("quality.reasons_of"), cls="pw-mute")] if found else []),
        table(heads, rows, empty=words("quality.no_reasons")),
    )


def _confusion(found: Sequence[Confusion], words: Words, *, looked_at: int) -> Node:
    """Rows are the model's experts, columns the people's; the diagonal is what stayed."""
    title = words("quality.confusion")
    explained = node("p", words("quality.confusion_of", count=looked_at), cls="pw-mute")
    if not found:
        return card(title, node("p", words("quality.no_confusion"), cls="pw-empty"))
    matrix = confusion_matrix(
        {(each.model, each.human): each.count for each in found},
        corner=words("quality.model_to_human"),
        none=words("quality.no_expert"),
    )
    return card(title, explained, matrix)


def _efforts(found: Sequence[ModelEffort], words: Words) -> Node:
    """What the newest model's plans cost people beside those of the model before it."""
    heads = ["model", "plans", "untouched", "distance", "seconds", "saved"]
    rows: list[tuple[str | None, list[Node]]] = [
        (
            None,
            [
                each.model or words("quality.unnamed_model"),
                f"{each.plans:,}",
                _estimate(each.untouched),
                f"{each.distance:.2f}",
                _seconds(each.median_seconds),
                _saved(each, before, words),
            ],
        )
        for each, before in zip_longest(found, found[1:])
    ]
    listing = table(
        [words(f"quality.{name}") for name in heads], rows, empty=words("quality.no_confusion")
    )
    return card(words("quality.efforts"), listing)


def _saved(now: ModelEffort, before: ModelEffort | None, words: Words) -> Node:
    if before is None:
        return "–"
    change = now.distance - before.distance
    kind = "ok" if change < 0 else "warn" if change > 0 else "quiet"
    return pill(words("quality.saved_change", change=f"{change:+.2f}"), kind)


def _estimate(found: Estimate | None) -> Node:
    if found is None:
        return "–"
    return node(
        "div", interval(found.value, found.low, found.high), share(found.value), cls="pw-share"
    )


def _bounds(found: Estimate) -> Node:
    if found.low is None or found.high is None:
        return node("span", "–", cls="pw-mute")
    return node("span", f"{found.low:.2f} – {found.high:.2f}", cls="pw-mute")


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"
