"""Asking a planner the questions of a benchmark, several at a time."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Any, NamedTuple

import openai
from openai.types.chat import ChatCompletionMessageParam

from schemas.errors import ModelServiceError
from schemas.scoring.reply import Reply, to_completion

AT_ONCE = 8
TIMEOUT_S = 300.0
RETRIES = 2


class Asking(NamedTuple):
    """Whom to ask and how; `template` is ms-swift's name of the chat template, where known."""

    url: str
    key: str
    model: str
    max_tokens: int
    with_thinking: bool
    template: str | None
    temperature: float = 0.0


class Question(NamedTuple):
    """A question by its id, as chat messages."""

    id: str
    messages: Sequence[dict[str, str]]


class Answer(NamedTuple):
    """The whole text that the planner wrote; `problem` where the endpoint gave none."""

    question_id: str
    completion: str
    is_cut_off: bool
    problem: str | None = None


def ask_all(asking: Asking, questions: Iterable[Question]) -> Iterator[Answer]:
    """The answers as they come; a failed call is an answer too.

    Questions are taken as there is room for them, so whoever leaves in the middle has asked no more
    than `AT_ONCE` in vain. Busy and broken servers are asked again twice, with back-off.

    Raises:
        ModelServiceError: `evaluate.unreachable`; nobody answers there at all.
    """
    rest = iter(questions)
    pending: set[Future[Answer]] = set()
    with (
        openai.OpenAI(
            base_url=asking.url, api_key=asking.key, max_retries=RETRIES, timeout=TIMEOUT_S
        ) as client,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        while True:
            for question in islice(rest, AT_ONCE - len(pending)):
                pending.add(pool.submit(_ask, client, asking, question))
            if not pending:
                return
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for each in done:
                yield each.result()


def _ask(client: openai.OpenAI, asking: Asking, question: Question) -> Answer:
    messages: list[ChatCompletionMessageParam] = [to_message(each) for each in question.messages]
    try:
        reply = client.chat.completions.create(
            model=asking.model,
            messages=messages,
            temperature=asking.temperature,
            max_tokens=asking.max_tokens,
            extra_body={"chat_template_kwargs": {"enable_thinking": asking.with_thinking}},
        )
    except openai.APIConnectionError as error:
        raise ModelServiceError("evaluate.unreachable", url=asking.url) from error
    except openai.APIError as error:
        return Answer(question.id, "", is_cut_off=False, problem=str(error)[:500])
    if not reply.choices:
        return Answer(question.id, "", is_cut_off=False, problem="no choices")
    choice = reply.choices[0]
    said: dict[str, Any] = choice.message.model_dump()
    reasoning = said.get("reasoning_content") or said.get("reasoning")
    text = to_completion(Reply(choice.message.content or "", reasoning), asking.template)
    # PostgreSQL keeps no NUL in a text.
    return Answer(question.id, text.replace("\0", "\ufffd"), choice.finish_reason == "length")


def to_message(message: dict[str, str]) -> ChatCompletionMessageParam:
    """A chat message as the client has them."""
    match message["role"]:
        case "system":
            return {"role": "system", "content": message["content"]}
        case "assistant":
            return {"role": "assistant", "content": message["content"]}
        case _:
            return {"role": "user", "content": message["content"]}
