"""Who is asked next, how often in a minute, and for how much money."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from pydantic import JsonValue

from labeling.synthesis.asking import Asked, Patience, Wanted, ask_patiently
from labeling.synthesis.client import CallFailed, Came, FailureKind
from labeling.synthesis.lanes import IN_VAIN, Lane, Pool, Turn
from labeling.synthesis.pace import MINUTE_S, Pace
from labeling.synthesis.purse import Purse
from labeling.synthesis.replies import ChatReply
from schemas.model_endpoints import EndpointSettings
from schemas.synthesis import Budget
from tests.unit.test_streams import a_body


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _sends_in(pace: Pace, clock: _Clock, seconds: float, tokens: int = 0) -> list[float]:
    """When requests are sent by somebody who sends whenever that is allowed."""
    end, times = clock.now + seconds, list[float]()
    while clock.now < end:
        if (hold_s := pace.hold_s()) > 0:
            clock.now += hold_s
            continue
        times.append(clock.now)
        pace.replied(pace.begin(), tokens)
        clock.now += 0.5
    return times


def test_no_minute_has_more_requests_than_it_may() -> None:
    clock = _Clock()
    times = _sends_in(Pace(10, None, clock), clock, 200)
    assert len(times) >= 30
    for at in times:
        assert sum(at - MINUTE_S < each <= at for each in times) <= 10


def test_no_minute_has_more_tokens_than_it_may() -> None:
    clock = _Clock()
    times = _sends_in(Pace(None, 1000, clock), clock, 200, tokens=200)
    assert len(times) >= 15
    for at in times:
        assert sum(at - MINUTE_S < each <= at for each in times) <= 5


def test_a_reply_larger_than_the_limit_of_a_minute_stops_nobody_for_ever() -> None:
    clock = _Clock()
    assert len(_sends_in(Pace(None, 100, clock), clock, 200, tokens=500)) >= 3


def test_what_an_endpoint_says_is_left_is_not_passed_before_it_is_renewed() -> None:
    clock = _Clock()
    pace = Pace(None, None, clock)
    pace.heard({"x-ratelimit-remaining-requests": "2", "x-ratelimit-reset-requests": "30s"})
    for _ in range(2):
        assert pace.hold_s() == 0
        pace.begin()
    assert pace.hold_s() == 30
    clock.now += 30
    assert pace.hold_s() == 0


def test_tokens_that_are_left_are_not_passed_either() -> None:
    clock = _Clock()
    pace = Pace(None, None, clock)
    pace.replied(pace.begin(), 500)
    pace.heard({"x-ratelimit-remaining-tokens": "400", "x-ratelimit-reset-tokens": "1m2s"})
    assert pace.hold_s() == 62


class _Client:
    """An endpoint that answers as it is told; the last answer is given for ever."""

    def __init__(self, *script: bytes | CallFailed) -> None:
        self._script = list(script) or [a_body()]
        self.parameters: list[Mapping[str, JsonValue]] = []

    async def ask(
        self,
        messages: Sequence[Mapping[str, str]],
        parameters: Mapping[str, JsonValue],
        *,
        reply_key: str | None = None,
    ) -> Came:
        del messages, reply_key
        self.parameters.append(parameters)
        step = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(step, CallFailed):
            raise step
        return Came(step, {})


def _lane(name: str, client: _Client, **changes: object) -> Lane:
    values = {"name": name, "url": f"https://{name}/v1", "model": "m", **changes}
    return Lane(EndpointSettings.read(values), client, 64)


def _ignore(kind: str, lane: Lane) -> None:
    del kind, lane


def _ask(pool: Pool, *, wanted: Wanted | None = None, attempts: int = 3) -> Asked:
    return asyncio.run(
        ask_patiently(
            pool,
            wanted or Wanted([], {}, "k"),
            patience=Patience(attempts, 0.01, asyncio.Event()),
            on_failure=_ignore,
        )
    )


def test_each_endpoint_has_its_share_by_weight() -> None:
    lanes = [_lane("a", _Client(), weight=3), _lane("b", _Client(), weight=1)]
    pool = Pool(lanes, 64, Purse(None))
    turns = [pool.begin({}, set()) for _ in range(40)]
    share = Counter(turn.lane.settings.name for turn in turns if isinstance(turn, Turn))
    assert share == {"a": 30, "b": 10}


@pytest.mark.parametrize("kind", ["unreachable", "server_error", "key_refused", "timeout"])
def test_an_endpoint_that_is_down_gives_its_share_to_the_others(kind: FailureKind) -> None:
    down, well = _Client(CallFailed(kind, "no")), _Client()
    pool = Pool([_lane("down", down), _lane("well", well)], 64, Purse(None))
    for _ in range(100):
        asked = _ask(pool)
        assert asked.reply is not None
        assert asked.by is not None
        assert asked.by.name == "well"
    assert len(down.parameters) <= IN_VAIN
    assert len(well.parameters) == 100


def test_the_last_endpoint_is_asked_even_where_it_is_down() -> None:
    client = _Client(CallFailed("server_error", "no"))
    pool = Pool([_lane("a", client), _lane("b", client)], 64, Purse(None))
    for _ in range(20):
        assert _ask(pool).failure is not None
    assert len(client.parameters) >= 20


CUT = a_body("我想想", finish="length")


def _is_cut_off(reply: ChatReply) -> bool:
    return reply.finish_reason == "length"


def test_a_cut_off_raises_the_limit_once_and_keeps_both_replies() -> None:
    client = _Client(CUT, a_body())
    wanted = Wanted([], {"max_tokens": 5}, "k", {"max_tokens": 10}, _is_cut_off)
    asked = _ask(Pool([_lane("a", client)], 4, Purse(None)), wanted=wanted)
    assert [each["max_tokens"] for each in client.parameters] == [5, 10]
    assert asked.first is not None
    assert (asked.first.body, asked.body) == (CUT, a_body())
    assert asked.paid.output_tokens == 2 * 7


def test_a_second_cut_off_is_the_last_and_a_failure_after_it_loses_nothing() -> None:
    wanted = Wanted([], {"max_tokens": 5}, "k", {"max_tokens": 10}, _is_cut_off)
    twice = _Client(CUT)
    assert _ask(Pool([_lane("a", twice)], 4, Purse(None)), wanted=wanted).body == CUT
    assert len(twice.parameters) == 2
    refused = _Client(CUT, CallFailed("refused_request", "max_tokens is too large"))
    asked = _ask(Pool([_lane("a", refused)], 4, Purse(None)), wanted=wanted)
    assert (asked.body, asked.failure, asked.first) == (CUT, None, None)


def test_without_a_limit_there_is_none_to_raise() -> None:
    client = _Client(CUT)
    wanted = Wanted([], {}, "k", None, _is_cut_off)
    assert _ask(Pool([_lane("a", client)], 4, Purse(None)), wanted=wanted).body == CUT
    assert len(client.parameters) == 1


def test_a_purse_sends_while_there_is_room_for_one_more_answer() -> None:
    purse = Purse(Budget(money=10))
    assert purse.may() == "send"
    purse.pay(4.0, 100)
    assert purse.may() == "send"
    purse.under_way = 1
    assert purse.may() == "wait"
    purse.pay(4.0, 100)
    purse.under_way = 0
    assert purse.may() == "stop"
    assert purse.stop_reason()[0] == "synthesis.stopped_budget_money"
    purse.hear(Budget(money=12), 8.0, 200)
    assert purse.may() == "send"


def test_a_purse_hears_what_others_have_spent() -> None:
    purse = Purse(Budget(tokens=1000))
    purse.hear(Budget(tokens=1000), 0.0, 1000)
    assert purse.may() == "stop"
    assert purse.stop_reason() == (
        "synthesis.stopped_budget_tokens",
        {"spent": "1,000", "budget": "1,000"},
    )
