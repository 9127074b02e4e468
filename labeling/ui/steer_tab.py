"""Queries, third tab: what comes first, how many people label it, and in which batch."""

from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import gradio as gr

from labeling import accounts, overlap, queue, ranking, work_batches
from labeling.ui.batch_views import batches_view
from labeling.ui.errors import presented, say, unchanged
from labeling.ui.events import DIRECT, on_page_load
from labeling.ui.fields import button, choice, day, hidden, number, text
from labeling.ui.i18n import Words
from labeling.ui.session import Services, who_asks
from labeling.ui.steer_choice import ChoiceFields, lay_out_choice, list_choices, to_choice
from labeling.ui.view import node, on_pick, picked_id, shown, title, view
from schemas.errors import InvalidInput
from schemas.people import Actor


class LoadShown(NamedTuple):
    """Everything that the tab opens with; forms that are for admins show to admins."""

    count: Any
    lists: Any
    imports: Any
    people: Any
    batch_people: Any
    batches: Any
    for_admins: Any
    batch_form: Any
    notice: Any


class CountShown(NamedTuple):
    """How many queries are meant."""

    count: Any
    notice: Any


class BatchesShown(NamedTuple):
    """The batches, and the form of the one that is picked."""

    batches: Any
    picked: Any
    due: Any
    people: Any
    count: Any
    notice: Any


