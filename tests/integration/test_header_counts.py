"""The header's counts may lag, but nobody waits for somebody else's counting."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from db.engine import Database
from labeling import annotate, progress
from schemas.people import Actor
from tests.factories import a_label_query
from tests.fakes.clock import Clock

LONG_S = 20


def test_counts_are_taken_again_after_a_moment(
    database: Database, admin: Actor, li: Actor, time: Clock
) -> None:
    a_label_query(database, admin)
    assert annotate.progress(database, li).open_labels == 1
    a_label_query(database, admin)
    assert annotate.progress(database, li).open_labels == 1
    time.move(seconds=4)
    assert annotate.progress(database, li).open_labels == 2


def test_while_one_request_counts_the_others_get_the_old_counts_at_once(
    database: Database, admin: Actor, li: Actor, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_label_query(database, admin)
    assert annotate.progress(database, li).open_labels == 1
    a_label_query(database, admin)
    time.move(seconds=4)
    has_begun, may_end = threading.Event(), threading.Event()
    count = progress._count

    def slow(*arguments):  # the real count, held up as by a large table
        has_begun.set()
        assert may_end.wait(LONG_S)
        return count(*arguments)

    monkeypatch.setattr(progress, "_count", slow)
    with ThreadPoolExecutor(1) as pool:
        counting = pool.submit(annotate.progress, database, li)
        assert has_begun.wait(LONG_S)
        assert annotate.progress(database, li).open_labels == 1
        may_end.set()
        assert counting.result().open_labels == 2
    assert annotate.progress(database, li).open_labels == 2
