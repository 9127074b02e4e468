"""From a query and a plan to what a row is made of: messages by the query's own pins."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from exports.augment import augmented_list, decoys_for
from exports.formats import Material, RowForm, line_head
from exports.spool import Mark, Tally
from schemas.bundle import AUGMENTED, PLAIN
from schemas.dialects import get_dialect
from schemas.experts import Expert, ExpertList
from schemas.parts import PinnedPrompt, QueryPart
from schemas.prompt import agent_template, render_system, to_messages
from schemas.recipe import SourceKind
from schemas.scoring.answer import has_strict_form
from schemas.scoring.wire import to_text


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
    experts: tuple[Expert, ...]

    @classmethod
    def of(cls, expert_list: ExpertList) -> "_ListFacts":
        experts = expert_list.experts
        return cls(tuple(each.name for each in experts), expert_list.reference, experts)


class _System(NamedTuple):
    """A system message, and how a line of a file begins with it."""

    text: str
    head: bytes


class Materials:
    """Makes the material of rows of one bundle; what many rows share is rendered once."""

    def __init__(self, pinned: Pinned, form: RowForm) -> None:
        self.pinned = pinned
        self.form = form
        self._systems: dict[tuple[object, ...], _System] = {}
        self._agent_systems: dict[tuple[object, ...], _System] = {}
        self._decoys: dict[str, tuple[Expert, ...]] = {}
        self._lists = {key: _ListFacts.of(each) for key, each in pinned.lists.items()}

    def make(
        self,
        query: QueryPart,
        channel: SourceKind,
        plan: dict[str, Any],
        trace: str | None,
        variant: str = "",
    ) -> Material:
        """The material of one row; its variant is that of a `RowOrigin`."""
        is_plain = variant == PLAIN or self.form.is_plain(query.cluster)
        with_thinking = self.form.with_thinking and not is_plain
        if variant == AUGMENTED:
            return self._augmented(query, channel, plan, trace, is_plain=is_plain)
        facts = self._lists[query.list_version_id]
        agent_system = None
        if self.form.has_agent and query.messages is None:
            agent_system = self._agent_system(query, with_thinking=with_thinking).text
        return Material(
            query.id,
            channel,
            self._messages(query, with_thinking=with_thinking),
            facts.expert_names,
            facts.reference,
            query.dialect,
            plan,
            trace,
            query.answer if channel == "history" else None,
            is_plain,
            False,
            facts.experts,
            agent_system,
        )

    def make_encoded(
        self, query: QueryPart, channel: SourceKind, plan: dict[str, Any], trace: str | None
    ) -> Material:
        """`make` for several lines: what they have in common is JSON already."""
        material = self.make(query, channel, plan, trace)
        messages = orjson.dumps(material.messages)[1:-1]
        return material._replace(
            messages=(orjson.Fragment(messages),), plan_text=to_text(plan, query.dialect)
        )

    def _augmented(
        self,
        query: QueryPart,
        channel: SourceKind,
        plan: dict[str, Any],
        trace: str | None,
        *,
        is_plain: bool,
    ) -> Material:
        """The twin of a row, under its own list."""
        own = self.pinned.lists[query.list_version_id]
        decoys = self._decoys.get(query.list_version_id)
        if decoys is None:
            decoys = decoys_for(own, self.pinned.lists.values())
            self._decoys[query.list_version_id] = decoys
        form = self.form
        changed = augmented_list(
            form.seed, form.augmentation, query.id, own=own, plan=plan, decoys=decoys
        )
        facts, with_thinking = _ListFacts.of(changed), form.with_thinking and not is_plain
        system = self._render(query, changed, with_thinking=with_thinking)
        messages = to_messages(system, orjson.loads(query.history), query.text, query.window)
        return Material(
            query.id,
            channel,
            messages,
            facts.expert_names,
            facts.reference,
            query.dialect,
            plan,
            trace,
            None,
            is_plain,
            True,
            facts.experts,
            self._agent_system(query, with_thinking=with_thinking).text if form.has_agent else None,
        )

    def mark(self, query: QueryPart, material: Material, *, is_agent: bool = False) -> Mark:
        """What the row shares with others; the agent form begins with a prompt of its own."""
        answer, misses_form = material.old_answer, False
        if self.form.is_verbatim and answer is not None:
            misses_form = not has_strict_form(answer, with_thinking=material.thinks(self.form))
        experts = tuple([step["expert"] for step in material.plan["steps"]])
        if query.messages is not None:
            return Mark(b"", experts, None, misses_form)
        with_thinking = material.thinks(self.form)
        head = b""
        if is_agent:
            head = self._agent_system(query, with_thinking=with_thinking).head
        elif not material.is_augmented:
            head = self._system(query, with_thinking=with_thinking).head
        return Mark(head, experts, query.prompt_version_id, misses_form)

    def _messages(self, query: QueryPart, *, with_thinking: bool) -> list[dict[str, str]]:
        """Historical chat messages as they came; else rendered by the query's pins."""
        if query.messages is not None:
            return orjson.loads(query.messages)
        history = orjson.loads(query.history)
        system = self._system(query, with_thinking=with_thinking)
        return to_messages(system.text, history, query.text, query.window)

    def _system(self, query: QueryPart, *, with_thinking: bool) -> _System:
        pins = (
            query.prompt_version_id,
            query.list_version_id,
            query.dialect,
            query.window,
            with_thinking,
        )
        system = self._systems.get(pins)
        if system is None:
            expert_list = self.pinned.lists[query.list_version_id]
            text = self._render(query, expert_list, with_thinking=with_thinking)
            system = self._systems[pins] = _System(text, line_head(text))
        return system

    def _render(self, query: QueryPart, expert_list: ExpertList, *, with_thinking: bool) -> str:
        template = self.pinned.prompts[query.prompt_version_id].template
        dialect = get_dialect(query.dialect)
        return render_system(
            template, expert_list, query.window, dialect, with_thinking=with_thinking
        )

    def _agent_system(self, query: QueryPart, *, with_thinking: bool) -> _System:
        """What a planner is told that calls its experts as tools; no expert stands in it."""
        template = agent_template(self.pinned.prompts[query.prompt_version_id].template)
        pins = (template, query.list_version_id, query.dialect, query.window, with_thinking)
        system = self._agent_systems.get(pins)
        if system is None:
            expert_list, dialect = (
                self.pinned.lists[query.list_version_id],
                get_dialect(query.dialect),
            )
            text = render_system(
                template, expert_list, query.window, dialect, with_thinking=with_thinking
            )
            system = self._agent_systems[pins] = _System(text, line_head(text))
        return system
