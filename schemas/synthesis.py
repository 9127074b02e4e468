"""What is asked of a model endpoint, and how far the asking is."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, NamedTuple

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from schemas.desk import SuggestionView
from schemas.errors import InvalidInput
from schemas.faults import faults_of
from schemas.model_endpoints import KeyEnv, Url
from schemas.rederivation import Rederive

BatchState = Literal["running", "done", "stopped", "paused", "cancelled"]
Which = Literal["waiting", "undecided"]
RequestKind = Literal["answer", "trace", "decode", "repair", "trial"]
Reason = tuple[str, Mapping[str, JsonValue]]
"""Code and values of a sentence."""

_OURS = frozenset({"messages", "model", "stream", "stream_options", "n", "api_key"})
_LIMITS = ("max_tokens", "max_completion_tokens")


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _checked_parameters(parameters: dict[str, JsonValue]) -> dict[str, JsonValue]:
    taken = sorted(_OURS & parameters.keys())
    if taken:
        raise InvalidInput("synthesis.parameter_is_ours", names=", ".join(taken))
    return parameters


class Repair(_Value):
    """One call for each answer that is nearly a plan: of the same endpoint, or of another by name.

    It may bring a plan into form, and put nothing into it.
    """

    endpoint: str | None = None


class PromptTrial(_Value):
    """Two versions of a prompt (NAME@N), asked for the same queries; nothing of it is labelled."""

    first: str = Field(min_length=1)
    second: str = Field(min_length=1)

    @model_validator(mode="after")
    def _differ(self) -> "PromptTrial":
        if self.first == self.second:
            raise PydanticCustomError("same", "two different versions are wanted")
        return self


class Budget(_Value):
    """What a batch may spend: money in the currency of its endpoints, or tokens in and out."""

    money: float | None = Field(default=None, gt=0)
    tokens: int | None = Field(default=None, gt=0)

    @classmethod
    def read(cls, money: float | None, tokens: float | None) -> "Budget | None":
        """The budget of a form; nothing where neither is named.

        Raises:
            InvalidInput: `synthesis.budget_refused`.
        """
        if not money and not tokens:
            return None
        try:
            return cls(money=money or None, tokens=int(tokens) if tokens else None)
        except ValidationError:
            raise InvalidInput("synthesis.budget_refused") from None


class SynthesisOrder(_Value):
    """Which queries are asked of which model, and how.

    `endpoints` names model endpoints of the project that share the work; the first of them has
    its address and model in `endpoint` and `model`, which make the keys of the answers: who else
    helps does not change what is asked for.

    `n` answers are wanted for each query. `parameters` go into the request as they are
    (temperature, max_tokens, …). `experts` (NAME[@N]) picks the queries pinned to that list;
    `limit` counts queries. `which`: waiting has no suggestion yet, undecided also takes those that
    have one. With `rederive` it asks for traces instead: for accepted plans that no trace leads to.
    The key is known by the name of an environment variable only. `raise_cut_off`: an answer that
    runs into the `max_tokens` of the parameters is asked for once more with twice as many.
    """

    endpoint: Url
    model: str = Field(min_length=1)
    key_env: KeyEnv = None
    experts: str | None = None
    n: int = Field(default=1, ge=1, le=64)
    concurrency: int = Field(default=16, ge=1, le=2000)
    limit: int | None = Field(default=None, ge=1)
    which: Which = "waiting"
    with_thinking: bool = True
    parameters: Annotated[dict[str, JsonValue], AfterValidator(_checked_parameters)] = {}
    timeout_s: float = Field(default=600.0, gt=0)
    attempts: int = Field(default=6, ge=1, le=20)
    backoff_s: float = Field(default=1.0, gt=0)
    rederive: Rederive | None = None
    endpoints: tuple[str, ...] = ()
    repair: Repair | None = None
    trial: PromptTrial | None = None
    raise_cut_off: bool = True

    @classmethod
    def read(cls, values: Mapping[str, object]) -> "SynthesisOrder":
        """An order from what a form or a command line gives.

        Raises:
            InvalidInput: `synthesis.order_refused`, or a code that says which value is at fault.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise InvalidInput("synthesis.order_refused", faults=faults_of(error)) from None

    @property
    def order_hash(self) -> str:
        """Equal for equal orders."""
        return _hash(self.to_plain())

    def to_plain(self) -> dict[str, object]:
        """Plain values, as they are stored; what is not used stays out, as it always has been."""
        unused = {each for each in _LATER if getattr(self, each) == _LATER[each]}
        return self.model_dump(mode="json", exclude=unused)

    def raised(self) -> dict[str, JsonValue] | None:
        """The parameters with twice the limit of tokens; nothing where no limit is given."""
        limits = {
            name: 2 * limit
            for name in _LIMITS
            if isinstance(limit := self.parameters.get(name), int)
        }
        return {**self.parameters, **limits} if limits and self.raise_cut_off else None

    def request_key(self, pins: "QueryPins", candidate: int) -> str:
        """The identity of one answer: what is sent, to whom, and which of the `n` it is."""
        return _hash(
            [
                pins.model_dump(mode="json"),
                [self.endpoint, self.model, self.parameters, self.with_thinking],
                candidate,
            ]
        )

    def trial_key(self, pins: "QueryPins", candidate: int) -> str:
        """The identity of an answer on trial: never the same as one that is labelled."""
        return _hash(["trial", self.request_key(pins, candidate)])

    def trace_key(self, pins: "QueryPins", revision_id: str, prompt: str, candidate: int) -> str:
        """The identity of a trace for an accepted revision, by a version of the templates."""
        asked = [self.endpoint, self.model, self.parameters, prompt]
        return _hash(["trace", pins.model_dump(mode="json"), revision_id, asked, candidate])


