"""Claim and submit over HTTP: 16 annotators at 100,000 queries on one server process and SQLite.

The load runs in a process of its own and speaks to the same events as the label page: open the next
query, then submit, which brings the next one. The floor is the same number of requests to the
server's health page, through the same gate.

Usage: `python -m tests.bench.label_over_http [seconds] [queries]`
"""

import http.client
import json
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from db.upgrade import upgrade
from labeling.accounts import add_person, sign_in
from tests.bench.claim_submit import PEOPLE, PLAN, fill
from tests.bench.figures import Figure, report
from tests.factories import a_project
from tests.postgresql import free_port
from tests.serving import COOKIE, ServedApp

PASSWORD = "correct horse battery staple"


class Annotator:
    """One browser, without the browser."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"cookie": f"{COOKIE}={token}", "content-type": "application/json"}
        self._serial = 0
        self._numbers: dict[str, int] = {}

    def get(self, path: str) -> bytes:
        """One page."""
        self._connection.request("GET", path, headers=self._headers)
        return self._connection.getresponse().read()

    def learn(self) -> None:
        """Read from the label page which number each of its events has."""
        page = self.get("/en/label").decode()
        found = re.search(
            r"window\.gradio_config\s*=\s*(\{.*?\});\s*(?:</script>|window\.)", page, re.S
        )
        assert found, page[:500]
        config = json.loads(found.group(1))
        desk = next(
            each["id"]
            for each in config["components"]
            if each["props"].get("elem_id") == "label-desk"
        )
        for dependency in config["dependencies"]:
            for target, event in dependency["targets"]:
                if target == desk:
                    self._numbers[event] = dependency["id"]

    def ask(self, event: str, **message: object) -> dict[str, Any]:
        """One event, as the page's script asks it; the component's answer."""
        self._serial += 1
        body = {
            "data": [],
            "event_data": {
                "serial": self._serial,
                "text": json.dumps({**message, "serial": self._serial}),
            },
            "fn_index": self._numbers[f"ask_{event}"],
            "session_hash": "bench",
        }
        self._connection.request(
            "POST", "/en/gradio_api/run/predict", json.dumps(body), self._headers
        )
        answer = json.loads(self._connection.getresponse().read())
        return json.loads(answer["data"][0])


class Race:
    """What all annotators did until the time was up."""

    def __init__(self) -> None:
        self.waits_ms: list[float] = []
        self.taken: list[str] = []
        self.failures: list[Exception] = []

    def run(self, annotators: list[Annotator], work: Callable[[Annotator], None]) -> float:
        """Everybody at once; the seconds that it took."""

        def guarded(annotator: Annotator) -> None:
            try:
                work(annotator)
            except Exception as error:  # noqa: BLE001  (raised again in the main thread)
                self.failures.append(error)

        threads = [threading.Thread(target=guarded, args=(each,)) for each in annotators]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.failures:
            raise self.failures[0]
        return time.perf_counter() - began


def label_until(race: Race, deadline: float) -> Callable[[Annotator], None]:
    """Open, then submit and get the next, until the time is up."""

    def work(annotator: Annotator) -> None:
        item = annotator.ask("open")["item"]
        while time.perf_counter() < deadline:
            began = time.perf_counter()
            answer = annotator.ask(
                "submit",
                annotation_id=item["annotation_id"],
                query_id=item["query_id"],
                number=item["draft_number"],
                content=PLAN,
                seconds=1.0,
            )
            race.waits_ms.append((time.perf_counter() - began) * 1000)
            race.taken.append(item["query_id"])
            assert answer.get("item"), answer
            item = answer["item"]

    return work


def claims(annotators: list[Annotator], seconds: float, per_second: float) -> list[float]:
    """How long an `open` takes at a steady rate of all annotators together, in ms, sorted."""
    race = Race()
    pause = len(annotators) / per_second
    ends = time.perf_counter() + seconds

    def work(annotator: Annotator) -> None:
        time.sleep(pause * annotators.index(annotator) / len(annotators))
        while (began := time.perf_counter()) < ends:
            annotator.ask("open")
            waited = time.perf_counter() - began
            race.waits_ms.append(waited * 1000)
            time.sleep(max(0.0, pause - waited))

    race.run(annotators, work)
    return sorted(race.waits_ms)


def health_calls_per_s(annotators: list[Annotator], count: int) -> float:
    """The floor: requests that do nothing, through the same gate."""

    def work(annotator: Annotator) -> None:
        for _ in range(count):
            annotator.get("/health")

    return count * len(annotators) / Race().run(annotators, work)


def processor_s(app: ServedApp) -> float:
    """Processor time that the server has used; on a busy machine it says more than the clock."""
    assert app.process is not None
    fields = Path(f"/proc/{app.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(seconds: float, queries: int) -> None:
    """Fill a home, serve it, race."""
    with tempfile.TemporaryDirectory() as folder:
        app = ServedApp(home=Path(folder), port=free_port(), environment={"PLANWRIGHT_DEMO": "0"})
        database = app.database()
        upgrade(database)
        admin = a_project(database)
        fill(database, admin, queries)
        tokens = []
        for number in range(PEOPLE):
            add_person(database, admin, f"annotator {number}", PASSWORD, "annotator")
            tokens.append(sign_in(database, f"annotator {number}", PASSWORD, "127.0.0.1"))
        database.close()
        app.start()
        try:
            _race(app, tokens, seconds)
        finally:
            app.stop()


def _race(app: ServedApp, tokens: list[str], seconds: float) -> None:
    annotators = [Annotator(app.port, token) for token in tokens]
    for annotator in annotators:
        annotator.learn()
    at_first = processor_s(app)
    floor = health_calls_per_s(annotators, 100)
    least_ms = (processor_s(app) - at_first) * 1000 / (100 * len(annotators))
    race, before = Race(), processor_s(app)
    took = race.run(annotators, label_until(race, time.perf_counter() + seconds))
    cost_ms = (processor_s(app) - before) * 1000 / len(race.taken)
    rate = len(race.taken) / took
    waits = sorted(race.waits_ms)
    opened = claims(annotators, 5, 100)
    report(
        __name__,
        [
            Figure(
                "submit and claim the next, over HTTP, 16 annotators",
                rate,
                "loops/s",
                "≥ 100 loops/s",
                floor,
                "requests that do nothing, through the same gate",
            ),
            Figure(
                "processor time of the server",
                cost_ms,
                "ms a loop",
                "≤ 10, which is 100 loops/s",
                least_ms,
                "a request that does nothing",
            ),
            Figure("submit and next, p50", waits[len(waits) // 2], "ms", "no promise"),
            Figure("submit and next, p95", waits[int(len(waits) * 0.95)], "ms", "no promise"),
            Figure("claim at 100 a second, p95", opened[int(len(opened) * 0.95)], "ms", "≤ 50 ms"),
            Figure(
                "items handed to two people",
                len(race.taken) - len(set(race.taken)),
                "items",
                "0",
            ),
        ],
    )


if __name__ == "__main__":
    main(float((sys.argv[1:] or ["20"])[0]), int((sys.argv[2:] or ["100000"])[0]))
