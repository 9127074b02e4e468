"""Expert lists: the experts, analysis tools and products on offer at one time."""

import hashlib
from functools import cached_property

import orjson
from pydantic import BaseModel, ConfigDict, JsonValue


class Expert(BaseModel):
    """An agent that a plan can name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str
    aliases: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()


class ExpertList(BaseModel):
    """One published version; immutable, so its content hash is its identity.

    `version` counts from 1 within a name; tools and services are free objects with a `name`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: int
    experts: tuple[Expert, ...]
    tools: tuple[dict[str, JsonValue], ...] = ()
    services: tuple[dict[str, JsonValue], ...] = ()

    @cached_property
    def names(self) -> frozenset[str]:
        """The names that a plan may use."""
        return frozenset(expert.name for expert in self.experts)

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Alias → name."""
        return {alias: expert.name for expert in self.experts for alias in expert.aliases}

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over experts, tools and services; name and version do not count."""
        content = self.model_dump(mode="json", include={"experts", "tools", "services"})
        return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()

    @property
    def reference(self) -> str:
        """`NAME@VERSION`, as commands and files write it."""
        return f"{self.name}@{self.version}"
