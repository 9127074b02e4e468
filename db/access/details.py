"""The whole story of one query, read for the Queries page."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session, col, select

from db.access import lists, migration, queries, reviews
from db.tables import Annotation, Draft, Event, Person, PromptVersion, Query, Review, Revision
from schemas.desk import Turn
from schemas.queries import (
    AnnotationView,
    QueryDetail,
    ReviewView,
    RevisionView,
    TimelineEntry,
)
from schemas.reasons import reasons_of


def read_detail(session: Session, query: Query, *, hide_from: str | None) -> QueryDetail:
    """Everything that is known about a query.

    Args:
        session: An open unit of work.
        query: The query.
        hide_from: A person who may not learn who wrote what, except their own; None hides nothing.
    """
    rows = list(
        session.exec(
            select(Annotation).where(Annotation.query_id == query.id).order_by(col(Annotation.id))
        )
    )
    hidden = {row.author_id for row in rows} - {hide_from} if hide_from is not None else set[str]()
    names = _names(session, rows)
    shown = {person: None if person in hidden else name for person, name in names.items()}
    prompt = session.get_one(PromptVersion, query.prompt_version_id)
    expert_list = lists.find_list(session, query.project_id, query.list_version_id)
    return QueryDetail(
        id=query.id,
        external_id=query.external_id,
        kind=query.kind,
        text=query.text,
        history=tuple(Turn.model_validate(turn) for turn in query.history),
        state=query.state,
        expert_list=expert_list.reference if expert_list else "",
        list_version_id=query.list_version_id,
        prompt=f"{prompt.name}@{prompt.version}",
        dialect=query.dialect,
        window=query.window,
        answer=query.answer,
        created_at=query.created_at,
        chosen_annotation_id=query.chosen_annotation_id,
        suggestions=queries.list_suggestions(session, query.id),
        annotations=_annotation_views(session, query, rows, shown),
        timeline=_events_of(
            session, query.project_id, [query.id, *(row.id for row in rows)], hidden
        ),
        moves=tuple(migration.find_moves_of(session, query.project_id, query.id)),
    )


class Story(NamedTuple):
    """What became of one annotation, oldest first."""

    revisions: tuple[RevisionView, ...]
    reviews: tuple[ReviewView, ...]
    timeline: tuple[TimelineEntry, ...]


def read_story(
    session: Session, project_id: str, annotation_id: str, author_id: str, *, hides: bool
) -> Story:
    """Revisions, verdicts and events of one annotation; `hides` its author's name."""
    statement = select(Revision).where(Revision.annotation_id == annotation_id)
    revisions = list(session.exec(statement.order_by(col(Revision.number))))
    writers = {row.author_id for row in revisions}
    found = session.exec(select(Person.id, Person.name).where(col(Person.id).in_(writers)))
    hidden = {author_id} if hides else set[str]()
    shown = {row[0]: None if row[0] in hidden else row[1] for row in found}
    verdicts = reviews.list_of_annotations(session, [annotation_id])
    return Story(
        revisions=tuple(_revision_view(row, shown) for row in revisions),
        reviews=tuple(_review_view(row, name) for row, name in verdicts),
        timeline=_events_of(session, project_id, [annotation_id], hidden),
    )


def _names(session: Session, rows: Sequence[Annotation]) -> dict[str, str]:
    writers = select(Revision.author_id).where(
        col(Revision.annotation_id).in_([row.id for row in rows])
    )
    people = {row.author_id for row in rows} | set(session.exec(writers))
    found = session.exec(select(Person.id, Person.name).where(col(Person.id).in_(people)))
    return {row[0]: row[1] for row in found}


def _annotation_views(
    session: Session, query: Query, rows: Sequence[Annotation], shown: dict[str, str | None]
) -> tuple[AnnotationView, ...]:
    ids = [row.id for row in rows]
    verdicts = reviews.list_of_annotations(session, ids)
    drafts = {
        draft.annotation_id: draft
        for draft in session.exec(select(Draft).where(col(Draft.annotation_id).in_(ids)))
    }
    revisions = list(
        session.exec(
            select(Revision)
            .where(col(Revision.annotation_id).in_(ids))
            .order_by(col(Revision.number))
        )
    )
    return tuple(
        AnnotationView(
            id=row.id,
            author=shown[row.author_id],
            state=row.state,
            is_chosen=row.id == query.chosen_annotation_id,
            flag=row.flag,
            lead_seconds=row.lead_seconds,
            revision_id=row.revision_id,
            draft=drafts[row.id].content if row.id in drafts else None,
            draft_saved_at=_saved_at(drafts.get(row.id)),
            revisions=tuple(
                _revision_view(each, shown) for each in revisions if each.annotation_id == row.id
            ),
            reviews=tuple(
                _review_view(each, name) for each, name in verdicts if each.annotation_id == row.id
            ),
        )
        for row in rows
    )


def _saved_at(draft: Draft | None) -> datetime | None:
    return draft.saved_at if draft is not None and draft.number > 0 else None


def _revision_view(row: Revision, shown: dict[str, str | None]) -> RevisionView:
    return RevisionView(
        id=row.id,
        number=row.number,
        kind=row.kind,
        author=shown[row.author_id],
        plan=row.content,
        at=row.created_at,
    )


def _review_view(row: Review, reviewer: str) -> ReviewView:
    return ReviewView(
        verdict=row.verdict,
        reviewer=reviewer,
        revision_id=row.revision_id,
        reasons=reasons_of(row.model_dump()),
        mode=row.mode,
        fixed_revision_id=row.fixed_revision_id,
        at=row.decided_at,
    )


def _events_of(
    session: Session, project_id: str, ids: Sequence[str], hidden: set[str]
) -> tuple[TimelineEntry, ...]:
    statement = (
        select(Event, Person.name)
        .join(Person, col(Person.id) == Event.person_id, isouter=True)
        .where(
            Event.project_id == project_id,
            col(Event.subject).in_(("query", "annotation")),
            col(Event.subject_id).in_(ids),
        )
        .order_by(col(Event.id))
    )
    return tuple(
        TimelineEntry(
            at=event.at,
            person=None if event.person_id in hidden else name,
            role=event.role,
            action=event.action,
            before=event.before,
            after=event.after,
            why=event.why,
        )
        for event, name in session.exec(statement)
    )
