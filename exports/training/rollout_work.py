"""The rollout browser: pages of completions, one of them beside the accepted plan, back to people.

Nothing that a person wrote is changed: an accepted plan is flagged for another look by a comment
on it, with the reason and a link to the completion; a query that is not decided comes first.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from pydantic import JsonValue

from db.access import bundles as bundle_rows
from db.access import queries, training
from db.engine import Database, Session
from db.tables import Chain, Query, Run
from exports.training.advantages import Wanted, advantages_of
from exports.training.bundle_lines import find_row, messages_of, query_of
from exports.training.rollout_sources import Place, Source, sources_of, sources_of_run
from exports.training.rollouts import PAGE, Rollout, RolloutChoice, page_of
from exports.training.run_config import weights_of
from labeling import commenting, gold, ranking
from schemas.errors import InvalidInput, NotFound, TransitionRefused
from schemas.people import Actor
from schemas.queries import QueryChoice
from schemas.reward_reasons import Reason, reasons
from schemas.scoring.answer import find_thinking
from schemas.scoring.context import ScoringContext, context_from_row
from schemas.scoring.rewards import read_completion
from schemas.scoring.wire import to_canonical
from schemas.sentences import Language, sentence
from schemas.settings import Settings

LONGEST_SHOWN = 60_000
LONGEST_QUERY = 200
FORWARD = 1
"""The least priority of a query that waits for another look."""


class Row(NamedTuple):
    """One line of the list; `node` is empty where the attempt ran on one machine."""

    place: Place
    rollout: Rollout
    query: str
    attempt: int
    node: str
    advantage: float | None


class Listing(NamedTuple):
    """A page of the completions of all attempts and nodes of a chain's GRPO."""

    rows: tuple[Row, ...]
    found: int
    written: int
    unreadable: int
    pages: int
    attempts: int
    nodes: int
    """How many nodes wrote completions, by name."""
    out_of_reach: tuple[tuple[int, str], ...]
    """Attempt and node of what cannot be read from here."""


class Detail(NamedTuple):
    """One completion with all that is known about it; `gold` and `plan` are canonical."""

    place: Place
    attempt: int
    node: str
    advantage: float | None
    rollout: Rollout
    weights: dict[str, float]
    reasons: dict[str, Reason]
    query: str
    history: tuple[tuple[str, str], ...]
    thinking: str
    plan: dict[str, Any] | None
    gold: dict[str, Any] | None
    is_cut: bool
    """The completion is longer than is shown."""
    query_state: str | None
    """The state of the query now; absent where the bundle's ledger does not know it."""


