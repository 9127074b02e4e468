"""Which queries are meant: a filter or ids, and how many that are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from labeling import experts, import_work
from labeling.ui.fields import check, choice, text
from labeling.ui.i18n import Words
from labeling.ui.session import Services
from labeling.ui.view import title, view
from schemas.people import Actor
from schemas.queries import QUERY_STATES, QueryChoice


class ListsShown(NamedTuple):
    """Expert lists and imports to choose from."""

    lists: Any
    imports: Any


@dataclass(frozen=True, slots=True)
class ChoiceFields:
    """The fields; `inputs` are what `to_choice` reads."""

    wanted: gr.Textbox
    state: gr.Dropdown
    expert_list: gr.Dropdown
    imported: gr.Dropdown
    flagged: gr.Checkbox
    ids: gr.Textbox
    count: gr.HTML

    @property
    def inputs(self) -> list[Any]:
        """The fields in the order of `to_choice`."""
        return [
            self.wanted,
            self.state,
            self.expert_list,
            self.imported,
            self.flagged,
            self.ids,
        ]


def to_choice(values: Sequence[Any]) -> QueryChoice:
    """What the fields say."""
    wanted, state, expert_list, imported, flagged, ids = values
    return QueryChoice(
        text=wanted or None,
        state=state or None,
        list_version=expert_list or None,
        import_id=imported or None,
        flagged=bool(flagged),
        ids=tuple(each.strip() for each in (ids or "").splitlines() if each.strip()),
    )


def list_choices(services: Services, who: Actor, words: Words) -> ListsShown:
    """What the fields for lists and imports offer."""
    anything = (words("queries.any"), "")
    versions = experts.list_versions(services.database, who)
    imports = import_work.list_imports(services.database, who)
    return ListsShown(
        gr.Dropdown(choices=[anything, *((each.reference, each.version_id) for each in versions)]),
        gr.Dropdown(
            choices=[
                anything,
                *(
                    (f"{each.file_name} · {each.created_at:%m-%d %H:%M} UTC", each.id)
                    for each in imports
                ),
            ]
        ),
    )


def lay_out_choice(words: Words) -> ChoiceFields:
    """The fields, as a form."""
    states = [(words("queries.any"), "")]
    states += [(words(f"queries.state_{state}"), state) for state in QUERY_STATES]
    anything = [(words("queries.any"), "")]
    with gr.Column(elem_classes="pw-form"):
        title(words("queries.which"))
        with gr.Row():
            wanted = text(words, "queries.steer_wanted", min_width=180, scale=2)
            state = choice(words, "queries.steer_state", states, value="", min_width=110)
            flagged = check(words, "queries.steer_flagged")
        with gr.Row():
            expert_list = choice(words, "queries.steer_list", anything, value="", min_width=140)
            imported = choice(words, "queries.steer_import", anything, value="", min_width=180)
        ids = text(words, "queries.steer_ids", lines=2, max_lines=6)
        count = view("queries-steer-count")
    return ChoiceFields(wanted, state, expert_list, imported, flagged, ids, count)