class SteerHandlers:
    """What happens on the tab."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.database = services.database
        self.words = words

    @presented
    def on_load(self, request: gr.Request) -> LoadShown:
        """Show what there is to choose from, and the batches."""
        who = who_asks(request, "reviewer")
        is_admin = who.role == "admin"
        people = gr.Dropdown(choices=self._names(who) if is_admin else [])
        return LoadShown(
            self._count(who, ["", "", "", "", False, ""]),
            *list_choices(self.services, who, self.words),
            people,
            people,
            self._batches(who),
            gr.Column(visible=is_admin),
            gr.Column(visible=is_admin),
            gr.skip(),
        )

    @presented
    def on_choice(self, request: gr.Request, *fields: Any) -> CountShown:
        """Say how many queries are meant."""
        return CountShown(self._count(who_asks(request, "reviewer"), fields), gr.skip())

    @presented
    def on_priority(self, request: gr.Request, *inputs: Any) -> CountShown:
        """Bring queries forward or put them back."""
        who = who_asks(request, "reviewer")
        priority, *fields = inputs
        moved = ranking.set_priority(self.database, who, to_choice(fields), _whole(priority))
        told = say(self.words("queries.priority_set", count=moved))
        return CountShown(self._count(who, fields), told)

    @presented
    def on_recompute(self, request: gr.Request) -> CountShown:
        """Reckon anew what models disagree about."""
        who = who_asks(request, "reviewer")
        changed = ranking.recompute_disagreement(self.database, who)
        told = say(self.words("queries.recomputed", count=changed))
        return unchanged(CountShown, notice=told)

    @presented
    def on_overlap(self, request: gr.Request, *inputs: Any) -> CountShown:
        """Have more or fewer people label each query."""
        who = who_asks(request, "admin")
        people, share, *fields = inputs
        changed = overlap.set_overlap(
            self.database,
            who,
            to_choice(fields),
            _whole(people),
            share=(share or 0) / 100,
        )
        told = self.words("queries.overlap_set", added=changed.added, removed=changed.removed)
        return CountShown(self._count(who, fields), say(told))

    @presented
    def on_make(self, request: gr.Request, *inputs: Any) -> BatchesShown:
        """Make a batch of the chosen queries."""
        who = who_asks(request, "admin")
        name, due, people, *fields = inputs
        made = work_batches.create_batch(
            self.database,
            who,
            name,
            to_choice(fields),
            due_on=_day(due),
            person_ids=people or (),
        )
        told = self.words(
            "queries.batch_made", name=name.strip(), count=made.taken_in, elsewhere=made.elsewhere
        )
        return self._changed(who, told, fields)

    @presented
    def on_pick(self, event: gr.EventData, request: gr.Request) -> BatchesShown:
        """Show a batch in its form."""
        who = who_asks(request, "reviewer")
        found = work_batches.list_batches(self.database, who)
        picked = next((each for each in found if each.id == picked_id(event)), None)
        if picked is None:
            return unchanged(BatchesShown, batches=self._batches(who))
        due = f"{picked.due_on}" if picked.due_on else None
        return unchanged(BatchesShown, picked=picked.id, due=due, people=list(picked.person_ids))

    @presented
    def on_change(
        self, batch_id: str, due: str | None, people: list[str] | None, request: gr.Request
    ) -> BatchesShown:
        """Give a batch another due date or other people."""
        who = who_asks(request, "admin")
        work_batches.change_batch(
            self.database, who, batch_id, due_on=_day(due), person_ids=people or ()
        )
        return self._changed(who, self.words("queries.batch_changed"))

    @presented
    def on_add(self, request: gr.Request, *inputs: Any) -> BatchesShown:
        """Put the chosen queries into a batch."""
        who = who_asks(request, "admin")
        batch_id, *fields = inputs
        made = work_batches.add_to_batch(self.database, who, batch_id, to_choice(fields))
        told = self.words("queries.batch_filled", count=made.taken_in, elsewhere=made.elsewhere)
        return self._changed(who, told, fields)

    @presented
    def on_close(self, batch_id: str, request: gr.Request) -> BatchesShown:
        """Hand out nothing more of a batch."""
        who = who_asks(request, "admin")
        work_batches.close_batch(self.database, who, batch_id)
        return self._changed(who, self.words("queries.batch_closed"))

    @presented
    def on_reopen(self, batch_id: str, request: gr.Request) -> BatchesShown:
        """Hand out the rest of a batch."""
        who = who_asks(request, "admin")
        work_batches.reopen_batch(self.database, who, batch_id)
        return self._changed(who, self.words("queries.batch_reopened"))

    def _changed(self, who: Actor, told: str, fields: Any = None) -> BatchesShown:
        count = gr.skip() if fields is None else self._count(who, fields)
        return unchanged(BatchesShown, batches=self._batches(who), count=count, notice=say(told))

    def _batches(self, who: Actor) -> Any:
        found = work_batches.list_batches(self.database, who)
        return shown(batches_view(found, self.words))

    def _count(self, who: Actor, fields: Any) -> Any:
        count = queue.count_chosen(self.database, who, to_choice(fields))
        return shown(node("p", self.words("queries.chosen_count", count=f"{count:,}")))

    def _names(self, who: Actor) -> list[tuple[str, str]]:
        people = accounts.list_people(self.database, who)
        return [(each.name, each.person_id) for each in people if each.is_active]


def _whole(value: float | None) -> int:
    if value is None or value != int(value):
        raise InvalidInput("queue.not_whole")
    return int(value)


def _day(text: str | None) -> date | None:
    if not text or not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError as error:
        raise InvalidInput("queue.not_a_day", text=text.strip()) from error


@dataclass(frozen=True, slots=True)
class SteerTab:
    """What is on the tab."""

    fields: ChoiceFields
    priority: gr.Number
    set_priority: gr.Button
    recompute: gr.Button
    for_admins: gr.Column
    overlap: gr.Number
    share: gr.Number
    set_overlap: gr.Button
    name: gr.Textbox
    due: gr.DateTime
    people: gr.Dropdown
    make: gr.Button
    batches: gr.HTML
    batch_form: gr.Column
    picked: gr.Textbox
    batch_due: gr.DateTime
    batch_people: gr.Dropdown
    change: gr.Button
    add: gr.Button
    close: gr.Button
    reopen: gr.Button


def build_steer_tab(services: Services, words: Words, told: gr.HTML) -> SteerTab:
    """The tab, with its events; `told` is the page's notice."""
    tab = _lay_out(words)
    handlers = SteerHandlers(services, words)
    fields, count = tab.fields.inputs, [tab.fields.count, told]
    shown_on_load = [
        tab.fields.count,
        tab.fields.expert_list,
        tab.fields.imported,
        tab.people,
        tab.batch_people,
        tab.batches,
        tab.for_admins,
        tab.batch_form,
        told,
    ]
    on_page_load(handlers.on_load, None, shown_on_load)
    # One event for all fields: of two, the answer to the older question could come last.
    changes = [field.change for field in fields]
    gr.on(changes, handlers.on_choice, fields, count, trigger_mode="always_last", **DIRECT)
    tab.set_priority.click(handlers.on_priority, [tab.priority, *fields], count, **DIRECT)
    tab.recompute.click(handlers.on_recompute, None, count, **DIRECT)
    tab.set_overlap.click(handlers.on_overlap, [tab.overlap, tab.share, *fields], count, **DIRECT)
    batches = [tab.batches, tab.picked, tab.batch_due, tab.batch_people, tab.fields.count, told]
    new = [tab.name, tab.due, tab.people, *fields]
    tab.make.click(handlers.on_make, new, batches, **DIRECT)
    on_pick(tab.batches, handlers.on_pick, None, batches)
    form = [tab.picked, tab.batch_due, tab.batch_people]
    tab.change.click(handlers.on_change, form, batches, **DIRECT)
    tab.add.click(handlers.on_add, [tab.picked, *fields], batches, **DIRECT)
    tab.close.click(handlers.on_close, tab.picked, batches, **DIRECT)
    tab.reopen.click(handlers.on_reopen, tab.picked, batches, **DIRECT)
    return tab


