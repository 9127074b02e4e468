"""Quality: how much is done, how fast, and how much of it is accepted as it was."""

from datetime import timedelta

from db import clock
from db.access import projects
from db.access import quality as access
from db.engine import Database
from labeling.queue import stats
from schemas.people import Actor
from schemas.quality import PersonFigures, WorkFigures

DAYS = 14


def work_figures(database: Database, who: Actor) -> WorkFigures:
    """The project's work; where it hides authors, people are shown to admins only."""
    who.require("reviewer")
    counts = stats(database, who)
    with database.reading() as session:
        days = access.list_days(session, who.project_id, clock.now() - timedelta(days=DAYS))
        people = access.list_people(session, who.project_id)
        is_hidden = projects.read_settings(session, who.project_id).hide_author
    if is_hidden and who.role != "admin":
        people = [_together(people)] if people else []
    return WorkFigures(counts=counts, days=tuple(days), people=tuple(people))


def _together(people: list[PersonFigures]) -> PersonFigures:
    """Everybody as one, so that the totals stay true without names."""
    verdicts: dict[str, int] = {}
    for person in people:
        for verdict, count in person.verdicts.items():
            verdicts[verdict] = verdicts.get(verdict, 0) + count
    times = [person.mean_seconds for person in people if person.mean_seconds is not None]
    return PersonFigures(
        person_id="",
        name="",
        annotations=sum(person.annotations for person in people),
        submitted=sum(person.submitted for person in people),
        mean_seconds=sum(times) / len(times) if times else None,
        verdicts=verdicts,
    )
