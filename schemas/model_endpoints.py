"""Model endpoints known by name: what an admin says of one, and what asking it has shown."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import InvalidInput
from schemas.faults import faults_of

Thinking = Literal["reasoning_content", "reasoning", "inline", "none"]
Verdict = Literal["yes", "no", "refused", "unknown"]
MILLION = 1_000_000

_KEY_NAME = re.compile(r"[A-Z][A-Z0-9_]*(KEY|TOKEN)")
_NAME = re.compile(r"[^\s@/\\,\x00-\x1f][^@/\\,\x00-\x1f]{0,59}")


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def checked_url(url: str) -> str:
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


def checked_key_env(name: str | None) -> str | None:
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


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise InvalidInput("models.name_unusable")
    return name


Url = Annotated[str, AfterValidator(checked_url)]
KeyEnv = Annotated[str | None, AfterValidator(checked_key_env)]


class EndpointSettings(_Value):
    """A model at an address, as an admin describes it.

    `weight` is its share of a batch beside others. The limits are for a minute, tokens in and out
    together. Prices are for a million tokens in `currency`, a text that is only shown. `stream`
    asks for replies piece by piece, which keeps long thinking from running into time limits.
    """

    name: Annotated[str, AfterValidator(_checked_name)]
    url: Url
    model: str = Field(min_length=1)
    key_env: KeyEnv = None
    weight: float = Field(default=1.0, gt=0, le=1000)
    stream: bool = False
    requests_per_minute: int | None = Field(default=None, ge=1)
    tokens_per_minute: int | None = Field(default=None, ge=1)
    input_price: float | None = Field(default=None, ge=0)
    output_price: float | None = Field(default=None, ge=0)
    currency: str = Field(default="", max_length=12)

    @classmethod
    def read(cls, values: Mapping[str, object]) -> "EndpointSettings":
        """Settings from what a form or a command line gives.

        Raises:
            InvalidInput: `models.settings_refused`, or a code that says which value is at fault.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise InvalidInput("models.settings_refused", faults=faults_of(error)) from None

    @property
    def is_priced(self) -> bool:
        """Whether what it costs is known."""
        return self.input_price is not None and self.output_price is not None

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        """What so many tokens cost; 0 where there is no price.

        >>> at = EndpointSettings(name="r1", url="https://h/v1", model="m", input_price=4,
        ...     output_price=16)
        >>> at.cost(1_000_000, 500_000)
        12.0
        """
        spent = input_tokens * (self.input_price or 0) + output_tokens * (self.output_price or 0)
        return spent / MILLION


class Probe(_Value):
    """What a few small questions have shown of an endpoint.

    `thinking` names where the thinking is. For the rest: `yes` it does as asked, `no` it takes no
    notice, `refused` it refuses the question, `unknown` the answers do not tell. `temperature` is
    whether it makes a difference. `problem` is a sentence (code, values) when it could not be
    asked at all.
    """

    probed_at: datetime
    latency_s: float = 0.0
    thinking: Thinking = "none"
    json_mode: Verdict = "unknown"
    json_schema: Verdict = "unknown"
    temperature: Verdict = "unknown"
    streams: Verdict = "unknown"
    keep_alives: bool = False
    problem: tuple[str, Mapping[str, str | int | None]] | None = None


class EndpointView(_Value):
    """An endpoint with its probe; `has_key` says whether this process finds the key it names."""

    id: str
    settings: EndpointSettings
    probe: Probe | None
    has_key: bool
