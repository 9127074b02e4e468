"""The playground: a question to a planner, what it answered, and its way into the queue.

A question is a row before it is asked, and its answer is kept as it came before anything is read
from it, so a page that is closed or loaded anew finds it. It is asked by a thread of the process
that the page talks to, since an endpoint on loopback answers on its own machine alone; if that
process leaves, the answer is told as lost after `LOST_AFTER_S`.
"""

import threading
from collections.abc import Sequence
from typing import NamedTuple, cast

from pydantic import JsonValue

from db.access import serving as access
from db.access import suggestions, training
from db.access.events import add_event
from db.engine import Database, Session, take_turns
from db.tables import Planner, PlaygroundReply
from exports.playground_asking import ask_now
from exports.reply_views import experts_in, is_lost, terms_of, view_of
from exports.training.planners import find_trained
from exports.training.serve import MODEL
from labeling.duplicates import load_guard
from labeling.intake.reading import PinnedList
from labeling.intake.single import Asked, add_asked
from labeling.ranking import refresh_disagreement
from labeling.synthesis.replies import read_body, read_suggestion
from schemas.errors import InvalidInput, NotAllowed, TransitionRefused
from schemas.people import Actor
from schemas.project import ProjectSettings
from schemas.serving import PlaygroundOrder, ReplyTerms, ReplyView
from schemas.settings import Settings

MOST_AT_ONCE = 4
_RECENT = 50


def ask(database: Database, settings: Settings, who: Actor, order: PlaygroundOrder) -> str:
    """Ask a planner in the background, as `ask_all`; the reply's id."""
    (reply_id,) = ask_all(database, settings, who, [order])
    return reply_id


def ask_all(
    database: Database, settings: Settings, who: Actor, orders: Sequence[PlaygroundOrder]
) -> list[str]:
    """Ask planners in the background, all or none, under the project's current prompt and list.

    Returns:
        The ids of the replies, in the order of the questions.

    Raises:
        NotFound: `evaluate.planner_not_found`.
        InvalidInput: `evaluate.no_prompt`, `serving.no_list`.
        TransitionRefused: `serving.too_many`.
    """
    who.require("reviewer")
    with database.transaction() as session:
        take_turns(session, f"playground of {who.person_id}")
        recent = access.list_replies(session, who.project_id, who.person_id, _RECENT)
        asking = sum(each.state == "asking" and not is_lost(each) for each in recent)
        if asking + len(orders) > MOST_AT_ONCE:
            raise TransitionRefused("serving.too_many", count=MOST_AT_ONCE)
        rows = [
            _row(session, settings, who, planner, order)
            for order in orders
            for planner in [training.get_planner(session, who.project_id, order.planner_id)]
        ]
        session.add_all(rows)
        session.flush()
        ids = [row.id for row in rows]
    for reply_id in ids:
        threading.Thread(target=ask_now, args=(database, settings, reply_id), daemon=True).start()
    return ids


def get_reply(database: Database, who: Actor, reply_id: str) -> ReplyView:
    """What a planner answered, to whom asked and to admins.

    Raises:
        NotFound: `serving.reply_not_found`.
    """
    who.require("reviewer")
    with database.reading() as session:
        return view_of(session, _own(session, who, reply_id))


def list_replies(database: Database, who: Actor, *, limit: int = 20) -> list[ReplyView]:
    """What this person tried, newest first."""
    who.require("reviewer")
    with database.reading() as session:
        rows = access.list_replies(session, who.project_id, who.person_id, limit)
        return [view_of(session, each) for each in rows]


