"""A reviewer's process that is killed at the moment before its verdict would be committed.

Usage: `python -m tests.fakes.verdict_process DATABASE_URL PERSON_ID ANNOTATION_ID REVISION_ID`
"""

import os
import signal
import sys

import sqlalchemy as sa
from sqlalchemy import event

from db.engine import Database
from labeling import review
from tests.fakes.desk_process import find_person


def be_gone(_connection: sa.Connection) -> None:
    """Nobody hears of it."""
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    url, person_id, annotation_id, revision_id = sys.argv[1:]
    database = Database(url)
    who = find_person(database, person_id)
    event.listen(database.writer, "commit", be_gone)
    review.accept(database, who, annotation_id, revision_id)
