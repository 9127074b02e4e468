"""Words of training: what a run is asked, what its supervisor reports, what pages are shown."""

from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, JsonValue, SkipValidation

from schemas.training_alarms import Alarm
from schemas.training_gates import Gates
from schemas.training_stages import STAGES, TRAINED, USUAL, Stage, TrainingStage

__all__ = ["STAGES", "TRAINED", "Stage", "TrainingStage"]

StageState = Literal["waiting", "off", "running", "succeeded", "skipped", "failed", "stopped"]
RunState = Literal["waiting", "starting", "running", "stopping", "succeeded", "failed", "stopped"]
StopPhase = Literal["saving", "leaving", "killing"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ProcessIdentity(_Value):
    """A process beyond doubt: a pid alone may have been given to somebody else since."""

    pid: int
    started: int
    """Clock ticks since boot at which it started."""


class RunOrder(_Value):
    """`order.json` of a run folder: what its supervisor shall start and when it is content."""

    command: tuple[str, ...]
    environment: dict[str, str] = {}
    token: str
    """In the environment of every process of the run, so that none can be lost."""
    needs_checkpoint: bool = True
    expected_rows: int | None = None
    resumed_from: str | None = None
    """The checkpoint that the run goes on from; its result, where nothing was left to do."""
    saving_s: float = 60
    """How long a trainer may take to save and leave once asked."""
    leaving_s: float = 10
    owner: ProcessIdentity | None = None
    """The run ends with this process; a training run has none and outlives the app."""


class RunStatus(_Value):
    """`status.json` of a run folder, written by its supervisor alone."""

    state: RunState
    token: str
    machine: str = ""
    """Where the supervisor runs; other machines judge it by its heartbeat."""
    supervisor: ProcessIdentity
    trainer: ProcessIdentity | None = None
    heartbeat: float
    """Seconds since the epoch."""
    stop_phase: StopPhase | None = None
    stop_deadline: float | None = None
    exit_code: int | None = None
    reason: str | None = None
    """A code of the area `training`, with the values of its sentence."""
    values: dict[str, JsonValue] = {}
    checkpoint: str | None = None
    rows_kept: int | None = None


class ChainOrder(_Value):
    """What a person chose beside bundle and recipe."""

    stages: tuple[Stage, ...] = USUAL
    """Stages that are switched on; always in the order of `STAGES`."""
    variants: tuple[str, ...] = ()
    """Variants of the recipe, such as `lora`."""
    weights: dict[str, float] | None = None
    """Weight by reward; the bundle's own when absent."""
    overrides: dict[TrainingStage, dict[str, JsonValue]] = {}
    """Trainer arguments that replace the recipe's, by stage."""
    model: str | None = None
    """Folder or name of the model to begin from; the recipe's when absent."""
    benchmark: str | None = None
    """`NAME[@N]`; the project's newest when absent."""
    nodes: tuple[str, ...] = ()
    """Names of the nodes that train together, the first one leading; this machine when empty."""
    evaluation_limit: int | None = Field(default=None, ge=1)
    gates: Gates = Gates()
    """What must be reached before GRPO."""


class Fix(_Value):
    """What one click would change in an order; `code` is a sentence of the area `training`."""

    code: str
    values: dict[str, JsonValue] = {}
    stage: TrainingStage | None = None
    arguments: dict[str, JsonValue] = {}
    """Overrides of the stage to set."""
    drop: tuple[str, ...] = ()
    """Overrides of the stage to take back."""
    weights: dict[str, float] | None = None
    variant: str | None = None
    without: tuple[Stage, ...] = ()


class Check(_Value):
    """One named check before a run: `code` is a sentence of the area `training`."""

    name: str
    is_passed: bool
    code: str
    values: dict[str, JsonValue] = {}
    fix: Fix | None = None


class Told(_Value):
    """A sentence of the area `training`."""

    code: str
    values: dict[str, JsonValue] = {}


class StageView(_Value):
    """One stage of a chain on the page."""

    name: Stage
    state: StageState
    reason: str | None = None
    values: dict[str, JsonValue] = {}
    started_at: datetime | None = None
    finished_at: datetime | None = None
    run_id: str | None = None
    command: str | None = None
    """What a person would type to do the same."""
    checks: tuple[Check, ...] = ()
    figures: dict[str, JsonValue] = {}
    stop_phase: StopPhase | None = None
    stop_deadline: datetime | None = None
    heartbeat: datetime | None = None


class Point(NamedTuple):
    """One value of a curve."""

    step: int
    value: float


class ChainView(_Value):
    """One chain as its page shows it: everything to draw, nothing to compute."""

    id: str
    bundle_id: str
    bundle_name: str
    recipe: str
    state: RunState
    stage: Stage
    stages: tuple[StageView, ...]
    series: SkipValidation[dict[TrainingStage, dict[str, tuple[Point, ...]]]]
    """By stage, then by the name that the trainer's `logging.jsonl` uses."""
    alarms: tuple[Alarm, ...] = ()
    log_tail: str
    created_at: datetime
    finished_at: datetime | None
    resume: Told | None = None
    """What going on would do; absent while the chain runs and where it has succeeded."""


class ChainSummary(_Value):
    """One chain in a list."""

    id: str
    bundle_id: str
    bundle_name: str
    recipe: str
    state: RunState
    stage: Stage
    created_at: datetime
    finished_at: datetime | None


class RunView(_Value):
    """One run: a stage's process, from launch to verdict."""

    id: str
    chain_id: str | None
    bundle_id: str
    stage: Stage
    attempt: int
    recipe: str
    state: RunState
    command: str
    folder: str
    exit_code: int | None
    reason: str | None
    values: dict[str, JsonValue]
    checkpoint: str | None
    dataset_hash: str | None
    scoring_hash: str | None
    created_at: datetime
    finished_at: datetime | None
    alarms: tuple[Alarm, ...] = ()
    log_tail: str = ""


class RowDifference(_Value):
    """One row that is not as it should be; `code` is of the area `training`."""

    file: str
    line: int
    """1-based; 0 where the whole file was refused."""
    code: str
    values: dict[str, JsonValue] = {}


class FileReport(_Value):
    """One file, read back."""

    rows_in: int
    rows_read: int
    rows_tokenised: int | None
    """Absent without a tokenizer."""
    differences: int
    lengths: dict[str, float] | None
    """Tokens of a row (of the prompt in `grpo`): min, median, p95, max."""


class VerifyReport(_Value):
    """What ms-swift read back of a bundle; true when every row is there and as it should be."""

    is_true: bool
    lengths_known: bool
    model: str | None
    template: str
    max_length: int
    files: dict[str, FileReport]
    differences: tuple[RowDifference, ...]
    """At most 200 a file; `FileReport.differences` counts them all."""
    seconds: float
    """Reading and tokenising, without the start of the interpreter."""
    prompt_end: str | None = None
    """How a rollout's prompt ends, which says whether it is asked to think."""
    near_split: int | None = None
    """Training questions that are near-duplicates of validation; absent without validation."""

    @property
    def count(self) -> int:
        """How much differs in all, in files that are no dataset too."""
        others = sum(each.file not in self.files for each in self.differences)
        return others + sum(file.differences for file in self.files.values())