def send_to_annotation(database: Database, who: Actor, reply_id: str) -> str:
    """Put a question into the queue with this reply as a suggestion; the query's id.

    Sent twice, it is there once. A query that is there already gets the suggestion.

    Raises:
        NotFound: `serving.reply_not_found`.
        TransitionRefused: `serving.is_question` (it is there to evaluate), `serving.not_answered`.
    """
    who.require("reviewer")
    with database.reading() as session:
        row = _own(session, who, reply_id)
        view = view_of(session, row)
    if row.query_id is not None:
        return row.query_id
    if row.state != "done":
        raise TransitionRefused("serving.not_answered")
    rewrite = (view.plan or {}).get("rewritten_query")
    guard = load_guard(database, who)
    if guard.find_leak(row.text, rewrite if isinstance(rewrite, str) else None) is not None:
        raise TransitionRefused("serving.is_question")
    with database.transaction() as session:
        take_turns(session, f"queries of {who.project_id}")
        row = _own(session, who, reply_id)
        if row.query_id is None:
            row.query_id = _add(session, who, row)
            session.add(row)
            why: dict[str, object] = {"reply": row.id}
            add_event(session, who, "query", row.query_id, "sent from the playground", why=why)
        query_id = row.query_id
    refresh_disagreement(database, who.project_id, [query_id])
    return query_id


def _row(
    session: Session, settings: Settings, who: Actor, planner: Planner, order: PlaygroundOrder
) -> PlaygroundReply:
    project = ProjectSettings.model_validate(training.get_project(session, who.project_id).settings)
    if project.current_prompt_version_id is None:
        raise InvalidInput("evaluate.no_prompt")
    if project.current_list_version_id is None:
        raise InvalidInput("serving.no_list")
    trained = find_trained(session, settings, planner)
    terms = ReplyTerms(
        model=planner.model or MODEL,
        dialect=project.dialect,
        window=project.window,
        with_thinking=trained.with_thinking if trained else True,
        template=trained.template if trained else None,
        max_tokens=order.max_tokens,
        temperature=order.temperature,
    )
    return PlaygroundReply(
        project_id=who.project_id,
        planner_id=planner.id,
        person_id=who.person_id,
        text=order.text,
        history=[{"role": role, "content": content} for role, content in order.history],
        list_version_id=project.current_list_version_id,
        prompt_version_id=project.current_prompt_version_id,
        terms=terms.model_dump(),
    )


def _add(session: Session, who: Actor, row: PlaygroundReply) -> str:
    """The query, and the reply as one of its suggestions."""
    terms, experts = terms_of(row), experts_in(session, row)
    raw = row.raw_reply or b""
    reply = read_body(raw)
    reading = read_suggestion(reply, terms.dialect, experts)
    asked = Asked(
        text=row.text,
        history=row.history,
        pinned=PinnedList(row.list_version_id, experts, "version"),
        prompt_version_id=row.prompt_version_id,
        dialect=terms.dialect,
        window=terms.window,
        source="playground",
    )
    query_id = add_asked(session, who, asked, is_ready=reading.plan is not None)
    planner = session.get_one(Planner, row.planner_id)
    suggestions.add_single(
        session,
        who.project_id,
        query_id,
        request_key=f"playground {row.id}",
        model=planner.name,
        endpoint=planner.endpoint or f"checkpoint {planner.checkpoint_hash}",
        raw=raw,
        reading=reading,
        usage=None if reply is None else reply.usage,
    )
    return query_id


def _own(session: Session, who: Actor, reply_id: str) -> PlaygroundReply:
    row = access.get_reply(session, who.project_id, reply_id)
    if row.person_id != who.person_id and who.role != "admin":
        raise NotAllowed("serving.not_yours")
    return row


class Ground(NamedTuple):
    """What questions are asked under: list and prompt as NAME@N, and the list itself."""

    expert_list: str
    prompt: str
    experts: dict[str, JsonValue]
    banned_words: tuple[str, ...]


def ground_of(database: Database, who: Actor) -> Ground:
    """What the project asks under now; blank where it has no list or no prompt."""
    who.require("reviewer")
    with database.reading() as session:
        project = ProjectSettings.model_validate(
            training.get_project(session, who.project_id).settings
        )
        prompt_id, list_id = project.current_prompt_version_id, project.current_list_version_id
        if prompt_id is None or list_id is None:
            return Ground("", "", {"experts": []}, project.banned_words)
        prompt, expert_list = access.find_references(session, prompt_id, list_id)
        content = training.get_list_content(session, list_id)
    return Ground(expert_list, prompt, cast(dict[str, JsonValue], content), project.banned_words)
