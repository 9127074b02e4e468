"""What the Quality page shows of a team: by week, by person, between people, by model."""

from collections import Counter
from datetime import date

from pydantic import BaseModel, ConfigDict

from schemas.carelessness import Witness
from schemas.queries import QueueStats


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def acceptance_of(verdicts: dict[str, int]) -> float | None:
    """Accepted as they were, of all verdicts; absent before the first.

    >>> acceptance_of({"accepted": 3, "fixed": 1})
    0.75
    """
    total = sum(verdicts.values())
    return verdicts.get("accepted", 0) / total if total else None


class Estimate(_Value):
    """A figure with its interval at 95 %; absent bounds where too little is known for one."""

    value: float
    low: float | None = None
    high: float | None = None


class Week(_Value):
    """One week (UTC), named by its Monday; verdicts are those given in it."""

    monday: date
    submitted: int
    median_seconds: float | None
    verdicts: dict[str, int]

    @property
    def decided(self) -> int:
        """Verdicts of the week."""
        return sum(self.verdicts.values())

    @property
    def acceptance(self) -> float | None:
        """Share of verdicts that took the plan as it was."""
        return acceptance_of(self.verdicts)


class PersonQuality(_Value):
    """One annotator over the weeks shown.

    `acceptance` is the share of verdicts that took the plan as it was, with Wilson's interval;
    `returned_share` the share that came back (rework). `gold_right` of `gold_answered` gold items
    were right. `alpha` is the agreement with all others on the same queries. `is_careless` is the
    judgement of `schemas.carelessness` at the project's tolerated rate, `against` the witnesses who
    speak against them.
    """

    person_id: str
    name: str
    weeks: tuple[Week, ...]
    submitted: int
    median_seconds: float | None
    verdicts: dict[str, int]
    acceptance: Estimate | None
    returned_share: float | None
    gold_right: int
    gold_answered: int
    alpha: Estimate | None
    is_paused: bool
    is_careless: bool
    against: tuple[Witness, ...]


class PairAgreement(_Value):
    """Two annotators over the queries that both worked on."""

    names: tuple[str, str]
    queries: int
    alpha: Estimate


class NamedAgreement(_Value):
    """Agreement on one expert, or under one list version."""

    name: str
    queries: int
    alpha: float


class TeamAgreement(_Value):
    """How much people agree over the queries that several of them worked on.

    `parts` are means over pairs of plans, by name: exact, experts, order, sub_questions, rewrite.
    """

    queries: int
    plans: int
    alpha: Estimate
    parts: dict[str, float]
    pairs: tuple[PairAgreement, ...]
    experts: tuple[NamedAgreement, ...]
    lists: tuple[NamedAgreement, ...]


class Confusion(_Value):
    """How often the model's expert became the human's; None where there was none."""

    model: str | None
    human: str | None
    count: int


class ReasonCount(_Value):
    """How many plans came back for a reason, and their share of all that came back.

    A plan that came back for several reasons counts under each of them.
    """

    code: str
    count: int
    share: float


class ModelEffort(_Value):
    """What people had to do to a model's plans, over its newest decided ones.

    `untouched` is the share decided as the model had them, `distance` the mean `plan_distance`
    between suggestion and decision (0 to 1).
    """

    model: str
    plans: int
    first_day: date
    untouched: Estimate
    distance: float
    median_seconds: float | None


class TeamFigures(_Value):
    """Everything together: `counts` of now, then the last weeks; people by name.

    Confusion and effort look at the newest `looked_at` decided plans at most.
    """

    counts: QueueStats
    weeks: tuple[Week, ...]
    people: tuple[PersonQuality, ...]
    agreement: TeamAgreement | None
    reasons: tuple[ReasonCount, ...]
    confusion: tuple[Confusion, ...]
    efforts: tuple[ModelEffort, ...]
    looked_at: int

    @property
    def acceptance(self) -> float | None:
        """Share of the verdicts of these weeks that took the plan as it was."""
        return acceptance_of(dict(sum((Counter(each.verdicts) for each in self.weeks), Counter())))
