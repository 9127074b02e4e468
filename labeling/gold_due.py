"""Gold items at work: when one is due, how it comes into somebody's hands, how it is judged.

A gold item looks like any other item. Its task is reserved for one person in a slot of its own and
is in the batch that the person's next item would have been in; what is handed in stays `submitted`
for good: no reviewer sees it, no lot or bundle takes it in, and its author can take it back as
anything that no reviewer has in hand. The first answer counts.
"""

from datetime import datetime
from hashlib import blake2b
from typing import Any

from db.access import gold, gold_due, leases, pauses, projects
from db.access.annotations import AnnotationFacts
from db.access.leases import Asker
from db.access.tasks import TaskFacts
from db.engine import Session, take_turns
from db.tables import GoldAnswer
from labeling.pauses import pause_by_rule
from schemas.gold import GoldVerdict, gold_score, gold_verdict
from schemas.people import Actor
from schemas.project import GoldSettings


def hand_out(session: Session, who: Asker) -> TaskFacts | None:
    """A gold item that is due for this person, in hand; None when none is."""
    if not _is_due(session, who) or pauses.find_active(session, who.project_id, who.person_id):
        return None
    due = gold_due.list_due(session, who.project_id, who.person_id)
    if not due:
        return None
    query_id = min(due, key=lambda each: _place(who.person_id, each))
    return _reserve(session, who, query_id, gold_due.find_next_batch(session, who))


def take_again(session: Session, who: Asker, query_id: str) -> TaskFacts | None:
    """A label for a gold item that this person let go of in one tab and hands in in another.

    Any other query would give a free slot then, unless the person is paused.
    """
    if pauses.find_active(session, who.project_id, who.person_id):
        return None
    return _reserve(session, who, query_id, None)


def judge(
    session: Session,
    who: Actor,
    annotation: AnnotationFacts,
    plan: dict[str, Any],
    *,
    revision_id: str,
    at: datetime,
) -> None:
    """Keep the first answer to a gold item, and pause whom the rule finds careless by it."""
    item = gold.find_facts(session, annotation.gold_item_id or "")
    is_own = item.created_by == who.person_id
    if is_own or gold.has_answer(session, item.id, who.person_id):
        return
    score = gold_score(plan, item.plan)
    gold.add_answer(
        session,
        GoldAnswer(
            project_id=who.project_id,
            gold_item_id=item.id,
            person_id=who.person_id,
            annotation_id=annotation.id,
            revision_id=revision_id,
            is_right=score.is_right,
            score=score.score,
            answered_at=at,
        ),
    )
    settings = projects.read_settings(session, who.project_id).gold
    if settings.auto_pause:
        verdict = verdict_of(session, who.project_id, who.person_id, settings)
        if verdict.state == "careless":
            pause_by_rule(session, who, verdict)


def verdict_of(
    session: Session, project_id: str, person_id: str, settings: GoldSettings
) -> GoldVerdict:
    """What somebody's answers come to; after a pause, those since it was lifted."""
    lifted = pauses.find_last_lift(session, project_id, person_id)
    answers = gold.list_answers_of(session, project_id, person_id, lifted)
    return gold_verdict(
        [each.is_right for each in answers],
        onboarding=settings.onboarding if lifted is None else 0,
        tolerated_rate=settings.tolerated_rate,
    )


def _reserve(
    session: Session, who: Asker, query_id: str, work_batch_id: str | None
) -> TaskFacts | None:
    take_turns(session, f"slots of {query_id}")
    task_id = gold_due.reserve(
        session, who.project_id, query_id, who.person_id, work_batch_id=work_batch_id, at=who.at
    )
    return leases.take_mine(session, who, task_id)


def _is_due(session: Session, who: Asker) -> bool:
    settings = who.gold
    if not settings.onboarding and not settings.every:
        return False
    standing = gold_due.find_standing(session, who.project_id, who.person_id, settings.every)
    if standing.waits:
        return False
    if standing.answered < settings.onboarding:
        return True
    return settings.every > 0 and standing.since >= settings.every


def _place(person_id: str, query_id: str) -> bytes:
    """Where an item stands in a person's own order, so that neighbours do not get the same one."""
    return blake2b(f"{person_id} {query_id}".encode(), digest_size=8).digest()
