"""Another server process at the same queue: labels everything, or types until it is killed.

Usage: `python -m tests.fakes.desk_process DATABASE_URL label|type PERSON_ID`
"""

import sys
from itertools import count

from sqlmodel import select

from db.access.people import to_actor
from db.engine import Database
from db.tables import Membership, Person, Project
from labeling import annotate
from schemas.people import Actor
from tests.factories import A_PLAN


def find_person(database: Database, person_id: str) -> Actor:
    """This person in their only project."""
    with database.reading() as session:
        membership = session.exec(select(Membership).where(Membership.person_id == person_id)).one()
        project = session.get_one(Project, membership.project_id)
        person = session.get_one(Person, person_id)
        return to_actor(person, project, membership.role, "en")


def label_all(database: Database, who: Actor) -> None:
    """Print each query when its plan is handed in."""
    while item := annotate.open_next(database, who):
        annotate.submit(database, who, item.annotation_id, number=0, content=A_PLAN, seconds=1)
        print(item.query_id, flush=True)


def type_for_ever(database: Database, who: Actor) -> None:
    """Print each draft's number when it is saved."""
    item = annotate.open_next(database, who)
    if item is None:
        raise LookupError("nothing to type on")
    for number in count():
        content = {**A_PLAN, "rewritten_query": f"第 {number + 1} 稿"}
        annotate.save_draft(database, who, item.annotation_id, number=number, content=content)
        print(number + 1, flush=True)


if __name__ == "__main__":
    database = Database(sys.argv[1])
    act = {"label": label_all, "type": type_for_ever}[sys.argv[2]]
    act(database, find_person(database, sys.argv[3]))
    database.close()
