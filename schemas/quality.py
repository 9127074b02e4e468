"""Figures of the work, as the Quality page shows them."""

from datetime import date

from pydantic import BaseModel, ConfigDict

from schemas.queries import QueueStats


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DayFigures(_Value):
    """One day (UTC)."""

    day: date
    submitted: int
    decided: int


class PersonFigures(_Value):
    """One person's annotations and the verdicts on them (accepted, fixed, returned, discarded).

    `mean_seconds` is the time at an item, over the annotations where it is known.
    """

    person_id: str
    name: str
    annotations: int
    submitted: int
    mean_seconds: float | None
    verdicts: dict[str, int]

    @property
    def acceptance(self) -> float | None:
        """Share of verdicts that took the plan as it was; absent before the first verdict."""
        return acceptance_of(self.verdicts)


class WorkFigures(_Value):
    """A project's work: by state, by day, by person."""

    counts: QueueStats
    days: tuple[DayFigures, ...]
    people: tuple[PersonFigures, ...]

    @property
    def verdicts(self) -> dict[str, int]:
        """All verdicts."""
        total: dict[str, int] = {}
        for person in self.people:
            for verdict, count in person.verdicts.items():
                total[verdict] = total.get(verdict, 0) + count
        return total

    @property
    def acceptance(self) -> float | None:
        """Share of verdicts that took the plan as it was; absent before the first verdict."""
        return acceptance_of(self.verdicts)


def acceptance_of(verdicts: dict[str, int]) -> float | None:
    """Accepted as they were, of all verdicts.

    >>> acceptance_of({"accepted": 3, "fixed": 1})
    0.75
    """
    total = sum(verdicts.values())
    return verdicts.get("accepted", 0) / total if total else None
