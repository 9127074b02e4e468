"""The answer to "what would this version of the expert list change?"."""

from pydantic import BaseModel, ConfigDict

from schemas.list_impact import Fate, ImpactCounts


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AffectedQuery(_Value):
    """A decided query that people would have to look at; candidates for each of its steps."""

    query_id: str
    text: str
    fate: Fate
    candidates: tuple[tuple[str, ...], ...]


class ImpactReport(_Value):
    """What was decided under `before`, by its fate under `after`; `affected` holds the first.

    `planners` are those trained on rows of `before`.
    """

    before: str
    after: str
    rows: ImpactCounts
    questions: ImpactCounts
    benchmarks: tuple[str, ...]
    planners: tuple[str, ...]
    affected: tuple[AffectedQuery, ...]
