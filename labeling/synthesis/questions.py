"""From a held request to the messages that are sent: the query's own four pins, always."""

from functools import cache

from db.access import lists
from db.access.prompts import get_template
from db.access.requests import Held
from db.engine import Database
from schemas.errors import NotFound
from schemas.experts import ExpertList
from schemas.prompt import render_messages


class Questions:
    """Renders requests of one batch; lists and templates are immutable, so each is read once."""

    def __init__(self, database: Database, project_id: str, *, with_thinking: bool) -> None:
        self._database = database
        self._project_id = project_id
        self._with_thinking = with_thinking
        self.expert_list = cache(self._read_list)
        self._template = cache(self._read_template)

    def render(self, held: Held) -> list[dict[str, str]]:
        """System message, history within the window, and the query."""
        return render_messages(
            self._template(held.pins.prompt_version_id),
            self.expert_list(held.pins.list_version_id),
            held.history,
            held.text,
            window=held.pins.window,
            dialect=held.pins.dialect,
            with_thinking=self._with_thinking,
        )

    def _read_list(self, version_id: str) -> ExpertList:
        with self._database.reading() as session:
            found = lists.find_list(session, self._project_id, version_id)
        if found is None:
            raise NotFound("experts.list_not_found", reference=version_id)
        return found

    def _read_template(self, version_id: str) -> str:
        with self._database.reading() as session:
            return get_template(session, version_id)
