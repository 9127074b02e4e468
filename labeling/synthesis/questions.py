"""From a held request to the messages that are sent: the query's own four pins, always."""

from functools import cache

import orjson

from db.access import lists
from db.access.prompts import get_template
from db.access.requests import Held
from db.engine import Database
from labeling.synthesis.hinted import ask_for_plan, ask_for_trace, language_of
from labeling.synthesis.repairing import ask_for_repair
from schemas.errors import NotFound
from schemas.experts import ExpertList
from schemas.prompt import prompt_language, render_messages
from schemas.rederivation import own_prompts, rederivation_prompts


class Questions:
    """Renders requests of one batch; lists and templates are immutable, so each is read once."""

    def __init__(self, database: Database, project_id: str, *, with_thinking: bool) -> None:
        self._database = database
        self._project_id = project_id
        self._with_thinking = with_thinking
        self.expert_list = cache(self._read_list)
        self._template = cache(self._read_template)

    def render(self, held: Held) -> list[dict[str, str]]:
        """System message, history within the window, and the query; or what a hint is about."""
        template = self._template(held.pins.prompt_version_id)
        expert_list = self.expert_list(held.pins.list_version_id)
        if held.hint is not None:
            ask = ask_for_trace if held.hint.rederivation_id is None else ask_for_plan
            return ask(held, held.hint, template, expert_list)
        if held.broken is not None:
            return ask_for_repair(held.broken, template, expert_list, held.pins.dialect)
        return render_messages(
            template,
            expert_list,
            held.history,
            held.text,
            window=held.pins.window,
            dialect=held.pins.dialect,
            with_thinking=self._with_thinking,
            with_examples=True,
        )

    def prompts_version(self, held: Held) -> str:
        """Which templates a re-derivation is asked with."""
        if held.messages is not None:
            return own_prompts(language_of(orjson.loads(held.messages))).version
        template = self._template(held.pins.prompt_version_id)
        return rederivation_prompts(prompt_language(template)).version

    def _read_list(self, version_id: str) -> ExpertList:
        with self._database.reading() as session:
            found = lists.find_list(session, self._project_id, version_id)
        if found is None:
            raise NotFound("experts.list_not_found", reference=version_id)
        return found

    def _read_template(self, version_id: str) -> str:
        with self._database.reading() as session:
            return get_template(session, version_id)
