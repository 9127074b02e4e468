"""Words of serving: where planners come from, their endpoints, what was tried with them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from schemas.evaluation import PlannerView

Backend = Literal["transformers", "vllm", "sglang", "lmdeploy"]
EndpointState = Literal["starting", "ready", "silent", "stopping", "stopped", "failed"]
"""`silent` is a server that runs and does not answer."""
LIVE: tuple[EndpointState, ...] = ("starting", "ready", "silent", "stopping")


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DeployOrder(_Value):
    """Where and how a planner is to be served."""

    host: str | None = None
    """The setting `serving_host` when absent."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """Any free one when absent."""
    backend: Backend = "transformers"
    devices: str | None = Field(default=None, pattern=r"^\d+(,\d+)*$")
    """Numbers of GPUs, as `0,1`; one that is free when absent."""


class EndpointView(_Value):
    """One start of a planner's server, as its folder shows it now."""

    id: str
    planner_id: str
    planner: str
    state: EndpointState
    reason: str | None = None
    """A code with the values of its sentence."""
    values: dict[str, JsonValue] = {}
    url: str | None
    model: str
    key_end: str
    """The last characters of the key, to know it again."""
    machine: str
    folder: str
    command: str
    created_by: str | None
    created_at: datetime
    ended_at: datetime | None
    log_tail: str = ""

    @property
    def is_live(self) -> bool:
        """Whether it has not come to its end."""
        return self.state in LIVE


class Deployed(_Value):
    """An endpoint; `key` is told to whom started it, and never again."""

    endpoint: EndpointView
    key: str | None


class Contract(_Value):
    """All that a client must know to ask a planner as it was trained to be asked."""

    url: str | None
    model: str
    with_thinking: bool
    template: str | None
    dialect: str
    window: int
    experts: tuple[str, ...]
    prompt: str
    """`NAME@N`."""
    expert_list: str
    """`NAME@N`."""
    system: str
    """The system message, rendered."""


class RowsOfSource(_Value):
    """How many rows of a pool came from one kind of source, under which lists."""

    pool: Literal["sft", "grpo"]
    kind: str
    rows: int
    lists: tuple[str, ...]


class Contributor(_Value):
    """A person behind the rows of a planner: queries labelled, queries reviewed."""

    name: str
    labelled: int
    reviewed: int


class RunLink(_Value):
    """A run beside the planner, with the planner that its checkpoint became."""

    run_id: str
    chain_id: str | None
    bundle_id: str
    stage: str
    recipe: str
    state: str
    has_checkpoint: bool = False
    planner_id: str | None = None
    planner: str | None = None
    created_at: datetime


class EvaluationLink(_Value):
    """What a planner came to on a benchmark."""

    evaluation_id: str
    benchmark: str
    state: str
    accuracy: float | None
    think_length_mean: float | None
    created_at: datetime


class BundleLink(_Value):
    """The bundle that a run was trained on."""

    bundle_id: str
    name: str
    manifest_hash: str | None
    created_by: str | None
    created_at: datetime


class GeneralOrder(_Value):
    """A general benchmark (CSV of multiple-choice questions) for a planner that is served."""

    planner: str
    benchmark: str
    limit: int | None = Field(default=None, ge=1)
    max_tokens: int = Field(default=1024, ge=1)


class GeneralCheckView(_Value):
    """What a planner came to on a general benchmark, by EvalScope."""

    id: str
    planner_id: str
    planner: str
    benchmark: str
    benchmark_hash: str
    state: Literal["running", "done", "failed"]
    accuracy: float | None = None
    questions: int | None = None
    reason: str | None = None
    values: dict[str, JsonValue] = {}
    created_at: datetime
    finished_at: datetime | None


class Lineage(_Value):
    """From a planner back to people and lists, and forward to what became of it.

    Of an external planner only what came after is known.
    """

    planner: PlannerView
    run: RunLink | None = None
    base_model: str | None = None
    bundle: BundleLink | None = None
    file: str | None = None
    """The dataset file of the bundle that was trained on."""
    rows: tuple[RowsOfSource, ...] = ()
    lists: dict[str, int] = {}
    """Expert list (NAME@N) → rows."""
    contributors: tuple[Contributor, ...] = ()
    begun_from: tuple[RunLink, ...] = ()
    evaluations: tuple[EvaluationLink, ...] = ()
    endpoints: tuple[EndpointView, ...] = ()
    general_checks: tuple[GeneralCheckView, ...] = ()
    later_runs: tuple[RunLink, ...] = ()


class Holder(_Value):
    """A run that a query went into, and the planner that it became.

    `is_inherited`: the run began from one that was trained on the query.
    """

    run: RunLink
    bundle: str
    is_inherited: bool


class ReplyTerms(_Value):
    """How a planner was asked on the playground."""

    model: str
    dialect: str
    window: int
    with_thinking: bool
    template: str | None
    max_tokens: int
    temperature: float


Said = Annotated[str, Field(max_length=20_000)]
"""What somebody says in one turn."""


class PlaygroundOrder(_Value):
    """A question to one planner."""

    planner_id: str
    text: Said = Field(min_length=1)
    history: tuple[tuple[Literal["user", "assistant"], Said], ...] = Field(
        default=(), max_length=40
    )
    max_tokens: int = Field(default=2048, ge=1, le=32_768)
    temperature: float = Field(default=0, ge=0, le=2)


class ReplyView(_Value):
    """What a planner answered on the playground, read and judged as everywhere else."""

    id: str
    planner_id: str
    planner: str
    text: str
    history: tuple[tuple[str, str], ...]
    state: Literal["asking", "done", "failed"]
    reason: str | None = None
    values: dict[str, JsonValue] = {}
    thinking: str = ""
    think_length: int = 0
    think_min: int
    think_max: int
    plan: dict[str, JsonValue] | None = None
    """Canonical, as far as it can be read."""
    problems: tuple[tuple[str, str, dict[str, JsonValue]], ...] = ()
    """Path, code and values of each problem of the plan."""
    is_strict: bool = False
    is_repaired: bool = False
    is_cut_off: bool = False
    completion: str = ""
    seconds: float | None = None
    prompt: str
    expert_list: str
    query_id: str | None = None
    created_at: datetime
