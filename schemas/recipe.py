"""The recipe of a bundle: which rows, in what shares, in which form, at what weights.

A recipe is a YAML or JSON file, or what the Datasets page puts together. Two pools are filled from
sources of their own: `sft` teaches the form (`agent` files are written from it too), `grpo` is
rewarded against accepted plans (`dpo` and `kto` files are written from its rows).
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal, Self, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from schemas.errors import InvalidInput
from schemas.project import DEFAULT_WEIGHTS, REWARDS, ProjectSettings

SourceKind = Literal["history", "accepted", "suggestions"]
Format = Literal["sft", "agent", "grpo", "dpo", "kto"]
FORMATS: tuple[Format, ...] = ("sft", "agent", "grpo", "dpo", "kto")
SFT_FORMATS: frozenset[Format] = frozenset({"sft", "agent"})
Label = Literal["accepted", "fixed"]
"""How a decided plan came about: accepted as it was handed in, or fixed by a reviewer."""
Pair = Literal["corrected", "siblings", "length"]
THINK_REWARDS = frozenset({"ThinkLengthReward", "ThinkQualityReward"})


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Part):
    """Where rows of a pool come from, and how many: a `share` of the pool, a `count`, else all.

    The filters narrow it: `lists` are references NAME@N, `models` the models that were asked,
    `since` and `until` (both inclusive, UTC) the day the row was imported, suggested or decided,
    `labels` how a plan was decided, `queries` the ids of queries. A query that is asked for by its
    id must be fit to be taken, or the recipe is refused with the reason.
    """

    kind: SourceKind
    share: float | None = Field(default=None, gt=0, le=1)
    count: int | None = Field(default=None, ge=1)
    lists: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    labels: tuple[Label, ...] = ()
    queries: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if self.share is not None and self.count is not None:
            raise PydanticCustomError("export.recipe_share_and_count", "", {"kind": self.kind})
        if self.labels and self.kind != "accepted":
            raise PydanticCustomError("export.recipe_labels", "", {"kind": self.kind})
        return self


class Pool(_Part):
    """The sources of one pool. Shares of a pool add up to 1; `size` is the rows wanted together.

    Without a `size` the pool is as large as the scarcest source allows at these shares.
    """

    sources: tuple[Source, ...] = ()
    size: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _shares_add_up(self) -> Self:
        shares = [source.share for source in self.sources if source.share is not None]
        if shares and len(shares) < len(self.sources):
            raise PydanticCustomError("export.recipe_shares_mixed", "")
        if shares and abs(sum(shares) - 1) > 1e-6:
            raise PydanticCustomError(
                "export.recipe_shares", "", {"total": f"{sum(shares) * 100:.4g} %"}
            )
        if self.size is not None and not shares:
            raise PydanticCustomError("export.recipe_size_without_shares", "")
        return self


class Think(_Part):
    """How long a trace should be: what the ThinkLength reward is told."""

    min: int = Field(default=60, ge=1)
    max: int = Field(default=180, ge=1)
    eps: float | None = Field(default=None, gt=0)
    curve: Literal["article", "continuous"] = "article"
    unit: Literal["characters", "tokens"] = "characters"

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min > self.max:
            raise PydanticCustomError(
                "export.recipe_think_order", "", {"min": self.min, "max": self.max}
            )
        return self


class Augmentation(_Part):
    """Rows that are written once more under a changed list; only the prompt changes.

    `share` of the queries have such a twin. Its list is shuffled, each expert that the plan does
    not call is dropped with the probability `drop_unused`, and `decoys` experts of other lists of
    the project are added. Rows with a prompt of their own (historical chats) have no twin.
    """

    share: float = Field(default=0.0, ge=0, le=1)
    shuffle: bool = True
    drop_unused: float = Field(default=0.0, ge=0, le=0.9)
    decoys: int = Field(default=0, ge=0, le=20)

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.share and not (self.shuffle or self.drop_unused or self.decoys):
            raise PydanticCustomError("export.recipe_augments_nothing", "")
        return self


class Verification(_Part):
    """The local model or tokenizer folder that rows are read back with; `tiny` is built here.

    Without a `model` the bundle is ready with lengths unknown, and preflight on the trainer's
    machine finishes the check.
    """

    model: str | None = None
    model_type: str | None = None
    template: str | None = None
    max_length: int = Field(default=8192, ge=16)


class BundleRecipe(_Part):
    """Everything that decides the bytes of a bundle, beside the rows themselves.

    `think` and `banned_words` are the project's where they are absent. `shortest_traces` is the
    share that SFT with thinking keeps of each plan size, shortest traces first: a cut by one length
    for all would remove the plans with many experts, since their traces are longer. Where that
    leaves an expert fewer than `expert_quota` rows, the shortest of its rows come back.
    `shift_alarm` is the distance (total variation, 0 to 1) of experts before and after the cut from
    which on the alarm sounds. `plain_share` of the queries, equal ones alike, are written without
    thinking in a recipe with thinking. Of several usable suggestions to a query `prefer` takes the
    one with the shortest thinking that is long enough, or the one with the highest weighted sum of
    the rewards (at `weights`). `stale_traces` says what SFT with thinking does where the thinking
    leads to another plan: leave the row out, take the trace that was written anew for the accepted
    plan where there is one (`rederived`), or keep the stale one. `dpo_pairs` are the pairs to set
    against each other: a model's plan against the corrected one, siblings, the long against the
    short thinking.
    """

    name: str = Field(min_length=1, max_length=80)
    formats: tuple[Format, ...] = ("sft", "grpo")
    sft: Pool = Pool()
    grpo: Pool = Pool()
    with_thinking: bool = True
    plain_share: float = Field(default=0.0, ge=0, le=0.9)
    think: Think | None = None
    banned_words: tuple[str, ...] | None = None
    shortest_traces: float = Field(default=1.0, gt=0, le=1)
    expert_quota: int | None = Field(default=None, ge=1)
    shift_alarm: float = Field(default=0.1, gt=0, le=1)
    augmentation: Augmentation = Augmentation()
    dpo_pairs: tuple[Pair, ...] = Field(default=("corrected",), min_length=1)
    weights: dict[str, float] = Field(
        default_factory=lambda: dict(zip(REWARDS, DEFAULT_WEIGHTS, strict=True))
    )
    val_share: float = Field(default=0.0, ge=0, le=0.5)
    seed: int = 0
    prefer: Literal["shortest", "reward"] = "shortest"
    stale_traces: Literal["leave_out", "rederived", "keep"] = "leave_out"
    pools: Literal["apart", "shared"] = "apart"
    history_answers: Literal["rendered", "verbatim"] = "rendered"
    verification: Verification = Verification()
    training: str = "cpu-smoke"

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        for name, is_needed in (
            ("sft", bool(SFT_FORMATS & set(self.formats))),
            ("grpo", bool(set(self.formats) - SFT_FORMATS)),
        ):
            if is_needed and not getattr(self, name).sources:
                raise PydanticCustomError("export.recipe_no_source", "", {"pool": name})
        if any(source.kind == "suggestions" for source in self.grpo.sources):
            raise PydanticCustomError("export.recipe_grpo_suggestions", "")
        if self.plain_share and not self.with_thinking:
            raise PydanticCustomError("export.recipe_plain_already", "")
        unknown = sorted(set(self.weights) - set(REWARDS))
        if unknown:
            raise PydanticCustomError(
                "export.recipe_unknown_reward",
                "",
                {"reward": unknown[0], "known": ", ".join(REWARDS)},
            )
        left_out = frozenset[str]() if self.with_thinking else THINK_REWARDS
        kept = [weight for name, weight in self.weights.items() if name not in left_out]
        if min(self.weights.values(), default=0) < 0 or not any(kept):
            raise PydanticCustomError("export.recipe_weights", "")
        return self

    def resolved(self, project: ProjectSettings) -> Self:
        """The recipe with nothing left to the project: what a manifest holds."""
        think = self.think or Think.model_validate(project.think.model_dump())
        words = project.banned_words if self.banned_words is None else self.banned_words
        return self.model_copy(update={"think": think, "banned_words": words})


def parse_recipe(text: str) -> BundleRecipe:
    """The recipe that a YAML (or JSON, which is YAML) text holds.

    Raises:
        InvalidInput: one sentence about the first thing that is wrong with it.
    """
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise InvalidInput("export.recipe_not_yaml", line=line) from error
    if not isinstance(value, dict):
        raise InvalidInput("export.recipe_not_a_mapping")
    return read_recipe(cast(dict[str, Any], value))


def read_recipe(value: Mapping[str, object]) -> BundleRecipe:
    """The recipe that plain values hold.

    Raises:
        InvalidInput: one sentence about the first thing that is wrong with it.
    """
    try:
        return BundleRecipe.model_validate(dict(value))
    except ValidationError as error:
        raise _refusal(error.errors()[0]) from error


_RANGES = {
    "greater_than": "gt",
    "greater_than_equal": "ge",
    "less_than": "lt",
    "less_than_equal": "le",
}


def _refusal(detail: ErrorDetails) -> InvalidInput:
    """Pydantic's finding as one of our sentences; its own text is English only."""
    kind, values = detail["type"], detail.get("ctx", {})
    path = ".".join(str(part) for part in detail["loc"]) or "recipe"
    if kind.startswith("export."):
        return InvalidInput(kind, path=path, **values)
    if kind == "extra_forbidden":
        return InvalidInput("export.recipe_unknown_key", path=path)
    if kind == "missing":
        return InvalidInput("export.recipe_missing", path=path)
    given = str(detail["input"])[:80]
    if kind == "literal_error":
        expected = str(values["expected"]).replace("'", "").replace(" or ", ", ")
        return InvalidInput("export.recipe_choice", path=path, given=given, expected=expected)
    if kind in _RANGES:
        sign = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}[_RANGES[kind]]
        bound = f"{sign} {values[_RANGES[kind]]}"
        return InvalidInput("export.recipe_range", path=path, given=given, bound=bound)
    return InvalidInput("export.recipe_wrong_value", path=path, given=given)
