"""Facts of rows, made again where something changed: judged as an export would judge them.

A preview counts a recipe from facts alone. They are made a few hundred queries at a time, so that
nobody who labels waits; a preview says when some are still to be made.
"""

import time
from collections.abc import Iterator
from hashlib import blake2b

import orjson

from db.access import exports as access
from db.access import facts
from db.access.facts import Fact, Profile
from db.engine import Database, Session
from exports.best_of import best_of_for
from exports.candidates import Candidate, Judge, Offered
from exports.formats import RowForm
from exports.materials import Materials
from exports.pinned import load_pinned
from labeling.duplicates import guard_of
from schemas.bundle import REDERIVED
from schemas.recipe import BundleRecipe, Pool, Source, SourceKind

CHUNK = 400
KINDS: tuple[SourceKind, ...] = ("accepted", "history", "suggestions")
ANY_RECIPE = BundleRecipe(
    name="facts", formats=("sft",), sft=Pool(sources=(Source(kind="suggestions"),))
)
"""What a fact says holds for every recipe; judging wants one all the same."""


def refresh_facts(database: Database, project_id: str, *, within_s: float | None = None) -> bool:
    """Make the facts of what changed; whether all are known now.

    With `within_s` it stops after about so many seconds; what is made until then stays.
    """
    ends_at = None if within_s is None else time.monotonic() + within_s
    judge: Judge | None = None
    while ends_at is None or time.monotonic() < ends_at:
        with database.reading() as session:
            if not facts.count_changes(session, project_id):
                return True
        with database.transaction() as session:
            taken = facts.take_changes(session, project_id, CHUNK)
            if not taken.query_ids and not taken.is_all:
                return True
            if judge is None or taken.is_all or _has_new_lists(session, project_id, judge):
                judge = load_judge(session, project_id)
            made = list(_facts_of(session, project_id, judge, taken.query_ids))
            facts.replace_facts(session, project_id, taken.query_ids, made)
    return False


def load_judge(session: Session, project_id: str, recipe: BundleRecipe = ANY_RECIPE) -> Judge:
    """Who judges rows of a project as it is now."""
    pinned, guard = load_pinned(session, project_id), guard_of(session, project_id)
    best_of = best_of_for(recipe, Materials(pinned, RowForm.of(recipe)))
    return Judge(recipe, pinned.lists, guard.is_leak, best_of)


def _has_new_lists(session: Session, project_id: str, judge: Judge) -> bool:
    return facts.count_lists(session, project_id) != len(judge.lists)


def _facts_of(
    session: Session, project_id: str, judge: Judge, query_ids: list[str]
) -> Iterator[Fact]:
    for offered in offers_of(session, project_id, judge, query_ids):
        candidates = [
            judged.candidate for kind in KINDS for judged in offered.by_kind.get(kind, ())
        ]
        profiles = [_profile(each, offered) for each in candidates]
        if offered.rederived is not None:  # what a recipe may take in place of the accepted row
            candidates.append(offered.rederived.candidate)
            profiles.append(_profile(candidates[-1], offered)._replace(kind=REDERIVED))
        for number, (each, profile) in enumerate(zip(candidates, profiles, strict=True)):
            key = blake2b(repr(tuple(profile)).encode(), digest_size=12).hexdigest()
            yield Fact(
                each.query_id,
                number,
                each.source_id,
                each.cluster,
                each.trace_length,
                key,
                profile,
            )


def offers_of(
    session: Session, project_id: str, judge: Judge, query_ids: list[str]
) -> Iterator[Offered]:
    """What some queries offer; those that are gone offer nothing."""
    if not query_ids:
        return
    queries = access.get_queries(session, project_id, query_ids)
    suggestions = access.list_suggestions(session, project_id, query_ids)
    discarded = access.list_discarded_between(session, project_id, query_ids[0], query_ids[-1])
    for query_id in query_ids:
        query = queries.get(query_id)
        if query is not None:
            yield judge.judge(query, suggestions.get(query_id, []), KINDS, query_id in discarded)


def _profile(candidate: Candidate, offered: Offered) -> Profile:
    others = [each.part for each in offered.said if each.state == "stale"]
    is_accepted = candidate.kind == "accepted"
    return Profile(
        kind=candidate.kind,
        list_version_id=candidate.list_id,
        model=candidate.model,
        day=candidate.day,
        label=candidate.label,
        size=candidate.size,
        trace_state=candidate.trace_state,
        reason=candidate.reason,
        trace_reason=candidate.trace_reason,
        experts=orjson.dumps(candidate.experts).decode(),
        own_prompt=candidate.own_prompt,
        is_paired=is_accepted and bool(others),
        is_paired_thinking=is_accepted and any(each.trace for each in others),
    )
