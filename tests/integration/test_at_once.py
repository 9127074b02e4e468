"""Many people at once: threads, processes, a process killed while somebody types."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from db.engine import Database
from labeling import annotate, queue, review
from schemas.errors import EditConflict, PlanwrightError
from schemas.people import Actor
from tests.factories import A_PLAN, a_label_query, a_person, a_project

WORKER = Path(__file__).parents[1] / "fakes" / "desk_process.py"
PEOPLE, TASKS = 16, 400


@pytest.fixture
def admin(database: Database) -> Actor:
    """Without the standing clock: these tests live in real time."""
    return a_project(database)


def _at_once(*works: Callable[[], object]) -> list[object]:
    """Run all at the same moment; what each gave back, or the expected failure it met."""
    barrier = threading.Barrier(len(works))
    results: list[object] = [None] * len(works)

    def run(place: int, work: Callable[[], object]) -> None:
        barrier.wait()
        try:
            results[place] = work()
        except PlanwrightError as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=(place, work)) for place, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def _label_all(database: Database, who: Actor) -> list[str]:
    done: list[str] = []
    while item := annotate.open_next(database, who):
        annotate.submit(database, who, item.annotation_id, number=0, content=A_PLAN, seconds=1)
        done.append(item.query_id)
    return done


def _process(database: Database, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.fakes.desk_process",
            database.url.render_as_string(hide_password=False),
            *arguments,
        ],
        cwd=WORKER.parents[2],
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )


@pytest.mark.timeout(600)
def test_sixteen_people_empty_a_queue_and_no_query_is_given_twice(
    database: Database, admin: Actor
) -> None:
    queries = {a_label_query(database, admin) for _ in range(TASKS)}
    people = [a_person(database, admin.project_id, "annotator") for _ in range(PEOPLE)]
    works = [lambda who=who: _label_all(database, who) for who in people]
    done = [query for got in _at_once(*works) for query in got]
    assert len(done) == TASKS
    assert set(done) == queries
    assert queue.stats(database, admin).queries["in_review"] == TASKS


def test_two_processes_empty_a_queue_and_no_query_is_given_twice(
    database: Database, admin: Actor
) -> None:
    queries = {a_label_query(database, admin) for _ in range(60)}
    people = [a_person(database, admin.project_id, "annotator") for _ in range(2)]
    workers = [_process(database, "label", who.person_id) for who in people]
    outputs = [worker.communicate(timeout=240)[0].split() for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    assert sorted(query for output in outputs for query in output) == sorted(queries)


def test_two_tabs_that_open_at_once_get_the_same_query(database: Database, admin: Actor) -> None:
    who = a_person(database, admin.project_id, "annotator")
    for _ in range(8):
        a_label_query(database, admin, slots=2)
    opened = _at_once(*[lambda: annotate.open_next(database, who)] * 8)
    assert len({item.annotation_id for item in opened}) == 1


def test_of_two_saves_at_once_one_wins_and_the_other_is_told(
    database: Database, admin: Actor
) -> None:
    who = a_person(database, admin.project_id, "annotator")
    a_label_query(database, admin)
    item = annotate.open_next(database, who)
    assert item

    def save(said: str) -> object:
        content = {**A_PLAN, "rewritten_query": said}
        return annotate.save_draft(database, who, item.annotation_id, number=0, content=content)

    results = _at_once(*(lambda said=str(tab): save(said) for tab in range(6)))
    assert sum(not isinstance(each, PlanwrightError) for each in results) == 1
    assert all(
        isinstance(each, EditConflict) for each in results if isinstance(each, PlanwrightError)
    )
    (annotation,) = queue.query_detail(database, admin, item.query_id).annotations
    kept = {each.plan["rewritten_query"] for each in annotation.revisions}
    assert annotation.draft
    assert kept | {annotation.draft["rewritten_query"]} == {str(tab) for tab in range(6)}


def test_a_submission_sent_by_eight_requests_at_once_is_one(
    database: Database, admin: Actor
) -> None:
    who = a_person(database, admin.project_id, "annotator")
    a_label_query(database, admin)
    item = annotate.open_next(database, who)
    assert item

    def submit() -> None:
        annotate.submit(database, who, item.annotation_id, number=0, content=A_PLAN, seconds=1)

    assert _at_once(*[submit] * 8) == [None] * 8
    detail = queue.query_detail(database, admin, item.query_id)
    assert [each.kind for each in detail.annotations[0].revisions] == ["submitted"]
    assert [entry.action for entry in detail.timeline] == ["opened", "submitted"]
    assert queue.stats(database, admin).open_reviews == 1


def test_a_reviewer_and_a_withdrawing_author_never_both_succeed(
    database: Database, admin: Actor
) -> None:
    author = a_person(database, admin.project_id, "annotator")
    reviewer = a_person(database, admin.project_id, "reviewer")
    for _ in range(12):
        query_id = a_label_query(database, admin)
        item = annotate.open_item(database, author, query_id)
        annotate.submit(database, author, item.annotation_id, number=0, content=A_PLAN, seconds=1)

        def decide() -> str | None:
            taken = review.take_next(database, reviewer)
            if taken is None:
                return None
            review.accept(database, reviewer, taken.annotation_id, taken.revision_id)
            return "accepted"

        withdrawn, verdict = _at_once(
            lambda item=item: annotate.withdraw(database, author, item.annotation_id), decide
        )
        state = queue.query_detail(database, admin, query_id).state
        if withdrawn is None:
            assert verdict is None
            assert state == "in_work"
            annotate.skip(database, author, item.annotation_id)
        else:
            assert (verdict, state) == ("accepted", "decided")


def test_a_killed_server_loses_nothing_older_than_the_last_answered_save(
    database: Database, admin: Actor
) -> None:
    who = a_person(database, admin.project_id, "annotator")
    a_label_query(database, admin)
    answered = 0
    with _process(database, "type", who.person_id) as worker:
        assert worker.stdout
        for line in worker.stdout:
            answered = int(line)
            if answered == 25:
                os.kill(worker.pid, signal.SIGKILL)
                break
        rest = [int(line) for line in worker.stdout if line.strip()]
    assert worker.returncode == -signal.SIGKILL
    answered = max([answered, *rest])
    item = annotate.open_next(database, who)
    assert item
    assert item.draft_number >= answered
    assert item.draft["rewritten_query"] == f"第 {item.draft_number} 稿"
