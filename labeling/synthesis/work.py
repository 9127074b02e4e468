"""A batch at work: questions side by side in one event loop, each reply stored before the next.

A bounded number of questions is under way, and one writer stores. A slot is free again only when
its reply is committed, so a process that is killed pays for no more than its open slots twice.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Literal, NamedTuple

from db.access import batches
from db.access.batches import Batch
from db.access.requests import Held, release_requests
from db.engine import Database
from labeling.model_endpoints import read_lanes, read_repairer
from labeling.synthesis.asking import Asked, Patience, Wanted, ask_patiently
from labeling.synthesis.client import ChatClient, Target
from labeling.synthesis.lanes import Lane, Pool
from labeling.synthesis.ledger import Ledger, Question
from labeling.synthesis.purse import Purse
from labeling.synthesis.stopping import StopRule
from schemas.errors import ModelServiceError, NotFound
from schemas.model_endpoints import EndpointSettings
from schemas.synthesis import Reason

Outcome = Literal["more", "ended"]

_WATCH_S = 0.5
_RENEW_EVERY = 60
_GRACE_S = 3.0
_OTHERS_S = 1.0
_WRITE_AT_ONCE = 64
_log = logging.getLogger(__name__)


def ask_some(
    database: Database, batch_id: str, owner: str, *, round_: int, is_closing: Callable[[], bool]
) -> Outcome:
    """Ask what a batch wants; `ended` when there is nothing more to do in it.

    `owner` must be this process's alone, or that of a dead predecessor: what it holds is let go of
    first. A defect stops the batch, so that nobody waits for it, and is raised.
    """
    with database.transaction() as session:
        batch = batches.get_batch_to_work_on(session, batch_id)
        release_requests(session, batch_id, owner)
    if batch.state != "running" or batch.round != round_:
        return "ended"
    try:
        with database.reading() as session:
            whom = _Whom(
                read_lanes(session, batch.project_id, batch.order),
                read_repairer(session, batch.project_id, batch.order),
            )
    except NotFound as error:
        Ledger(database, batch, owner).settle((error.code, {"name": str(error.values["name"])}))
        return "ended"
    try:
        return asyncio.run(_Work(database, batch, owner, is_closing, whom).run())
    except Exception:
        _log.exception("batch %s stopped on a defect", batch_id)
        reason = ("synthesis.stopped_defect", {"batch": batch_id})
        Ledger(database, batch, owner).settle(reason)
        raise


class _Whom(NamedTuple):
    """Who is asked: those who share the answers, and who repairs, where that is another."""

    lanes: Sequence[EndpointSettings]
    repairer: EndpointSettings | None


class _Result(NamedTuple):
    held: Held
    asked: Asked
    written: "asyncio.Future[None]"


class _Work:
    def __init__(
        self,
        database: Database,
        batch: Batch,
        owner: str,
        is_closing: Callable[[], bool],
        whom: _Whom,
    ) -> None:
        order = batch.order
        self._order = order
        self._whom = whom
        mends = (whom.repairer or whom.lanes[0]) if order.repair else None
        self._ledger = Ledger(database, batch, owner, repairer=mends)
        self._is_closing = is_closing
        self._purse = Purse(
            batch.budget,
            money=batch.spent_money,
            tokens=batch.spent_tokens,
            currency=batch.currency,
        )
        self._pool = Pool([], order.concurrency, self._purse)
        self._repairs = self._pool
        self._rule = StopRule(order, len(whom.lanes))
        self._stopping = asyncio.Event()
        self._ready: deque[Question] = deque()
        self._asking: set[asyncio.Task[None]] = set()
        self._results: asyncio.Queue[_Result | None] = asyncio.Queue()
        self._doubtful: list[tuple[Held, Asked]] = []
        self._defect: Exception | None = None

    async def run(self) -> Outcome:
        async with AsyncExitStack() as clients:
            try:
                await self._open(clients)
            except ModelServiceError as error:
                reason = (error.code, {"name": str(error.values.get("name", ""))})
                await asyncio.to_thread(self._ledger.settle, reason)
                return "ended"
            writer = asyncio.create_task(self._write())
            watch = asyncio.create_task(self._watch())
            await self._ask_all()
            watch.cancel()
            self._results.put_nowait(None)
            await writer
        if self._defect is not None:
            raise self._defect
        return await asyncio.to_thread(self._settle)

    async def _open(self, clients: AsyncExitStack) -> None:
        """Open a client to each endpoint; whoever repairs has a pool of its own."""
        most = self._order.concurrency
        self._pool = Pool(
            [await self._lane(each, clients) for each in self._whom.lanes], most, self._purse
        )
        self._repairs = self._pool
        if self._whom.repairer is not None:
            lane = await self._lane(self._whom.repairer, clients)
            self._repairs = Pool([lane], most, self._purse)

    async def _lane(self, settings: EndpointSettings, clients: AsyncExitStack) -> Lane:
        most = self._order.concurrency
        target = Target(
            settings.url, settings.model, settings.key_env, self._order.timeout_s, settings.stream
        )
        client = await clients.enter_async_context(ChatClient(target, most))
        return Lane(settings, client, most)

    async def _ask_all(self) -> None:
        """Ask until nothing is left, or it is time to stop."""
        while question := await self._next_question():
            await self._pool.acquire()
            task = asyncio.create_task(self._ask(question))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
        while self._asking:
            await asyncio.wait(self._asking)

    async def _next_question(self) -> Question | None:
        while not self._ready and not self._stopping.is_set():
            self._ready.extend(await asyncio.to_thread(self._ledger.take, self._pool.limit))
            if self._ready:
                break
            if self._asking:
                await asyncio.wait(self._asking, return_when=asyncio.FIRST_COMPLETED)
            elif not self._doubtful and await asyncio.to_thread(self._ledger.is_more_open):
                # In the hands of another process: wait for its replies, or for its leases to end.
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), _OTHERS_S)
            else:
                return None
        return None if self._stopping.is_set() else self._ready.popleft()

    async def _ask(self, question: Question) -> None:
        order, held = self._order, question.held
        is_repair = held.kind == "repair"
        wanted = Wanted(
            question.messages,
            {} if is_repair else order.parameters,
            held.reply_key,
            None if is_repair else order.raised(),
            partial(self._ledger.is_cut_off, held),
        )
        try:
            asked = await ask_patiently(
                self._repairs if is_repair else self._pool,
                wanted,
                patience=Patience(
                    order.attempts, order.backoff_s, self._stopping, self._heard_spent
                ),
                on_failure=self._heard_failure,
            )
            if not asked.is_given_up:
                written = asyncio.get_running_loop().create_future()
                self._results.put_nowait(_Result(held, asked, written))
                await written
        except Exception as error:  # noqa: BLE001 - raised by `run`, when all are back
            self._stop_on(error)
        finally:
            await self._pool.release()

    def _heard_spent(self, reason: Reason) -> None:
        self._rule.stop(reason)
        self._stopping.set()

    def _heard_failure(self, kind: str, lane: Lane) -> None:
        self._rule.heard_failure(kind, lane.settings.name)
        if self._rule.reason is not None:
            self._stopping.set()

    async def _write(self) -> None:
        """Store what has come, as many as there are in one transaction."""
        is_open = True
        while is_open:
            some = [await self._results.get()]
            while len(some) < _WRITE_AT_ONCE and not self._results.empty():
                some.append(self._results.get_nowait())
            is_open = None not in some
            results = [each for each in some if each is not None]
            try:
                await asyncio.to_thread(self._ledger.store, self._certain(results))
            except Exception as error:  # noqa: BLE001 - raised by `run`, when all are back
                self._stop_on(error)
            for result in results:
                if not result.written.done():
                    result.written.set_result(None)

    def _certain(self, results: Sequence[_Result]) -> list[tuple[Held, Asked]]:
        """What can be stored now; a request without a reply waits until the endpoint is well."""
        certain: list[tuple[Held, Asked]] = []
        for held, asked, _ in results:
            if asked.failure is not None and asked.body is None:
                self._doubtful.append((held, asked))
            else:
                certain.append((held, asked))
            self._rule.heard_end(asked)
            if self._rule.is_well:
                certain += self._doubtful
                self._doubtful.clear()
        if self._rule.reason is not None:
            self._stopping.set()
        return certain

    async def _watch(self) -> None:
        """Keep the leases; notice that the batch was cancelled, or that the process must leave."""
        ticks = 0
        while not self._is_closing():
            await asyncio.sleep(_WATCH_S)
            ticks += 1
            if ticks % _RENEW_EVERY == 0:
                await asyncio.to_thread(self._ledger.renew)
            batch = await asyncio.to_thread(self._ledger.look)
            if batch is None:
                self._stopping.set()
                self._wake()
            else:
                self._purse.hear(batch.budget, batch.spent_money, batch.spent_tokens)
        self._stopping.set()
        self._wake()
        await asyncio.sleep(_GRACE_S)
        for task in self._asking:
            task.cancel()

    def _wake(self) -> None:
        """Whoever waits for room is to see that there is a stop."""
        self._pool.wake()
        self._repairs.wake()

    def _stop_on(self, error: Exception) -> None:
        self._defect = self._defect or error
        self._stopping.set()

    def _settle(self) -> Outcome:
        """Settle what is in doubt, let go of the rest, and say how the batch stands."""
        is_stopping = self._stopping.is_set()
        if not is_stopping:
            self._rule.heard_last()
        if self._rule.reason is None and not self._is_closing():
            self._ledger.store(self._doubtful)
        self._ledger.settle(self._rule.reason)
        is_over = is_stopping or self._rule.reason is not None or not self._ledger.is_more_open()
        return "ended" if is_over else "more"
