"""What a project decides for itself."""

from pydantic import BaseModel, ConfigDict, Field

from schemas.people import Role

REWARDS: tuple[str, ...] = (
    "StrictFormatReward",
    "JSONValidReward",
    "ThinkLengthReward",
    "ThinkQualityReward",
    "CorrectnessReward",
    "ExpertValidationReward",
    "ProcessingQualityReward",
)
DEFAULT_WEIGHTS: tuple[float, ...] = (0.1, 0.1, 0.1, 0.1, 0.2, 0.3, 0.1)


class ThinkTarget(BaseModel):
    """How long a good trace is, in code points."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min: int = Field(default=60, ge=1)
    max: int = Field(default=180, ge=1)
    eps: float | None = None


class Pins(BaseModel):
    """What a query is tied to for good: list, prompt, dialect (NAME@N), history window (turns)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    list_version_id: str
    prompt_version_id: str
    dialect: str = "zh@1"
    window: int = Field(default=6, ge=0)


class GoldSettings(BaseModel):
    """When people get gold items: so many first, then one after each `every` submissions; 0: none.

    `tolerated_rate` is the error rate from which somebody counts as careless; `auto_pause` stops
    handing work to whom `schemas.gold` finds so.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    onboarding: int = Field(default=0, ge=0, le=50)
    every: int = Field(default=0, ge=0, le=1000)
    tolerated_rate: float = Field(default=0.2, gt=0, lt=1)
    auto_pause: bool = True


class SamplingSettings(BaseModel):
    """Whether submissions are reviewed by samples of lots, and at which risk.

    A lot whose share of defects is `tolerated_rate` or more passes with a probability of at most
    1 - `confidence`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    is_on: bool = False
    lot_size: int = Field(default=50, ge=5, le=5000)
    tolerated_rate: float = Field(default=0.1, gt=0, lt=1)
    confidence: float = Field(default=0.9, ge=0.5, lt=1)


class ProjectSettings(BaseModel):
    """Settings of one project; the `current_*` ids pin what is imported next."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    current_list_version_id: str | None = None
    current_prompt_version_id: str | None = None
    dialect: str = "zh@1"
    window: int = Field(default=6, ge=0)
    think: ThinkTarget = ThinkTarget()
    banned_words: tuple[str, ...] = ()
    overlap: int = Field(default=1, ge=1, le=9)
    overlap_share: float = Field(default=1.0, gt=0, le=1)
    """The share of imported queries that `overlap` people label; the others get one."""
    lease_minutes: int = Field(default=15, ge=1)
    hide_author: bool = False
    daily_goal: int = Field(default=120, ge=1)
    gold: GoldSettings = GoldSettings()
    sampling: SamplingSettings = SamplingSettings()


class ProjectSummary(BaseModel):
    """A project in which a person holds a role."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    name: str
    is_demo: bool
    role: Role
