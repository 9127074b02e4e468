"""Named batches of work as pages show them."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WorkBatchView(_Value):
    """A batch and how far it is: `done` of `total` labels are handed in.

    Without `people` it is everybody's. `days_left` counts to the due date in UTC, below 0 after it.
    """

    id: str
    name: str
    due_on: date | None
    people: tuple[str, ...]
    person_ids: tuple[str, ...]
    done: int
    total: int
    days_left: int | None
    closed_at: datetime | None

    @property
    def is_done(self) -> bool:
        """Whether everything in it is handed in."""
        return self.total > 0 and self.done == self.total

    @property
    def is_overdue(self) -> bool:
        """Whether its day has passed with work left in it."""
        is_late = self.days_left is not None and self.days_left < 0
        return is_late and not self.is_done and self.closed_at is None


class BatchFilled(_Value):
    """What came into a batch: `taken_in` labels; `elsewhere` are in another open batch."""

    batch_id: str
    taken_in: int
    elsewhere: int
