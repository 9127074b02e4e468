"""What is asked of a model endpoint, and how far the asking is."""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from schemas.desk import SuggestionView
from schemas.errors import InvalidInput
from schemas.rederivation import Rederive

BatchState = Literal["running", "done", "stopped", "cancelled"]
Which = Literal["waiting", "undecided"]
RequestKind = Literal["answer", "trace", "decode"]
Reason = tuple[str, Mapping[str, JsonValue]]
"""Code and values of a sentence."""

_KEY_NAME = re.compile(r"[A-Z][A-Z0-9_]*(KEY|TOKEN)")
_OURS = frozenset({"messages", "model", "stream", "stream_options", "n", "api_key"})


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _checked_endpoint(url: str) -> str:
    """The base URL as the client wants it: `https://host/v1`, whatever was pasted.

    Raises:
        InvalidInput: `synthesis.endpoint_not_a_url`, also for a URL that carries a password.
    """
    url = url.strip().rstrip("/").removesuffix("/chat/completions")
    parts = urlsplit(url)
    is_plain = not (parts.username or parts.password or parts.query or parts.fragment)
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_plain:
        raise InvalidInput("synthesis.endpoint_not_a_url")
    return url


def _checked_key_env(name: str | None) -> str | None:
    """The name of an environment variable.

    The value is never repeated in the refusal: it may be the key itself, pasted by mistake.

    Raises:
        InvalidInput: `synthesis.key_env_not_a_name`.
    """
    if not name:
        return None
    if not _KEY_NAME.fullmatch(name) or name.startswith("PLANWRIGHT_"):
        raise InvalidInput("synthesis.key_env_not_a_name")
    return name


def _checked_parameters(parameters: dict[str, JsonValue]) -> dict[str, JsonValue]:
    taken = sorted(_OURS & parameters.keys())
    if taken:
        raise InvalidInput("synthesis.parameter_is_ours", names=", ".join(taken))
    return parameters


class SynthesisOrder(_Value):
    """Which queries are asked of which model, and how.

    `n` answers are wanted for each query. `parameters` go into the request as they are
    (temperature, max_tokens, …). `experts` (NAME[@N]) picks the queries pinned to that list;
    `limit` counts queries. `which`: waiting has no suggestion yet, undecided also takes those that
    have one. With `rederive` it asks for traces instead: for accepted plans that no trace leads to.
    The key is known by the name of an environment variable only.
    """

    endpoint: Annotated[str, AfterValidator(_checked_endpoint)]
    model: str = Field(min_length=1)
    key_env: Annotated[str | None, AfterValidator(_checked_key_env)] = None
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

    @classmethod
    def read(cls, values: Mapping[str, object]) -> "SynthesisOrder":
        """An order from what a form or a command line gives.

        Raises:
            InvalidInput: `synthesis.order_refused`, or a code that says which value is at fault.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}"
                for each in error.errors(include_input=False, include_url=False)
            )
            raise InvalidInput("synthesis.order_refused", faults=faults) from None

    @property
    def order_hash(self) -> str:
        """Equal for equal orders."""
        return _hash(self.to_plain())

    def to_plain(self) -> dict[str, object]:
        """Plain values, as they are stored; an order for answers looks as it always has."""
        return self.model_dump(mode="json", exclude=None if self.rederive else {"rederive"})

    def request_key(self, pins: "QueryPins", candidate: int) -> str:
        """The identity of one answer: what is sent, to whom, and which of the `n` it is."""
        return _hash(
            [
                pins.model_dump(mode="json"),
                [self.endpoint, self.model, self.parameters, self.with_thinking],
                candidate,
            ]
        )

    def trace_key(self, pins: "QueryPins", revision_id: str, prompt: str, candidate: int) -> str:
        """The identity of a trace for an accepted revision, by a version of the templates."""
        asked = [self.endpoint, self.model, self.parameters, prompt]
        return _hash(["trace", pins.model_dump(mode="json"), revision_id, asked, candidate])


def decode_key(trace_id: str, number: int) -> str:
    """The identity of one blind plan of a trace."""
    return _hash(["decode", trace_id, number])


class QueryPins(_Value):
    """A query and the four things that it is tied to."""

    query_id: str
    list_version_id: str
    prompt_version_id: str
    dialect: str
    window: int


class BatchPreview(_Value):
    """What an order would ask: queries picked, answers wanted, and how many are known already."""

    queries: int
    requests: int
    known: int


class BatchProgress(_Value):
    """How far a batch is; counted from its rows, so it cannot lie.

    `state` done means that nothing is left to ask; `failed` of them gave no plan, by code in
    `failures`, most frequent first. `reason` (code, values) says why it stopped. The rate is of
    the last two minutes; `eta_s` is absent while there is none.
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
    started_at: datetime
    finished_at: datetime | None
    created_by: str | None


class SuggestionSample(_Value):
    """One answer of a batch, with what was asked."""

    query_id: str
    query: str
    suggestion: SuggestionView


class RereadCounts(_Value):
    """What reading stored replies again has brought."""

    read: int
    mended: int
    still_failed: int


def _hash(value: object) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()
