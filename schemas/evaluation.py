"""Words of evaluation: answers judged, figures, and two evaluations side by side."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

EvaluationState = Literal["running", "done", "failed"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Figures(_Value):
    """What a planner's answers come to; shares are of all questions, means of those they apply to.

    A figure that applies to no question is absent.
    """

    questions: int
    right: int
    accuracy: float
    """Strict form, valid under the list, and the accepted experts per stage as multisets."""
    accuracy_low: float
    accuracy_high: float
    """Wilson's interval at 95 %."""
    failed: int
    """Questions that the endpoint did not answer; they count as wrong."""
    cut_off: int
    strict_form: float
    valid_json: float
    expert_f1: float | None = None
    order: float | None = None
    """Share of pairs of matched steps in the accepted relation, where there are pairs."""
    rewrite: float | None = None
    sub_questions: float | None = None
    think_length_mean: float | None = None
    think_length_std: float | None = None
    think_length_median: float | None = None
    think_length_p95: float | None = None
    """Code points, over the answers that think."""


class EvaluationOrder(_Value):
    """What is asked of which planner: a planner of ours by id or name, or an endpoint and model."""

    planner: str | None = None
    endpoint: str | None = None
    model: str | None = None
    key_env: str | None = None
    """The environment variable that holds the endpoint's key."""
    benchmark: str | None = None
    """`NAME[@N]`; the project's newest when absent."""
    limit: int | None = Field(default=None, ge=1)
    max_tokens: int = Field(default=2048, ge=1)
    with_thinking: bool = True
    """Of an endpoint; a planner of ours answers as its bundle did."""


class PlannerView(_Value):
    """An evaluated model."""

    id: str
    name: str
    checkpoint: str | None
    checkpoint_hash: str | None
    endpoint: str | None
    model: str | None
    is_external: bool
    created_at: datetime


class BenchmarkView(_Value):
    """Standard questions under NAME@N, and the expert list (NAME@N) that they are asked under."""

    id: str
    reference: str
    expert_list: str
    questions: int


class EvaluationView(_Value):
    """One planner on one benchmark."""

    id: str
    planner: PlannerView
    benchmark: str
    """`NAME@N`."""
    state: EvaluationState
    answered: int
    figures: Figures | None
    reason: str | None = None
    """Why it failed: a code with the values of its sentence."""
    values: dict[str, JsonValue] = {}
    scoring_hash: str
    created_at: datetime


class AnswerView(_Value):
    """What a planner said to one question."""

    question_id: str
    question: str
    completion: str
    scores: dict[str, float]


class Comparison(_Value):
    """Two evaluations over the questions that both answered."""

    before: Figures
    after: Figures
    mended: int
    """Wrong before, right after."""
    broken: int
    """Right before, wrong after."""
