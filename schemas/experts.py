"""Expert lists: the experts, analysis tools and products on offer at one time."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property

import orjson
from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter


class Expert(BaseModel):
    """An agent that a plan can name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str
    aliases: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()


class ExpertList(BaseModel):
    """One published version; immutable, so its content hash is its identity.

    `version` counts from 1 within a name (0: not published yet); tools and services are free
    objects with a `name`.
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


class ListSummary(BaseModel):
    """A published version as lists of versions show it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version_id: str
    name: str
    version: int
    experts: int
    tools: int
    services: int
    note: str
    published_by: str | None
    published_at: datetime
    is_current: bool

    @property
    def reference(self) -> str:
        """`NAME@VERSION`, as commands and files write it."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class Published:
    """The answer to publishing: the version, which is not new if its content stood there before."""

    list: ExpertList
    version_id: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class ExpertChange:
    """One expert that both versions have, under what it was and what it is."""

    before: Expert
    after: Expert


@dataclass(frozen=True, slots=True)
class ListComparison:
    """What changed from one version to another, in the order of the newer list.

    An expert is `renamed` when the newer list carries the old name as an alias; `described` holds
    experts of the same name whose description, aliases or inputs differ. Tools and services are
    told apart by name.
    """

    added: tuple[Expert, ...]
    retired: tuple[Expert, ...]
    renamed: tuple[ExpertChange, ...]
    described: tuple[ExpertChange, ...]
    tools_added: tuple[str, ...]
    tools_retired: tuple[str, ...]
    tools_changed: tuple[str, ...]
    services_added: tuple[str, ...]
    services_retired: tuple[str, ...]
    services_changed: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether the two say the same."""
        return not any(getattr(self, field.name) for field in fields(self))

    def to_plain(self) -> dict[str, JsonValue]:
        """Plain JSON values."""
        return TypeAdapter(ListComparison).dump_python(self, mode="json")


def compare_lists(before: ExpertList, after: ExpertList) -> ListComparison:
    """What a reader of the older version has to learn about the newer."""
    old = {expert.name: expert for expert in before.experts}
    renamed = tuple(
        ExpertChange(old[alias], expert)
        for expert in after.experts
        if expert.name not in old
        for alias in expert.aliases
        if alias in old and alias not in after.names
    )
    moved = {name for change in renamed for name in (change.before.name, change.after.name)}
    kept = [ExpertChange(old[each.name], each) for each in after.experts if each.name in old]
    tools, services = (
        _differences(before.tools, after.tools),
        _differences(before.services, after.services),
    )
    return ListComparison(
        added=tuple(each for each in after.experts if each.name not in {*old, *moved}),
        retired=tuple(each for each in before.experts if each.name not in {*after.names, *moved}),
        renamed=renamed,
        described=tuple(change for change in kept if change.before != change.after),
        tools_added=tools[0],
        tools_retired=tools[1],
        tools_changed=tools[2],
        services_added=services[0],
        services_retired=services[1],
        services_changed=services[2],
    )


def _differences(
    before: Sequence[dict[str, JsonValue]], after: Sequence[dict[str, JsonValue]]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Names added, retired and changed."""
    old = {str(each["name"]): each for each in before}
    new = {str(each["name"]): each for each in after}
    return (
        tuple(name for name in new if name not in old),
        tuple(name for name in old if name not in new),
        tuple(name for name in new if name in old and new[name] != old[name]),
    )
