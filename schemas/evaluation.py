"""Words of evaluation: answers judged, figures, and two evaluations side by side."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from schemas.plan import Plan

EvaluationState = Literal["running", "done", "failed"]
Fault = Literal["failed", "cut_off", "form", "invalid", "experts", "order"]
"""Why an answer is wrong, the first that holds: the endpoint gave none; it was cut off; it has not
the strict form; its plan is not valid; it calls other experts; it calls them in other stages."""


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
    plan_distance: float | None = None
    """How much of a plan people would have to change (`plan_distance`); 1 without a valid plan."""
    first_commit: float | None = None
    """Where in its thinking an answer is decided, as a share of it; the rest is reflection."""
    thinking: int = 0
    """Answers whose thinking is measured; those that were cut off are not."""
    length_unit: str = "characters"
    """`characters` (code points), or the tokenizer whose tokens are counted."""
    think_length_mean: float | None = None
    think_length_std: float | None = None
    think_length_median: float | None = None
    think_length_p95: float | None = None
    """The least length that 95 % of the answers do not exceed."""


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
    is_anew: bool = False
    """Ask once more what was asked before: the model behind an endpoint may be another by now."""


class Terms(_Value):
    """How a planner is asked and measured: evaluations of equal terms are the same evaluation."""

    max_tokens: int
    with_thinking: bool
    template: str | None
    """ms-swift's name of the chat template, where known."""
    limit: int | None
    dialect: str
    window: int
    length_unit: str
    is_anew: bool = False
    """Whether answers that are known are asked for once more."""


class PlannerView(_Value):
    """An evaluated model."""

    id: str
    name: str
    checkpoint: str | None
    checkpoint_hash: str | None
    endpoint: str | None
    model: str | None
    is_external: bool
    is_promoted: bool = False
    run_id: str | None = None
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
    asked: int
    """How many questions there are to ask."""
    figures: Figures | None
    reason: str | None = None
    """Why it failed: a code with the values of its sentence."""
    values: dict[str, JsonValue] = {}
    prompt: str
    """`NAME@N`."""
    scoring_hash: str
    is_current_scoring: bool
    """Whether today's sources would judge the same."""
    terms: Terms | None
    created_at: datetime


class AnswerView(_Value):
    """What a planner said to one question."""

    question_id: str
    question: str
    completion: str
    scores: dict[str, float]


class Difference(_Value):
    """One figure before and after, over the questions where both answers have it.

    `low` and `high` bound `change` at 95 % (paired bootstrap). Of `deviation_ratio` the figures are
    standard deviations of the thinking's length and the change is their ratio, after over before.
    """

    name: str
    questions: int
    before: float
    after: float
    change: float
    low: float
    high: float


class BySteps(_Value):
    """Questions whose accepted plan has so many steps (the last has as many or more)."""

    steps: int
    is_or_more: bool
    questions: int
    right_before: int
    right_after: int


class Histogram(_Value):
    """Lengths of thinking in bins `[n·width, (n+1)·width)`; the last bin holds all that is longer.

    Over the questions where both think to their end.
    """

    width: float
    before: tuple[int, ...]
    after: tuple[int, ...]


class Comparison(_Value):
    """Two evaluations over the questions that both answered."""

    before: Figures
    after: Figures
    mended: int
    """Wrong before, right after."""
    broken: int
    """Right before, wrong after."""
    p_value: float = 1.0
    """Exact McNemar test on the questions that changed, two-sided."""
    differences: tuple[Difference, ...] = ()
    by_steps: tuple[BySteps, ...] = ()
    lengths: Histogram | None = None
    is_same_scoring: bool = True
    """Whether both were judged by the same sources."""

    def find_difference(self, name: str) -> Difference | None:
        """The difference of a figure, where it applies."""
        return next((each for each in self.differences if each.name == name), None)


ChangeKind = Literal["broken", "mended", "wrong", "right"]
"""Right and now wrong; wrong and now right; wrong both times; right both times."""


class AnswerRead(_Value):
    """An answer to a question: its plan as far as there is a valid one, else why it has none."""

    plan: Plan | None
    fault: Fault | None
    """Why the answer is wrong; none of a right one."""
    completion: str
    think_length: float | None


class ChangedQuestion(_Value):
    """A question with the accepted plan and what was answered before and after."""

    question_id: str
    question: str
    gold: Plan
    before: AnswerRead
    after: AnswerRead


class ChangedQuestions(_Value):
    """The questions of a kind, at most as many as asked for; `total` of them there are."""

    kind: ChangeKind
    total: int
    shown: tuple[ChangedQuestion, ...]
    experts: tuple[str, ...]
    """All experts that plans of these questions name, accepted or answered."""


class ConfusedExperts(_Value):
    """So often a step of the accepted plan for one expert went to another (`None`: to none)."""

    gold: str | None
    answered: str | None
    count: int


class AlikeQuery(_Value):
    """A query that waits to be labelled, and how like a question it is (0 to 1]."""

    query_id: str
    text: str
    likeness: float


class SentToAnnotation(_Value):
    """Queries that were brought forward, and the batch that took in so many of their labels."""

    batch: str
    labels: int
    queries: tuple[AlikeQuery, ...]