def list_rollouts(
    database: Database, settings: Settings, who: Actor, chain_id: str, choice: RolloutChoice
) -> Listing:
    """A page of the completions of a chain's GRPO run.

    Raises:
        NotFound: `training.chain_not_found`.
    """
    who.require("admin")
    with database.reading() as session:
        chain = training.get_chain(session, who.project_id, chain_id)
        sources = sources_of(session, settings, chain_id)
        bundle = _folder_of(session, settings, chain)
    readable = [each for each in sources if each.is_readable or not each.rank]
    page = page_of([each.rollouts() for each in readable], choice)
    with database.reading() as session:
        known = {
            each: found.text
            for each in {row.plan_id for row in page.rows}
            if (found := queries.find_query(session, who.project_id, each))
        }
    found = [(readable[each.source], each) for each in page.rows]
    rows = [
        Row(
            place=Place(source.run_id, each.line, source.rank),
            rollout=each,
            query=_asked(each, known, bundle),
            attempt=source.attempt,
            node=source.node,
            advantage=advantage,
        )
        for (source, each), advantage in zip(found, _advantages(found), strict=True)
    ]
    return Listing(
        rows=tuple(rows),
        found=page.found,
        written=page.written,
        unreadable=page.unreadable,
        pages=-(-page.found // PAGE),
        attempts=len({each.run_id for each in sources}),
        nodes=len({each.node for each in sources}),
        out_of_reach=tuple((e.attempt, e.node) for e in sources if e not in readable),
    )


def _advantages(rows: Sequence[tuple[Source, Rollout]]) -> list[float | None]:
    """The advantage of each; a run has one file of them for all its nodes."""
    found: dict[tuple[Path, Wanted], float | None] = {}
    wanted = [(source.run_folder, Wanted(each.step, each.completion)) for source, each in rows]
    for folder in {folder for folder, _ in wanted}:
        mine = [each for run_folder, each in wanted if run_folder == folder]
        known = advantages_of(folder, mine)
        found |= {(folder, each): value for each, value in zip(mine, known, strict=True)}
    return [found[each] for each in wanted]


def get_rollout(database: Database, settings: Settings, who: Actor, place: Place) -> Detail:
    """One completion, its scores with their reasons, and the accepted plan.

    Raises:
        NotFound: `training.run_not_found`, `training.rollout_not_found`.
    """
    who.require("admin")
    with database.reading() as session:
        run = training.get_run(session, who.project_id, place.run_id)
        bundle = _folder_of(session, settings, run)
        source, found = _found(sources_of_run(session, settings, run), place)
        query = _query_in_ledger(session, who, run, found.plan_id)
        state = query.state if query else None
    row = find_row(bundle, found.plan_id)
    context = _context(row)
    thinking, plan = _taken_apart(found.completion, context)
    return Detail(
        place=place,
        attempt=source.attempt,
        node=source.node,
        advantage=_advantages([(source, found)])[0],
        rollout=found,
        weights=weights_of(settings.home / run.folder),
        reasons=reasons(found.completion, context, found.scores) if context else {},
        query=query_of(row) if row else (query.text if query else ""),
        history=tuple(
            (str(each.get("role")), str(each.get("content")))
            for each in (messages_of(row)[:-1] if row else ())
            if each.get("role") != "system"
        ),
        thinking=thinking[:LONGEST_SHOWN],
        plan=plan,
        gold=dict(context.gold) if context and context.gold else None,
        is_cut=len(found.completion) > LONGEST_SHOWN,
        query_state=state,
    )


def ask_for_another_look(
    database: Database, settings: Settings, who: Actor, place: Place, *, reason: str
) -> str:
    """Send the query of a bad completion back to people; returns the query's id.

    Where its plan is accepted, a thread on it says why and links to the completion: its author and
    the reviewers see it, and the plan stays as it is until one of them changes it. Where it is not
    decided, it is brought forward. Asked twice about one completion, it is asked once.

    Raises:
        NotFound: `training.run_not_found`, `training.rollout_not_found`.
        InvalidInput: `training.look_without_reason`.
        TransitionRefused: `training.look_unknown` (the bundle's ledger does not know the query),
            `training.look_gold` (people are measured by it).
    """
    who.require("admin")
    if not reason.strip():
        raise InvalidInput("training.look_without_reason")
    detail = get_rollout(database, settings, who, place)
    query_id = detail.rollout.plan_id
    if detail.query_state is None:
        raise TransitionRefused("training.look_unknown")
    if gold.gold_among(database, who, [query_id]):
        raise TransitionRefused("training.look_gold")
    with database.reading() as session:
        run = training.get_run(session, who.project_id, place.run_id)
        query = queries.find_query(session, who.project_id, query_id)
        chosen, priority = (query.chosen_annotation_id, query.priority) if query else (None, 0)
    if chosen is None:
        if priority < FORWARD:
            ranking.set_priority(database, who, QueryChoice(ids=(query_id,)), FORWARD)
        return query_id
    said = _said(detail, run, reason.strip(), who.language)
    known = commenting.list_comments(database, who, chosen)
    comment_id = str(uuid5(NAMESPACE_URL, f"planwright:{place.text}:{chosen}"))
    if all(each.id != comment_id for each in known):
        commenting.add_comment(database, who, chosen, {"id": comment_id, "text": said})
    return query_id


def _said(detail: Detail, run: Run, reason: str, language: Language) -> str:
    values: dict[str, JsonValue] = {
        "reason": reason[:1_000],
        "step": detail.rollout.step,
        "total": f"{detail.rollout.total:.3f}",
        "link": f"/{language}/training?run={run.chain_id}&rollout={detail.place.text}",
    }
    return sentence("training.look", values, language)


def _folder_of(session: Session, settings: Settings, of: Run | Chain) -> Path:
    """The folder of its bundle."""
    return settings.home / training.get_bundle(session, of.project_id, of.bundle_id).folder


def _found(sources: Sequence[Source], place: Place) -> tuple[Source, Rollout]:
    for source in sources:
        if source.rank == place.rank and source.is_readable:
            found = source.rollouts().one(place.line)
            if found is not None:
                return source, found
    raise NotFound("training.rollout_not_found", line=place.line)


def _query_in_ledger(session: Session, who: Actor, run: Run, plan_id: str) -> Query | None:
    """The query that a line of the run's bundle came from."""
    query = queries.find_query(session, who.project_id, plan_id)
    lines = bundle_rows.list_recalled(session, who.project_id, plan_id) if query else []
    return query if any(each.bundle_id == run.bundle_id for each in lines) else None


def _asked(rollout: Rollout, known: dict[str, str], bundle: Path) -> str:
    text = known.get(rollout.plan_id)
    if text is None:
        row = find_row(bundle, rollout.plan_id)
        text = query_of(row) if row else rollout.plan_id
    return text[:LONGEST_QUERY]


def _context(row: dict[str, Any] | None) -> ScoringContext | None:
    try:
        return context_from_row(row) if row else None
    except ValueError:
        return None


def _taken_apart(
    completion: str, context: ScoringContext | None
) -> tuple[str, dict[str, Any] | None]:
    if context is None:
        return find_thinking(completion), None
    read = read_completion(completion, context.dialect, with_thinking=context.with_thinking)
    plan = to_canonical(read.value, context.dialect)
    return read.thinking, plan if isinstance(plan, dict) else None
