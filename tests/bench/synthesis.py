"""Synthesis: requests side by side, beside a plain loop over `AsyncOpenAI` with a semaphore.

An endpoint in a process of its own takes between half and one and a half times a mean for each
request, always the same for the same query. So it is known how long all of them take at best, when
every free slot is filled at once; the share of it that is reached is the figure, ours and that of
the plain loop, which renders nothing, reads nothing and stores nothing. Both run on one core.

Usage: `python -m tests.bench.synthesis [seconds a run takes at best]`
"""

import asyncio
import heapq
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import openai
from httpx2 import Limits

from db.access.requests import Held
from db.engine import Database, sqlite_url
from db.upgrade import upgrade
from labeling.synthesis.batch import prepare_batch
from labeling.synthesis.questions import Questions
from labeling.synthesis.work import ask_some
from schemas.people import Actor
from schemas.synthesis import SynthesisOrder
from tests.bench.figures import Figure, report
from tests.factories import a_project
from tests.fakes.endpoint_process import RunningEndpoint, running_endpoint
from tests.fakes.latency import latency_of
from tests.many_rows import add_waiting

IN_FLIGHT = {200: 2.0, 1000: 10.0}
"""Requests under way, and how long the endpoint takes for one, in seconds."""
SPREAD = 0.5
PROMISED = {200: "≥ 0.95", 1000: "≥ 0.85"}


class Load(NamedTuple):
    """So many requests, so many at once, each of so many seconds."""

    requests: int
    at_once: int
    latency_s: float

    def ideal_s(self, queries: Sequence[str]) -> float:
        """Seconds until the last answer, when every slot takes the next query as it gets free."""
        free_at = [0.0] * self.at_once
        for query in queries:
            took = latency_of(query, self.latency_s, SPREAD)
            heapq.heappush(free_at, heapq.heappop(free_at) + took)
        return max(free_at)


def main(seconds: float) -> None:
    """Measure both loads."""
    figures: list[Figure] = []
    with running_endpoint() as endpoint:
        for at_once, latency_s in IN_FLIGHT.items():
            waves = max(2, round(seconds / latency_s))
            load = Load(at_once * waves, at_once, latency_s)
            endpoint.configure(latency_s=latency_s, latency_spread=SPREAD, forget=True)
            figures += measure(endpoint, load)
    report(__name__, figures)


def measure(endpoint: RunningEndpoint, load: Load) -> list[Figure]:
    """Ours, then the plain loop."""
    with tempfile.TemporaryDirectory() as folder, one_core():
        database = Database(sqlite_url(Path(folder) / "planwright.db"))
        upgrade(database)
        who = a_project(database)
        queries = add_queries(database, who, load.requests)
        questions = Questions(database, who.project_id, with_thinking=True)
        order = SynthesisOrder.read(
            {"endpoint": endpoint.url, "model": "fake", "concurrency": load.at_once}
        )
        wall, processor = timed(lambda: ask_ours(database, who, order))
        assert len(endpoint.counts()["answered"]) == load.requests
        messages = [questions.render(each) for each in queries]
        plain, bare = timed(lambda: asyncio.run(ask_plainly(endpoint.url, messages, load.at_once)))
        database.close()
    what = f"{load.requests:,} requests of {load.latency_s:g} s, {load.at_once:,} at once"
    of = "AsyncOpenAI and a semaphore, nothing stored"
    per = 1000 / load.requests
    ideal = load.ideal_s([each.text for each in queries])
    return [
        Figure(
            f"{what}: share of the ideal",
            ideal / wall,
            "",
            PROMISED[load.at_once],
            ideal / plain,
            of,
        ),
        Figure("processor time of one request", processor * per, "ms", "", bare * per, of),
    ]


def ask_ours(database: Database, who: Actor, order: SynthesisOrder) -> None:
    """The batch, from its first request to its last."""
    batch_id, round_ = prepare_batch(database, who, order)
    while ask_some(database, batch_id, "bench", round_=round_, is_closing=lambda: False) == "more":
        pass


async def ask_plainly(url: str, messages: list[list[dict[str, str]]], at_once: int) -> None:
    """What anybody would write."""
    slots = asyncio.Semaphore(at_once)
    limits = Limits(max_connections=at_once)
    async with openai.AsyncOpenAI(
        api_key="none",
        base_url=url,
        max_retries=2,
        http_client=openai.DefaultAioHttpClient(limits=limits),
    ) as client:

        async def ask(each: list[dict[str, str]]) -> str | None:
            async with slots:
                given: Any = each
                reply = await client.chat.completions.create(model="fake", messages=given)
                return reply.choices[0].message.content

        await asyncio.gather(*map(ask, messages))


def add_queries(database: Database, who: Actor, count: int) -> list[Held]:
    """Queries that wait for an answer, straight into the table."""
    texts = list(map(_text, range(count)))
    pinned = add_waiting(database, who, texts)
    return [Held(0, "", 1, 1, pins, text, []) for pins, text in zip(pinned, texts, strict=True)]


def _text(number: int) -> str:
    return f"第{number}家店上周的流量为什么掉了，怎么配置关键词，再给老客发券？"


def timed(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds by the clock and by the processor."""
    began, used = time.perf_counter(), _processor_s()
    work()
    return time.perf_counter() - began, _processor_s() - used


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@contextmanager
def one_core() -> Generator[None]:
    """Keep this process to one core, where the system lets it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


if __name__ == "__main__":
    main(float((sys.argv[1:] or ["20"])[0]))
