"""A stream is kept as the completion that its events make up."""

import json

import orjson
import pytest

from labeling.synthesis.replies import read_body
from labeling.synthesis.streams import condense, is_stream


def a_body(content: str = "{}", *, finish: str = "stop") -> bytes:
    """A whole reply of 10 tokens in and 7 out."""
    message = {"role": "assistant", "content": content}
    usage = {"prompt_tokens": 10, "completion_tokens": 7}
    choice = {"message": message, "finish_reason": finish}
    return json.dumps({"choices": [choice], "usage": usage}, ensure_ascii=False).encode()


def _stream(*deltas: dict[str, str], ends: str | None = "stop", done: bool = True) -> bytes:
    lines = [": keep-alive", ""]
    for delta in deltas:
        lines += [f"data: {json.dumps({'id': 'x', 'choices': [{'delta': delta}]})}", ""]
    if ends:
        choice = {"delta": {}, "finish_reason": ends}
        lines += [f"data: {json.dumps({'choices': [choice]})}", ""]
        lines += [
            'data: {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}',
            "",
        ]
    return "\n".join([*lines, *(["data: [DONE]", ""] if done else [])]).encode()


THOUGHT = {"reasoning_content": "想"}


def test_thinking_and_answer_are_joined_in_their_own_fields() -> None:
    raw = _stream(THOUGHT, {"reasoning_content": "好"}, {"content": "答"}, {"content": "案"})
    whole = condense(raw)
    assert whole is not None
    reply = read_body(whole)
    assert reply is not None
    assert (reply.reasoning, reply.content, reply.finish_reason) == ("想好", "答案", "stop")
    assert (reply.input_tokens, reply.output_tokens) == (3, 4)
    assert orjson.loads(whole)["stream"] == {"events": 6, "keep_alives": 1, "is_cut": False}


def test_the_raw_events_read_as_what_they_make_up() -> None:
    raw = _stream(THOUGHT, {"content": "答"})
    assert is_stream(raw)
    assert read_body(raw) == read_body(condense(raw) or b"")


@pytest.mark.parametrize("length", [40, 120, 200])
def test_a_stream_without_its_end_is_cut_off_wherever_it_broke(length: int) -> None:
    raw = _stream(THOUGHT, {"content": "答案是这样的"}, ends=None, done=False)[: -1 - length % 30]
    reply = read_body(condense(raw) or raw)
    assert reply is not None
    assert reply.is_cut_off
    assert reply.reasoning == "想"


def test_an_end_without_a_reason_is_an_end() -> None:
    reply = read_body(condense(_stream({"content": "答"}, ends=None)) or b"")
    assert reply is not None
    assert not reply.is_cut_off


@pytest.mark.parametrize(
    "raw", [b": keep-alive\n\n: keep-alive\n\n", b"<html>", b"data: [1]\n\n", b"data: {\n\n", b""]
)
def test_where_no_model_spoke_there_is_nothing_to_keep(raw: bytes) -> None:
    assert condense(raw) is None


def test_an_error_in_the_middle_is_kept_beside_what_came() -> None:
    raw = _stream({"content": "答"}, ends=None, done=False)
    whole = condense(raw + b'data: {"error": {"message": "overloaded"}}\n\n')
    assert whole is not None
    told = orjson.loads(whole)["stream"]
    assert (told["is_cut"], told["error"]) == (True, {"message": "overloaded"})
