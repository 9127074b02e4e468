"""How a question is asked again, how fast, and when the asking ends."""

import asyncio
import json
import random
import time
from collections.abc import Mapping, Sequence
from typing import cast, get_args

import pytest
from pydantic import JsonValue

from labeling.synthesis.asking import FATAL, Asked, Patience, Wanted, ask_patiently
from labeling.synthesis.client import Asks, CallFailed, Came, FailureKind
from labeling.synthesis.lanes import Lane, Pool
from labeling.synthesis.purse import Purse
from labeling.synthesis.replies import read_body, read_suggestion
from labeling.synthesis.stopping import FIRST_TRIES, IN_A_ROW, StopRule
from labeling.synthesis.throttle import Throttle
from schemas.experts import Expert, ExpertList
from schemas.model_endpoints import EndpointSettings
from schemas.sentences import LANGUAGES, Language, sentence
from schemas.synthesis import SynthesisOrder

LIST = ExpertList(name="m", version=1, experts=(Expert(name="数据分析专家", description="d"),))
ANSWER = '{"rewritten_query": "问", "steps": []}'


def _body(content: str | None = ANSWER, **message: object) -> bytes:
    choice = {"message": {"content": content, **message}, "finish_reason": "stop"}
    return json.dumps({"choices": [choice]}).encode()


class _Scripted:
    """An endpoint that answers or fails as it is told, one after the other."""

    def __init__(self, *script: bytes | CallFailed) -> None:
        self._script = list(script)
        self.asked = 0

    async def ask(
        self,
        messages: Sequence[Mapping[str, str]],
        parameters: Mapping[str, JsonValue],
        *,
        reply_key: str | None = None,
    ) -> Came:
        self.asked += 1
        step = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(step, CallFailed):
            raise step
        return Came(step, {})


SETTINGS = EndpointSettings(name="one", url="https://host/v1", model="m")


def _ignore(kind: str, lane: Lane) -> None:
    del kind, lane


def _pool(*clients: Asks, purse: Purse | None = None) -> Pool:
    lanes = [Lane(SETTINGS, each, 4) for each in clients]
    return Pool(lanes, 4, purse or Purse(None))


def _ask(client: _Scripted, *, attempts: int = 4) -> Asked:
    async def run() -> Asked:
        return await ask_patiently(
            _pool(client),
            Wanted([], {}, "k"),
            patience=Patience(attempts, 0.01, asyncio.Event()),
            on_failure=_ignore,
        )

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("kind", "tries"),
    [
        ("unreachable", 4),
        ("server_error", 4),
        ("rate_limited", 8),
        ("timeout", 2),
        ("refused_request", 1),
        ("key_refused", 1),
        ("model_unknown", 1),
        ("no_credit", 1),
    ],
)
def test_each_failure_has_its_own_budget(kind: FailureKind, tries: int) -> None:
    client = _Scripted(CallFailed(kind, "no"))
    asked = _ask(client)
    assert client.asked == asked.attempts == tries
    assert asked.failure is not None
    assert asked.failure.kind == kind


@pytest.mark.parametrize("body", [_body(""), _body(None), b"<html>", b"", b"[]", b'{"choices":[]}'])
def test_an_empty_or_unreadable_reply_is_asked_for_once_more_and_kept(body: bytes) -> None:
    client = _Scripted(body)
    asked = _ask(client)
    assert client.asked == 2
    assert asked.body == body
    assert asked.failure is None


def test_a_reply_after_failures_is_a_reply() -> None:
    client = _Scripted(CallFailed("server_error", ""), CallFailed("timeout", ""), _body())
    asked = _ask(client)
    assert (asked.attempts, asked.failure) == (3, None)
    assert asked.reply is not None
    assert asked.reply.content == ANSWER


def test_retry_after_is_the_wait() -> None:
    begun = time.monotonic()
    _ask(_Scripted(CallFailed("rate_limited", "", retry_after_s=0.4), _body()))
    assert 0.4 <= time.monotonic() - begun < 30


def test_stopping_ends_the_wait_and_gives_the_request_back() -> None:
    async def run() -> Asked:
        stopping = asyncio.Event()
        asyncio.get_running_loop().call_later(0.1, stopping.set)
        return await ask_patiently(
            _pool(_Scripted(CallFailed("rate_limited", "", retry_after_s=60))),
            Wanted([], {}, "k"),
            patience=Patience(4, 1.0, stopping),
            on_failure=_ignore,
        )

    begun = time.monotonic()
    assert asyncio.run(run()).is_given_up
    assert time.monotonic() - begun < 30


def _begin(throttle: Throttle) -> int:
    begun = throttle.begin()
    assert begun is not None
    return begun


def test_the_throttle_takes_a_quarter_off_once_a_burst_and_comes_back_slowly() -> None:
    throttle = Throttle(16)
    burst = [_begin(throttle) for _ in range(16)]
    for begun in burst:
        throttle.slow_down(0, begun)
    assert throttle.limit == 12
    for _ in range(50):
        throttle.replied()
    assert throttle.limit == 14
    for _ in range(500):
        throttle.replied()
    assert throttle.limit == 16


def test_a_question_sent_after_a_cut_cuts_again() -> None:
    throttle = Throttle(16)
    for limit in (12, 9, 6):
        throttle.slow_down(0, _begin(throttle))
        throttle.end()
        assert throttle.limit == limit


