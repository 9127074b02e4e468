"""What came to the playground, read and judged: by today's parser and scoring, whenever it came."""

from typing import Any

from db.access import serving as access
from db.access import training
from db.engine import Session
from db.tables import PlaygroundReply
from db.tables.base import now
from labeling.synthesis.replies import read_body, read_suggestion
from schemas.experts import ExpertList
from schemas.project import ProjectSettings
from schemas.scoring.check import plan_problems
from schemas.scoring.reply import Reply, to_completion
from schemas.scoring.rewards import read_completion
from schemas.scoring.wire import to_canonical
from schemas.serving import ReplyTerms, ReplyView

LOST_AFTER_S = 360.0
"""An answer that is waited for longer comes no more; the client gives up a minute earlier."""
_SHOWN = 60_000


def view_of(session: Session, row: PlaygroundReply) -> ReplyView:
    """A reply read and judged by today's parser and scoring, whenever it came."""
    prompt, expert_list = access.find_references(
        session, row.prompt_version_id, row.list_version_id
    )
    project = training.get_project(session, row.project_id)
    think = ProjectSettings.model_validate(project.settings).think
    fields: dict[str, Any] = {
        "id": row.id,
        "planner_id": row.planner_id,
        "planner": access.name_of_planner(session, row.planner_id),
        "text": row.text,
        "history": tuple((each["role"], each["content"]) for each in row.history),
        "state": row.state,
        "seconds": row.seconds,
        "prompt": prompt,
        "expert_list": expert_list,
        "think_min": think.min,
        "think_max": think.max,
        "query_id": row.query_id,
        "created_at": row.created_at,
    }
    if is_lost(row):
        return ReplyView.model_validate(
            fields | {"state": "failed", "reason": "serving.reply_lost"}
        )
    if row.reason is not None:
        fields |= {"reason": row.reason["code"], "values": row.reason.get("values", {})}
    if row.raw_reply is not None:
        fields |= _read(row.raw_reply, terms_of(row), experts_in(session, row))
    return ReplyView.model_validate(fields)


def _read(raw: bytes, terms: ReplyTerms, experts: ExpertList) -> dict[str, Any]:
    reply = read_body(raw)
    if reply is None:
        return {
            "state": "failed",
            "reason": "synthesis.unreadable_body",
            "completion": raw[:_SHOWN].decode("utf-8", "replace"),
        }
    completion = to_completion(Reply(reply.content, reply.reasoning or None), terms.template)
    read = read_completion(completion, terms.dialect, with_thinking=terms.with_thinking)
    plan = to_canonical(read.value, terms.dialect)
    is_repaired = False
    if not isinstance(plan, dict):
        lenient = read_suggestion(reply, terms.dialect, experts)
        plan, is_repaired = lenient.plan or lenient.partial_plan, True
    problems = plan_problems(plan, experts.names) if plan is not None else []
    return {
        "thinking": read.thinking[:_SHOWN],
        "think_length": len(read.thinking),
        "plan": plan,
        "problems": tuple((each.path, each.code, dict(each.values)) for each in problems),
        "is_strict": read.is_strict,
        "is_repaired": is_repaired and plan is not None,
        "is_cut_off": reply.finish_reason == "length",
        "completion": completion[:_SHOWN],
    }


def terms_of(row: PlaygroundReply) -> ReplyTerms:
    """How it was asked."""
    return ReplyTerms.model_validate(row.terms)


def experts_in(session: Session, row: PlaygroundReply) -> ExpertList:
    """The list that it was asked under."""
    return ExpertList.model_validate(training.get_list_content(session, row.list_version_id))


def is_lost(row: PlaygroundReply) -> bool:
    """Whether the process that asked it has left without an answer."""
    return row.state == "asking" and (now() - row.created_at).total_seconds() > LOST_AFTER_S
