"""The answer to "what would this version of the expert list change?"."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from schemas.list_changes import ListChanges
from schemas.list_impact import Fate, ImpactCounts


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AffectedQuery(_Value):
    """A decided query that would not stay as it is; candidates for each of its steps.

    `rule` is the kind of change that touches it.
    """

    query_id: str
    text: str
    fate: Fate
    rule: str | None
    candidates: tuple[tuple[str, ...], ...]


class ImpactReport(_Value):
    """What was decided under `before`, by its fate under `after`; `affected` holds the first.

    `planners` are those trained on rows of `before`, and so out of date.
    """

    before: str
    after: str
    changes: ListChanges
    rows: ImpactCounts
    questions: ImpactCounts
    benchmarks: tuple[str, ...]
    planners: tuple[str, ...]
    affected: tuple[AffectedQuery, ...]


class MigrationCounts(_Value):
    """What became of the rows of the older version when they were moved to the newer.

    `known` were proposed before; they count nowhere else.
    """

    untouched: int = 0
    automatic: int = 0
    people: int = 0
    lost: int = 0
    known: int = 0

    @property
    def looked_at(self) -> int:
        """All rows so far."""
        return self.untouched + self.automatic + self.people + self.lost + self.known

    def plus(self, other: "MigrationCounts") -> "MigrationCounts":
        """These and some more."""
        mine, more = self.model_dump(), other.model_dump()
        return MigrationCounts(**{name: mine[name] + more[name] for name in mine})


class MovedRow(_Value):
    """A row that was moved to another list, or could not be: its parent, and where it stands.

    `state` is that of the query made for it; None where nobody does its work now.
    """

    parent_query_id: str
    query_id: str | None
    text: str
    before: str
    after: str
    fate: Fate
    rule: str
    candidates: tuple[tuple[str, ...], ...]
    state: str | None


class ListWorkView(_Value):
    """Weighing a list, or moving rows: how far it is, and what came of it."""

    id: str
    kind: Literal["impact", "migrate"]
    before: str
    after: str
    state: str
    done: int
    total: int
    impact: ImpactReport | None = None
    counts: MigrationCounts | None = None
    created_by: str | None
    created_at: datetime
