"""From a query and a plan to what a row is made of: messages by the query's own pins."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from db.access.exports import PinnedPrompt, QueryPart
from exports.formats import Material, RowForm, line_head
from exports.spool import Mark, Tally
from schemas.dialects import get_dialect
from schemas.experts import ExpertList
from schemas.prompt import render_system, to_messages
from schemas.recipe import SourceKind
from schemas.scoring.answer import has_strict_form


class Pinned(NamedTuple):
    """Every version that queries of the project are pinned to, by id."""

    lists: Mapping[str, ExpertList]
    prompts: Mapping[str, PinnedPrompt]

    def used_prompts(self, tally: Tally) -> dict[str, str]:
        """Reference → content hash of the prompts that rows were rendered with."""
        prompts = sorted(self.prompts[each] for each in tally.prompt_ids)
        return {each.reference: each.content_hash for each in prompts}


class _ListFacts(NamedTuple):
    """What rows of one list share."""

    expert_names: tuple[str, ...]
    reference: str


class _System(NamedTuple):
    """A system message, and how a line of a file begins with it."""

    text: str
    head: bytes


class Materials:
    """Makes the material of rows of one bundle; what many rows share is rendered once."""

    def __init__(self, pinned: Pinned, form: RowForm) -> None:
        self.pinned = pinned
        self.form = form
        self._systems: dict[tuple[str, str, str, int], _System] = {}
        self._lists = {
            key: _ListFacts(tuple(expert.name for expert in each.experts), each.reference)
            for key, each in pinned.lists.items()
        }

    def make(
        self, query: QueryPart, channel: SourceKind, plan: dict[str, Any], trace: str | None
    ) -> Material:
        """The material of one row."""
        facts = self._lists[query.list_version_id]
        return Material(
            query.id,
            channel,
            self._messages(query),
            facts.expert_names,
            facts.reference,
            query.dialect,
            plan,
            trace,
            query.answer if channel == "history" else None,
        )

    def mark(self, query: QueryPart, material: Material) -> Mark:
        """What the row shares with others."""
        answer, misses_form = material.old_answer, False
        if self.form.is_verbatim and answer is not None:
            misses_form = not has_strict_form(answer, with_thinking=self.form.with_thinking)
        experts = tuple([step["expert"] for step in material.plan["steps"]])
        if query.messages is not None:
            return Mark(b"", experts, None, misses_form)
        return Mark(self._system(query).head, experts, query.prompt_version_id, misses_form)

    def _messages(self, query: QueryPart) -> list[dict[str, str]]:
        """Historical chat messages as they came; else rendered by the query's pins."""
        if query.messages is not None:
            return orjson.loads(query.messages)
        history = orjson.loads(query.history)
        return to_messages(self._system(query).text, history, query.text, query.window)

    def _system(self, query: QueryPart) -> _System:
        pins = (query.prompt_version_id, query.list_version_id, query.dialect, query.window)
        system = self._systems.get(pins)
        if system is None:
            text = render_system(
                self.pinned.prompts[query.prompt_version_id].template,
                self.pinned.lists[query.list_version_id],
                query.window,
                get_dialect(query.dialect),
                with_thinking=self.form.with_thinking,
            )
            system = self._systems[pins] = _System(text, line_head(text))
        return system