def _lay_out(words: Words) -> SteerTab:
    parts: dict[str, Any] = {}
    with gr.Tab(words("queries.tab_steer"), id="steer"), gr.Row():
        with gr.Column(scale=3):
            parts["fields"] = lay_out_choice(words)
            with gr.Column(elem_classes="pw-form"):
                title(words("queries.priority_title"))
                with gr.Row():
                    parts["priority"] = number(
                        words, "queries.priority", precision=0, value=1, min_width=120
                    )
                    parts["set_priority"] = button(words, "queries.set_priority", "primary")
                    parts["recompute"] = button(words, "queries.recompute")
            with gr.Column(visible=False) as for_admins:
                parts |= _lay_out_for_admins(words)
        with gr.Column(scale=3):
            parts["batches"] = view("queries-batches", parameter="batch")
            with gr.Column(elem_classes="pw-form", visible=False) as batch_form:
                title(words("queries.batch_form"))
                parts["picked"] = hidden("queries.batch_picked")
                with gr.Row():
                    parts["batch_due"] = day(words, "queries.batch_due")
                    parts["batch_people"] = choice(
                        words, "queries.batch_people", multiselect=True, scale=2
                    )
                with gr.Row():
                    parts["change"] = button(words, "queries.batch_change", "primary")
                    parts["add"] = button(words, "queries.batch_add")
                    parts["close"] = button(words, "queries.batch_close", "stop")
                    parts["reopen"] = button(words, "queries.batch_reopen")
    return SteerTab(**parts, for_admins=for_admins, batch_form=batch_form)


def _lay_out_for_admins(words: Words) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    with gr.Column(elem_classes="pw-form"):
        title(words("queries.overlap_title"))
        with gr.Row():
            parts["overlap"] = number(
                words, "queries.overlap", precision=0, value=2, minimum=1, maximum=9
            )
            parts["share"] = number(words, "queries.share", value=100, minimum=0.1, maximum=100)
            parts["set_overlap"] = button(words, "queries.set_overlap", "primary")
    with gr.Column(elem_classes="pw-form"):
        title(words("queries.batch_title"))
        with gr.Row():
            parts["name"] = text(words, "queries.batch_name", min_width=140)
            parts["due"] = day(words, "queries.due")
        with gr.Row():
            parts["people"] = choice(words, "queries.batch_for", multiselect=True, scale=2)
            parts["make"] = button(words, "queries.batch_make", "primary")
    return parts
