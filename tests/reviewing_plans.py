"""Plans that people handed in and reviewers decided on, as rows."""

import json
from hashlib import sha256

from db.engine import Database, Session
from db.tables import Annotation, GoldItem, Review, Revision
from db.tables import Query as QueryRow
from db.tables.base import new_id
from schemas.people import Actor
from tests.exporting import DECIDED, PlainPlan


def a_verdict(
    database: Database,
    query_id: str,
    author: Actor,
    reviewer: Actor,
    plan: PlainPlan,
    verdict: str = "accepted",
    *,
    suggestion_id: str | None = None,
    final: PlainPlan | None = None,
    mode: str = "single",
) -> str:
    """What a reviewer said of somebody's plan; the id of its annotation.

    A plan that is returned comes back as `final` (when given) and is accepted then; one that is
    fixed is `final`, written by the reviewer.
    """
    annotation_id = new_id()
    state = {"accepted": "accepted", "fixed": "accepted", "discarded": "discarded"}.get(
        verdict, "accepted" if final else "returned"
    )
    with database.transaction() as session:
        _annotation(session, annotation_id, author, query_id, state, suggestion_id)
        first = _revision(session, annotation_id, author, plan, 1)
        last = first
        if final is not None:
            writer = reviewer if verdict == "fixed" else author
            last = _revision(session, annotation_id, writer, final, 2, verdict)
        verdicts = [(first, verdict)]
        if verdict == "returned" and final is not None:
            verdicts.append((last, "accepted"))
        for revision_id, said in verdicts:
            _review(session, annotation_id, (author, reviewer), revision_id, said, last, mode)
        session.get_one(Annotation, annotation_id).revision_id = last
        if state == "accepted":
            query = session.get_one(QueryRow, query_id)
            query.state = "decided"
            query.chosen_annotation_id = query.chosen_annotation_id or annotation_id
    return annotation_id


def _annotation(
    session: Session,
    annotation_id: str,
    author: Actor,
    query_id: str,
    state: str,
    suggestion_id: str | None,
) -> None:
    session.add(
        Annotation(
            id=annotation_id,
            project_id=author.project_id,
            query_id=query_id,
            author_id=author.person_id,
            state=state,
            suggestion_id=suggestion_id,
            submitted_at=DECIDED,
            decided_at=DECIDED,
        )
    )
    session.flush()


def a_gold_item(database: Database, who: Actor, query_id: str, plan: PlainPlan) -> None:
    """Make a query one whose right plan is known."""
    with database.transaction() as session:
        query = session.get_one(QueryRow, query_id)
        session.add(
            GoldItem(
                project_id=who.project_id,
                query_id=query.id,
                plan=plan,
                created_by=who.person_id,
            )
        )


def _review(
    session: Session,
    annotation_id: str,
    people: tuple[Actor, Actor],
    revision_id: str,
    said: str,
    last: str,
    mode: str,
) -> None:
    author, reviewer = people
    session.add(
        Review(
            project_id=author.project_id,
            annotation_id=annotation_id,
            revision_id=revision_id,
            fixed_revision_id=last if said == "fixed" else None,
            reviewer_id=reviewer.person_id,
            author_id=author.person_id,
            verdict=said,
            mode=mode,
        )
    )


def _revision(
    session: Session,
    annotation_id: str,
    writer: Actor,
    plan: PlainPlan,
    number: int,
    verdict: str = "",
) -> str:
    revision_id = new_id()
    text = json.dumps(plan, ensure_ascii=False, sort_keys=True)
    session.add(
        Revision(
            id=revision_id,
            project_id=writer.project_id,
            annotation_id=annotation_id,
            number=number,
            kind="fixed" if verdict == "fixed" else "submitted",
            author_id=writer.person_id,
            content=plan,
            content_hash=sha256(text.encode()).hexdigest(),
        )
    )
    session.flush()
    return revision_id