def repair_key(request_key: str, endpoint: str, model: str) -> str:
    """The identity of a repair of the reply that came under a key."""
    return _hash(["repair", request_key, endpoint, model])


def decode_key(trace_id: str, number: int) -> str:
    """The identity of one blind plan of a trace."""
    return _hash(["decode", trace_id, number])


_LATER: Mapping[str, object] = {
    "rederive": None,
    "endpoints": (),
    "repair": None,
    "trial": None,
    "raise_cut_off": True,
}
"""Fields that came later, as an order has them that does not use them."""


class QueryPins(_Value):
    """A query and the four things that it is tied to."""

    query_id: str
    list_version_id: str
    prompt_version_id: str
    dialect: str
    window: int


class Forecast(_Value):
    """What an order will take, by so many earlier `answers` of the same model and parameters.

    Without any, `tokens` is the most that may come back, and nothing else is known. `money` is
    absent without prices.
    """

    answers: int = 0
    tokens: int
    money: float | None = None
    currency: str = ""
    seconds: float | None = None


class BatchPreview(_Value):
    """What an order would ask: queries picked, answers wanted, and how many are known already.

    `left_out` counts queries that cannot be asked, by the code of the reason.
    """

    queries: int
    requests: int
    known: int
    left_out: dict[str, int] = {}
    forecast: Forecast | None = None


class BatchProgress(_Value):
    """How far a batch is; counted from its rows, so it cannot lie.

    `state` done means that nothing is left to ask; `failed` of them gave no plan, by code in
    `failures`, most frequent first. `reason` (code, values) says why it stopped. The rate is of
    the last two minutes; `eta_s` is absent while there is none. Money is in `currency`, spent and
    as it will be at the end if the rest costs as much as what has come; it is 0 without prices.
    `repairs` counts calls that were to mend an answer, `repaired` those that did.
    """

    id: str
    order: SynthesisOrder
    state: BatchState
    reason: Reason | None
    total: int
    open: int
    in_flight: int
    done: int
    failed: int
    failures: tuple[tuple[str, int], ...]
    input_tokens: int
    output_tokens: int
    reasoning_tokens: int
    rate_per_minute: float
    eta_s: float | None
    spent_money: float
    spent_tokens: int
    currency: str
    forecast_money: float | None
    forecast_tokens: int | None
    budget: Budget | None
    repairs: int
    repaired: int
    started_at: datetime
    finished_at: datetime | None
    created_by: str | None


class SuggestionSample(_Value):
    """One answer of a batch, with what was asked."""

    query_id: str
    query: str
    suggestion: SuggestionView


class Thought(NamedTuple):
    """The length of a trace in characters, how many steps its plan has, and whose it is."""

    model: str
    size: int
    length: int


class RetoldCounts(_Value):
    """What reading re-derived traces again has brought.

    `mended` wait for a reviewer now, `refused` did so before; `left` counts those that could not be
    tested again and stay as they were, by the code of the reason.
    """

    read: int
    mended: int
    refused: int
    left: dict[str, int] = {}


class RereadCounts(_Value):
    """What reading stored replies again has brought; `traces` are the re-derived ones."""

    read: int
    mended: int
    still_failed: int
    traces: RetoldCounts


def _hash(value: object) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()
