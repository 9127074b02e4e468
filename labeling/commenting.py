"""Commenting: what the author of an annotation and its reviewers say to each other about it.

Annotators see what is said on their own annotations and nothing of others' work. A thread stands at
a place of the plan, at a passage of a trace, or for the query as a whole; an answer to a resolved
one opens it again. Ids come from whoever asks, so that a request sent twice says a thing once.
"""

from typing import Any

from pydantic import ValidationError

from db import clock
from db.access import annotations, comments, projects, queries
from db.access.annotations import AnnotationFacts
from db.access.events import add_event
from db.engine import Database, Session, take_turns
from db.tables import Comment
from schemas.comments import (
    LONGEST_QUOTE,
    MOST_COMMENTS,
    CommentedItem,
    CommentView,
    NewComment,
    Span,
)
from schemas.errors import InvalidInput, NotAllowed, NotFound
from schemas.people import Actor

MOST_WAITING = 100


def list_comments(database: Database, who: Actor, annotation_id: str) -> tuple[CommentView, ...]:
    """What has been said on an annotation, in the order in which it was said.

    Raises:
        NotFound: `comments.no_such_item`.
        NotAllowed: `comments.not_yours`.
    """
    with database.reading() as session:
        return _views(session, who, _get_item(session, who, annotation_id))


def list_of_query(
    database: Database, who: Actor, query_id: str
) -> dict[str, tuple[CommentView, ...]]:
    """What has been said on every annotation of a query, by the annotations' ids."""
    who.require("reviewer")
    with database.reading() as session:
        return {
            annotation_id: _views(session, who, _get_item(session, who, annotation_id))
            for annotation_id in comments.list_commented(session, who.project_id, query_id)
        }


def add_comment(
    database: Database, who: Actor, annotation_id: str, content: object
) -> tuple[CommentView, ...]:
    """Say something; returns everything that has been said on the annotation now.

    Args:
        database: The database.
        who: The author of the annotation, a reviewer or an admin.
        annotation_id: The annotation that it is about.
        content: A `schemas.comments.NewComment` as plain JSON.

    Raises:
        NotFound: `comments.no_such_item`, `comments.no_such_thread`, `comments.no_such_trace`.
        NotAllowed: `comments.not_yours`.
        InvalidInput: `comments.not_a_comment`, `comments.blank`, `comments.too_many`,
            `comments.trace_differs`, `comments.said_otherwise` (the id is another comment's).
    """
    said = _read(content)
    with database.transaction() as session:
        item = _get_item(session, who, annotation_id)
        take_turns(session, f"comment {said.id}")
        known = comments.find_comment(session, said.id)
        if known is None:
            _say(session, who, item, said)
        elif not _is_same(known, who, item, said):
            raise InvalidInput("comments.said_otherwise")
        return _views(session, who, item)


def resolve(
    database: Database, who: Actor, thread_id: str, *, is_resolved: bool
) -> tuple[CommentView, ...]:
    """Resolve a thread, or open it again; returns everything that has been said there.

    Raises:
        NotFound: `comments.no_such_thread`.
        NotAllowed: `comments.not_yours`.
    """
    with database.transaction() as session:
        take_turns(session, f"thread {thread_id}")
        thread = comments.find_thread(session, who.project_id, thread_id)
        if thread is None or thread.annotation_id is None:
            raise NotFound("comments.no_such_thread")
        item = _get_item(session, who, thread.annotation_id)
        _settle(session, who, thread, is_resolved=is_resolved)
        return _views(session, who, item)


def list_waiting(database: Database, who: Actor) -> tuple[CommentedItem, ...]:
    """My annotations on which others wait for a word of mine, the newest word first."""
    who.require("annotator")
    with database.reading() as session:
        found = comments.list_waiting(session, who.project_id, who.person_id, MOST_WAITING)
    items: dict[str, CommentedItem] = {}
    for thread in found:
        known = items.get(thread.annotation_id)
        if known is not None:
            items[thread.annotation_id] = known.model_copy(update={"threads": known.threads + 1})
            continue
        items[thread.annotation_id] = CommentedItem(
            query_id=thread.query_id,
            annotation_id=thread.annotation_id,
            query=thread.query,
            state=thread.state,
            threads=1,
            author=thread.writer,
            text=thread.text,
            at=thread.at,
        )
    return tuple(items.values())


def count_waiting(database: Database, who: Actor) -> int:
    """How many threads on my annotations wait for a word of mine."""
    with database.reading() as session:
        return comments.count_waiting(session, who.project_id, who.person_id)


