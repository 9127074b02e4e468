"""Trials of prompts: what two versions brought on the same queries, from the rows of a batch."""

from collections.abc import Mapping

from db.access import prompts, repairs
from db.access.batch_progress import read_progress
from db.access.repairs import TriedPlan
from db.engine import Database
from schemas.errors import InvalidInput, NotFound
from schemas.people import Actor
from schemas.prompt_trials import TrialAnswer, TrialReport, judge_trial


def trial_report(database: Database, who: Actor, batch_id: str) -> TrialReport:
    """What came of a trial so far.

    Raises:
        NotFound: `synthesis.batch_not_found`.
        InvalidInput: `synthesis.not_a_trial`.
    """
    who.require("reviewer")
    with database.reading() as session:
        progress = read_progress(session, who.project_id, batch_id)
        if progress is None:
            raise NotFound("synthesis.batch_not_found", batch=batch_id)
        trial = progress.order.trial
        if trial is None:
            raise InvalidInput("synthesis.not_a_trial")
        names = {
            each.version_id: each.reference
            for each in prompts.list_prompts(session, who.project_id, None)
        }
        # The last reply under a key counts: what was asked again was asked again for a reason.
        newest = {
            (each.query_id, each.prompt_version_id, each.candidate): each
            for each in repairs.list_tried(session, who.project_id, batch_id)
        }
    sides: dict[str, list[TrialAnswer]] = {}
    for each in newest.values():
        sides.setdefault(names[each.prompt_version_id], []).append(_answer(each))
    first = _named(trial.first, sides, other=trial.second)
    second = _named(trial.second, sides, other=first)
    return judge_trial(
        batch_id,
        progress.currency,
        [(first, sides.get(first, [])), (second, sides.get(second, []))],
    )


def _named(wanted: str, sides: Mapping[str, object], *, other: str) -> str:
    """The reference that was meant: NAME is the newest there was when it was asked."""
    if "@" in wanted:
        return wanted.strip()
    of_name = [
        each
        for each in sides
        if each.rpartition("@")[0] == wanted.strip() and each != other.strip()
    ]
    return max(of_name, key=lambda each: int(each.rpartition("@")[2]), default=wanted.strip())


def _answer(tried: TriedPlan) -> TrialAnswer:
    return TrialAnswer(
        query_id=tried.query_id,
        plan=tried.plan,
        failure=tried.failure,
        think_length=tried.trace_length,
        is_repaired=tried.is_repaired,
        money=tried.cost,
        tokens=tried.tokens,
        accepted=tried.accepted,
    )
