"""What a reward bench tells of a bundle: figures, agreement with people, probes, a forecast."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Scaling = Literal["group", "batch", "none", "gdpo"]
SCALINGS: tuple[Scaling, ...] = ("group", "batch", "none", "gdpo")
"""`scale_rewards` of ms-swift 4.6; `group` unless an argument says otherwise."""
TOTAL = "total"
READS_GOLD = frozenset({"CorrectnessReward", "ExpertValidationReward", "ProcessingQualityReward"})
"""Rewards that read the accepted plan, and so cannot be judged by that plan's own acceptance."""
Question = Literal["submissions", "corrections", "suggestions"]
QUESTIONS: tuple[Question, ...] = ("submissions", "corrections", "suggestions")


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BenchTerms(_Value):
    """What a bench is asked for; what is absent is the bundle's or its training recipe's."""

    weights: dict[str, float] | None = None
    scaling: Scaling | None = None
    group: int | None = Field(default=None, ge=2, le=64)
    rows: int = Field(default=400, ge=1, le=20_000)
    """At most so many rows of `grpo.jsonl`, evenly spaced, are probed and scored."""


class RewardFigure(_Value):
    """One reward (or the weighted total) over the completions that were scored.

    `per_second` is what the function alone does on one core, reading the answer included.
    """

    reward: str
    mean: float
    spread: float
    """Standard deviation."""
    zeros: float
    ones: float
    per_second: float | None = None


class Agreement(_Value):
    """Whether a reward agrees with people: the AUROC between what they took and what they did not.

    `submissions`: handed-in plans that a reviewer accepted, against those that were not accepted.
    `corrections`: a plan after a correction against the same plan before it, pair by pair.
    `suggestions`: a model's answers that were kept in substance, against those that were corrected.
    `figure` is absent where there is nothing to compare or the reward makes no difference at all.
    """

    question: Question
    reward: str
    good: int
    bad: int
    figure: float | None
    low: float | None
    high: float | None
    """Of a 95 % bootstrap over queries."""


class Worst(_Value):
    """Where a probe came nearest to its ceiling, or went farthest beyond."""

    plan_id: str
    fault: str
    """Of the honest attempt that it was played on; empty for a blind probe."""
    total: float
    ceiling: float
    completion: str


class ProbeFigure(_Value):
    """One probe: mean total against mean ceiling, and how often it was not below as it must be."""

    name: str
    must_cost: bool
    count: int
    mean: float
    ceiling: float
    reached: int
    """How often the ceiling was passed; of a probe that must cost something, reached or passed."""
    free: int
    """How often the trick cost nothing: it earned what its ceiling is."""
    worst: Worst

    @property
    def is_passed(self) -> bool:
        """Whether the trick never pays."""
        return not self.reached


class ScalingForecast(_Value):
    """What one `scale_rewards` makes of the groups: how many teach nothing, how strongly others do.

    `faint` groups differ by less than 0.01 in spread, which `group` blows up to full size.
    """

    scaling: Scaling
    silent: float
    faint: float
    strength: float
    """Mean size of an advantage, as ms-swift reckons it."""


class Forecast(_Value):
    """Groups drawn from the answers that models gave to one query each."""

    wanted: int
    """The recipe's `num_generations`."""
    size: int
    """Of the groups drawn; smaller than wanted where no query has so many answers."""
    queries: int
    without: int
    """Queries with fewer than `size` answers."""
    groups: int
    scalings: tuple[ScalingForecast, ...]


class RewardBench(_Value):
    """All that one bench found, for pages and machines alike."""

    bundle_id: str | None
    name: str
    measured_at: datetime
    scoring_hash: str
    """Of the scoring modules in the bundle."""
    weights: dict[str, float]
    scaling: Scaling
    rows: int
    used: int
    """Rows that were looked at."""
    answers: int
    """Stored answers of models among them; where there are none, `figures` is of honest ones."""
    figures: tuple[RewardFigure, ...]
    per_second: float
    """All rewards together, in batches of 64 as a trainer asks, on one core."""
    agreement: tuple[Agreement, ...]
    verdicts: int
    """Verdicts of people that were found."""
    independent: int
    """Those among them for which somebody else's accepted plan stood by as gold."""
    probes: tuple[ProbeFigure, ...]
    forecast: Forecast | None

    @property
    def is_passed(self) -> bool:
        """Whether a training may be launched with these weights."""
        return all(each.is_passed for each in self.probes)
