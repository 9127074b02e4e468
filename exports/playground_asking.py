"""Asking one question of the playground, in a thread of its own: the answer is kept as it came."""

import logging
import time
from typing import Any

import openai
from openai.types.chat import ChatCompletionMessageParam

from db.access import training
from db.engine import Database
from db.tables import Planner, PlaygroundReply
from exports.asking import to_message
from exports.reply_views import experts_in, terms_of
from exports.training.deployments import find_standing
from exports.training.examine import key_of
from exports.training.serve import Endpoint
from schemas.errors import ModelServiceError, PlanwrightError
from schemas.prompt import render_messages
from schemas.settings import Settings

TIMEOUT_S = 300.0
_log = logging.getLogger(__name__)


def ask_now(database: Database, settings: Settings, reply_id: str) -> None:
    """Ask, and keep what came of it; whatever goes wrong is kept as the reason."""
    begun = time.monotonic()
    try:
        raw = _answer(database, settings, reply_id)
        _keep(database, reply_id, state="done", raw_reply=raw, seconds=time.monotonic() - begun)
    except PlanwrightError as error:
        values = {name: str(value) for name, value in error.values.items()}
        _keep(database, reply_id, state="failed", reason={"code": error.code, "values": values})
    except Exception:  # noqa: BLE001  the edge of one question: whatever it was, the page is told
        _log.exception("playground %s", reply_id)
        why = {"code": "training.defect", "values": {"reference": reply_id[-8:]}}
        _keep(database, reply_id, state="failed", reason=why)


def _keep(database: Database, reply_id: str, **changes: Any) -> None:
    with database.transaction() as session:
        row = session.get_one(PlaygroundReply, reply_id)
        for name, value in changes.items():
            setattr(row, name, value)
        session.add(row)


def _answer(database: Database, settings: Settings, reply_id: str) -> bytes:
    """The body of the reply, as it came."""
    with database.reading() as session:
        row = session.get_one(PlaygroundReply, reply_id)
        planner = session.get_one(Planner, row.planner_id)
        terms, experts = terms_of(row), experts_in(session, row)
        template = training.get_prompt(session, row.prompt_version_id).template
    endpoint = _reach(database, settings, planner)
    messages: list[ChatCompletionMessageParam] = [
        to_message(each)
        for each in render_messages(
            template,
            experts,
            row.history,
            row.text,
            window=terms.window,
            dialect=terms.dialect,
            with_thinking=terms.with_thinking,
        )
    ]
    with openai.OpenAI(
        base_url=endpoint.url, api_key=endpoint.key, max_retries=0, timeout=TIMEOUT_S
    ) as client:
        try:
            reply = client.chat.completions.with_raw_response.create(
                model=endpoint.model,
                messages=messages,
                temperature=terms.temperature,
                max_tokens=terms.max_tokens,
                extra_body={"chat_template_kwargs": {"enable_thinking": terms.with_thinking}},
            )
        except openai.APIConnectionError as error:
            raise ModelServiceError("evaluate.unreachable", url=endpoint.url) from error
        except openai.APIError as error:
            raise ModelServiceError("serving.refused", line=str(error)[:300]) from error
        return reply.http_response.content


def _reach(database: Database, settings: Settings, planner: Planner) -> Endpoint:
    if planner.is_external:
        return Endpoint(str(planner.endpoint), key_of(planner.key_env), str(planner.model))
    standing = find_standing(database, settings, planner.id)
    if standing is None:
        raise ModelServiceError("serving.not_served", planner=planner.name)
    return standing