def test_few_refusals_among_many_replies_hold_nobody_else_back() -> None:
    dice = random.Random(7)
    throttle = Throttle(200)
    for _ in range(200):
        throttle.replied()
    for _ in range(5000):
        begun = _begin(throttle)
        throttle.end()
        if dice.random() < 0.05:
            throttle.slow_down(60, begun)
        else:
            throttle.replied()
    assert throttle.limit > 180
    assert throttle.hold_s() == 0


def test_refusals_that_become_many_are_a_limit_for_all() -> None:
    throttle = Throttle(200)
    for _ in range(200):
        throttle.replied()
    for _ in range(30):
        throttle.slow_down(60, _begin(throttle))
        throttle.end()
    assert throttle.limit < 20
    assert throttle.hold_s() > 50


def test_whoever_waits_to_ask_again_sends_only_when_there_is_room() -> None:
    throttle = Throttle(2)
    first = _begin(throttle)
    assert throttle.begin() is not None
    throttle.slow_down(0, first)
    throttle.end()
    assert throttle.begin() is None
    throttle.end()
    assert throttle.begin() is not None


def test_the_throttle_never_stands_still() -> None:
    throttle = Throttle(1)
    throttle.slow_down(0, 0)
    assert throttle.limit == 1
    assert throttle.begin() is not None


ORDER = SynthesisOrder(endpoint="https://host/v1", model="m")


def _ended(kind: FailureKind) -> Asked:
    return Asked(None, None, CallFailed(kind, "why"), 1, 0.0)


WELL = Asked(_body(), read_body(_body()), None, 1, 0.0)


def test_eight_in_a_row_without_a_reply_stop_a_batch() -> None:
    rule = StopRule(ORDER)
    for _ in range(3):
        for _ in range(IN_A_ROW - 1):
            rule.heard_end(_ended("server_error"))
        assert rule.reason is None
        rule.heard_end(WELL)
        assert rule.is_well
    for _ in range(IN_A_ROW):
        rule.heard_end(_ended("timeout"))
    assert rule.reason is not None
    assert rule.reason[0] == "synthesis.stopped_timeout"


def test_an_endpoint_never_reached_stops_a_batch_before_the_retries_are_through() -> None:
    rule = StopRule(ORDER)
    for _ in range(FIRST_TRIES):
        rule.heard_failure("unreachable")
    assert rule.reason is not None
    assert rule.reason[0] == "synthesis.stopped_unreachable"


def test_an_endpoint_once_reached_may_be_away_for_a_moment() -> None:
    rule = StopRule(ORDER)
    rule.heard_end(WELL)
    for _ in range(10 * FIRST_TRIES):
        rule.heard_failure("unreachable")
    assert rule.reason is None


def test_both_names_of_the_thinking_field_are_read() -> None:
    for name in ("reasoning_content", "reasoning"):
        reply = read_body(_body(**{name: "想"}))
        assert reply is not None
        assert reply.reasoning == "想"


def test_blank_lines_before_the_body_and_parts_instead_of_text_are_read() -> None:
    body = (
        b"\n\n\n"
        + json.dumps(
            {"choices": [{"message": {"content": [{"type": "text", "text": ANSWER}]}}]}
        ).encode()
    )
    reply = read_body(body)
    assert reply is not None
    assert reply.content == ANSWER


def test_tokens_are_counted_where_the_endpoint_counts_them() -> None:
    body = json.loads(_body())
    body["usage"] = {
        "prompt_tokens": 10,
        "completion_tokens": 7,
        "completion_tokens_details": {"reasoning_tokens": 5, "note": "x"},
        "vendor": "x\u0000",
    }
    reply = read_body(json.dumps(body).encode())
    assert reply is not None
    assert (reply.input_tokens, reply.output_tokens, reply.reasoning_tokens) == (10, 7, 5)
    assert reply.usage == {
        "prompt_tokens": 10,
        "completion_tokens": 7,
        "completion_tokens_details": {"reasoning_tokens": 5},
    }


@pytest.mark.parametrize(
    ("finish", "content", "failure"),
    [
        ("stop", ANSWER, None),
        ("length", ANSWER, None),
        ("length", ANSWER[:-4], "replies.cut_off"),
        ("length", "我想想", "replies.cut_off"),
        ("content_filter", "", "replies.refused"),
        ("stop", "   ", "replies.empty"),
    ],
)
def test_why_there_is_no_plan(finish: str, content: str, failure: str | None) -> None:
    body = json.loads(_body(content))
    body["choices"][0]["finish_reason"] = finish
    reading = read_suggestion(read_body(json.dumps(body).encode()), "en@1", LIST)
    assert reading.failure == failure
    assert (reading.plan is None) == (failure is not None)


def test_deeply_nested_bodies_are_unreadable_and_no_crash() -> None:
    assert read_body(b"[" * 200_000) is None
    assert read_body(b'{"choices": ' + b"[" * 200_000) is None


@pytest.mark.parametrize("kind", [*get_args(FailureKind), "unreadable_body"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_failure_and_every_stop_has_a_sentence(kind: str, language: Language) -> None:
    failure = None if kind == "unreadable_body" else CallFailed(cast(FailureKind, kind), "why")
    rule = StopRule(ORDER)
    for _ in range(IN_A_ROW):
        rule.heard_end(Asked(None, None, failure, 1, 0.0))
    assert rule.reason is not None
    assert "https://host/v1" in sentence(*rule.reason, language)
    if kind not in FATAL:
        assert sentence(f"synthesis.{kind}", {}, language)
