"""Accepted plans set against what models said: the pairs of `dpo` and the labels of `kto`; pure."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from exports.candidates import Candidate
from exports.said import Said
from schemas.bundle import PLAIN, RowOrigin
from schemas.parts import SuggestionPart
from schemas.recipe import BundleRecipe

_MUCH_LONGER = 1.5


class Found(NamedTuple):
    """An accepted query: what models said to it, in order, and whether its rows think."""

    candidate: Candidate
    said: Sequence[Said]
    thinks: bool


def pairs_of(found: Found, recipe: BundleRecipe) -> Iterator[RowOrigin]:
    """The pairs of one accepted query, in the order of the recipe.

    The accepted plan needs a trace that leads to it, or both sides do without thinking, which only
    a recipe that mixes allows.
    """
    candidate = found.candidate
    is_taught = candidate.trace_reason is None
    if found.thinks and not is_taught and not recipe.plain_share:
        return
    variant = PLAIN if found.thinks and not is_taught else ""
    thinks = found.thinks and is_taught
    said = _said(found, needs_trace=thinks)
    wrong = _distinct((each.part for each in said if each.state == "stale"), by_trace=thinks)
    wanted = recipe.dpo_pairs
    most = None if "siblings" in wanted else int("corrected" in wanted)
    for part in islice(wrong, most):
        yield candidate.origin(candidate.trace_id, part.id, variant)
    if "length" in wanted and thinks:
        yield from _long_and_short(candidate, said, recipe)


def rated_of(found: Found, recipe: BundleRecipe) -> Iterator[RowOrigin]:
    """Every suggestion that has the form, each text once; what it is worth shows when rendered.

    Where no model had the accepted plan, the plan itself stands beside the wrong ones, as far as it
    may do without thinking.
    """
    candidate = found.candidate
    said = _said(found, needs_trace=found.thinks)
    for part in _distinct((each.part for each in said), by_trace=found.thinks):
        yield RowOrigin(
            "suggestions", candidate.query_id, part.id, part.id, candidate.source_id, ""
        )
    is_alone = said and all(each.state == "stale" for each in said)
    if is_alone and (not found.thinks or recipe.plain_share):
        variant = PLAIN if found.thinks else ""
        yield candidate.origin(None, candidate.source_id, variant)


def _long_and_short(
    candidate: Candidate, said: Sequence[Said], recipe: BundleRecipe
) -> Iterator[RowOrigin]:
    """The shortest thinking that is long enough against one that is much longer, same plan."""
    least = recipe.think.min if recipe.think else 1
    right = sorted(
        (each.part for each in said if each.state != "stale" and each.part.trace_length >= least),
        key=lambda part: (part.trace_length, part.id),
    )
    if len(right) > 1 and right[-1].trace_length >= _MUCH_LONGER * right[0].trace_length:
        yield candidate.origin(right[0].id, right[-1].id)


def _said(found: Found, *, needs_trace: bool) -> list[Said]:
    return [
        each
        for each in found.said
        if not each.part.is_repaired and (each.trace_length or not needs_trace)
    ]


def _distinct(parts: Iterable[SuggestionPart], *, by_trace: bool) -> Iterator[SuggestionPart]:
    """Each text once: ms-swift drops equal ones, and they teach nothing."""
    seen: set[str | None] = set()
    for part in parts:
        text = part.trace if by_trace else part.plan
        if text not in seen:
            seen.add(text)
            yield part