def _get_item(session: Session, who: Actor, annotation_id: str) -> AnnotationFacts:
    """An annotation that this person may comment on."""
    who.require("annotator")
    item = annotations.find_annotation(session, who.project_id, annotation_id)
    if item is None:
        raise NotFound("comments.no_such_item")
    if item.author_id != who.person_id and who.role == "annotator":
        raise NotAllowed("comments.not_yours")
    return item


def _read(content: object) -> NewComment:
    try:
        said = NewComment.model_validate(content)
    except ValidationError as error:
        raise InvalidInput("comments.not_a_comment") from error
    if not said.text.strip():
        raise InvalidInput("comments.blank")
    return said.model_copy(update={"text": said.text.strip()})


def _say(session: Session, who: Actor, item: AnnotationFacts, said: NewComment) -> None:
    if comments.count_comments(session, who.project_id, item.query_id, item.id) >= MOST_COMMENTS:
        raise InvalidInput("comments.too_many", most=MOST_COMMENTS)
    anchor: dict[str, Any] = said.anchor.model_dump(mode="json")
    if said.reply_to_id is not None:
        take_turns(session, f"thread {said.reply_to_id}")
        thread = comments.find_thread(session, who.project_id, said.reply_to_id)
        if thread is None or thread.annotation_id != item.id:
            raise NotFound("comments.no_such_thread")
        _settle(session, who, thread, is_resolved=False)
        anchor = dict(thread.anchor)
    elif isinstance(said.anchor, Span):
        check_span(session, item.query_id, said.anchor)
    comments.add_comment(
        session,
        Comment(
            id=said.id,
            project_id=who.project_id,
            query_id=item.query_id,
            annotation_id=item.id,
            reply_to_id=said.reply_to_id,
            author_id=who.person_id,
            anchor=anchor,
            text=said.text,
            created_at=clock.now(),
        ),
    )
    _tell(session, who, item, said.id, "replied" if said.reply_to_id else "added")


def check_span(session: Session, query_id: str, span: Span) -> None:
    """A passage is quoted as it stands; a trace may have been read anew since the page opened.

    Raises:
        NotFound: `comments.no_such_trace`.
        InvalidInput: `comments.trace_differs`.
    """
    for suggestion in queries.list_suggestions(session, query_id):
        if suggestion.id == span.suggestion_id:
            trace = suggestion.trace or ""
            if trace[span.start : span.end][:LONGEST_QUOTE] != span.quote or span.end > len(trace):
                raise InvalidInput("comments.trace_differs")
            return
    raise NotFound("comments.no_such_trace")


def _is_same(known: Comment, who: Actor, item: AnnotationFacts, said: NewComment) -> bool:
    same = (known.annotation_id, known.author_id, known.reply_to_id, known.text)
    return same == (item.id, who.person_id, said.reply_to_id, said.text)


def _settle(session: Session, who: Actor, thread: Comment, *, is_resolved: bool) -> None:
    """Do it once: what is resolved already keeps who did it and when."""
    if is_resolved == (thread.resolved_at is not None) or thread.annotation_id is None:
        return
    by, at = (who.person_id, clock.now()) if is_resolved else (None, None)
    comments.settle(session, thread, by, at)
    item = annotations.get_annotation(session, who.project_id, thread.annotation_id)
    _tell(session, who, item, thread.id, "resolved" if is_resolved else "reopened")


def _tell(
    session: Session, who: Actor, item: AnnotationFacts, comment_id: str, action: str
) -> None:
    why: dict[str, object] = {"annotation": item.id, "query": item.query_id}
    add_event(session, who, "comment", comment_id, action, why=why)


def _views(session: Session, who: Actor, item: AnnotationFacts) -> tuple[CommentView, ...]:
    rows = comments.list_comments(session, who.project_id, item.query_id, item.id)
    if not rows:
        return ()
    people = {row.author_id for row in rows} | {row.resolved_by for row in rows if row.resolved_by}
    names = comments.names_of(session, people)
    is_hidden = projects.read_settings(session, who.project_id).hide_author
    if is_hidden and who.role != "admin" and item.author_id != who.person_id:
        names.pop(item.author_id, None)
    return tuple(
        CommentView.model_validate(
            {
                "id": row.id,
                "reply_to_id": row.reply_to_id,
                "author": names.get(row.author_id),
                "is_mine": row.author_id == who.person_id,
                "anchor": row.anchor,
                "text": row.text,
                "at": row.created_at,
                "resolved_by": names.get(row.resolved_by or ""),
                "resolved_at": row.resolved_at,
            }
        )
        for row in rows
    )
