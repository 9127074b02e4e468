"""The part of the training page that shows completions of GRPO, and sends bad ones to people."""

from dataclasses import dataclass
from math import ceil, floor, isfinite, nan
from typing import Any, NamedTuple

import gradio as gr

from exports.training import rollout_work
from exports.training.rollout_sources import Place, to_place
from exports.training.rollouts import RolloutChoice
from labeling.ui import rollout_views as views
from labeling.ui.errors import presented, say
from labeling.ui.events import DIRECT
from labeling.ui.fields import button, check, choice, hidden, text
from labeling.ui.i18n import Words
from labeling.ui.session import Services, who_asks
from labeling.ui.view import on_pick, picked_id, shown, title, view
from schemas.errors import InvalidInput, NotFound
from schemas.project import REWARDS


class ListShown(NamedTuple):
    """A page of completions; the order is the order of the outputs."""

    rows: Any
    page: Any
    before: Any
    more: Any
    notice: Any


class OneShown(NamedTuple):
    """One completion."""

    detail: Any
    rollout: Any
    look: Any
    reason: Any
    notice: Any


class LookAsked(NamedTuple):
    """What became of a request for another look."""

    reason: Any
    notice: Any


class RolloutHandlers:
    """What happens in this part."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.words = words

    @presented
    def on_filter(self, request: gr.Request, picked: str, *fields: Any) -> ListShown:
        """Show the first page."""
        return self._list(request, picked, 0, *fields)

    @presented
    def on_more(self, request: gr.Request, picked: str, page: float, *fields: Any) -> ListShown:
        """Show the next page."""
        return self._list(request, picked, int(page or 0) + 1, *fields)

    @presented
    def on_before(self, request: gr.Request, picked: str, page: float, *fields: Any) -> ListShown:
        """Show the page before."""
        return self._list(request, picked, max(0, int(page or 0) - 1), *fields)

    @presented
    def on_pick(self, event: gr.EventData, request: gr.Request) -> OneShown:
        """Show one completion."""
        who, rollout = who_asks(request, "admin"), picked_id(event)
        services = self.services
        found = rollout_work.get_rollout(services.database, services.settings, who, _place(rollout))
        can_ask = found.query_state is not None
        detail = shown(views.detail_view(found, self.words))
        reason = views.worst_reason(found, self.words)
        return OneShown(detail, rollout, gr.Column(visible=can_ask), reason, gr.skip())

    @presented
    def on_look(self, rollout: str, reason: str, request: gr.Request) -> LookAsked:
        """Ask people to look at the query of this completion again."""
        who, place = who_asks(request, "admin"), _place(rollout)
        services = self.services
        rollout_work.ask_for_another_look(
            services.database, services.settings, who, place, reason=reason
        )
        return LookAsked("", say(self.words("training.look_asked")))

    def _list(self, request: gr.Request, picked: str, page: int, *fields: Any) -> ListShown:
        who, services = who_asks(request, "admin"), self.services
        if not picked:
            return ListShown(gr.skip(), 0, gr.skip(), gr.skip(), gr.skip())
        wanted = read_choice(page, *fields)
        found = rollout_work.list_rollouts(
            services.database, services.settings, who, picked, wanted
        )
        return ListShown(
            shown(views.list_view(found, page, self.words)),
            page,
            gr.Button(visible=page > 0),
            gr.Button(visible=page + 1 < found.pages),
            gr.skip(),
        )


def read_choice(page: int, *fields: Any) -> RolloutChoice:
    """What the fields ask for; a field that is blank asks for nothing.

    Raises:
        InvalidInput: `training.not_a_limit`.
    """
    by, is_descending, reward, *limits = fields
    low, high, first, last, shortest, longest = map(_limit, limits)
    return RolloutChoice(
        by=str(by),
        is_descending=bool(is_descending),
        reward=str(reward),
        low=low,
        high=high,
        first_step=None if first is None else ceil(first),
        last_step=None if last is None else floor(last),
        shortest=None if shortest is None else ceil(shortest),
        longest=None if longest is None else floor(longest),
        page=page,
    )


def _limit(typed: object) -> float | None:
    text = str(typed or "").strip()
    try:
        found = float(text) if text else None
    except ValueError:
        found = nan
    if found is not None and not isfinite(found):
        raise InvalidInput("training.not_a_limit", text=text[:40])
    return found


def _place(rollout: str) -> Place:
    place = to_place(rollout)
    if place is None:
        raise NotFound("training.rollout_not_found", line=rollout[:80])
    return place


@dataclass(frozen=True, slots=True)
class RolloutPart:
    """What is on the screen."""

    fields: tuple[Any, ...]
    find: gr.Button
    rows: gr.HTML
    page: gr.Number
    before: gr.Button
    more: gr.Button
    detail: gr.HTML
    rollout: gr.Textbox
    look: gr.Column
    reason: gr.Textbox
    ask: gr.Button


def build_rollouts(
    services: Services, words: Words, picked: gr.Textbox, told: gr.HTML
) -> RolloutPart:
    """The part, with its events."""
    part, handlers = _lay_out(words), RolloutHandlers(services, words)
    listed = [part.rows, part.page, part.before, part.more, told]
    picked.change(handlers.on_filter, [picked, *part.fields], listed, **DIRECT)
    part.find.click(handlers.on_filter, [picked, *part.fields], listed, **DIRECT)
    turning = [picked, part.page, *part.fields]
    part.more.click(handlers.on_more, turning, listed, **DIRECT)
    part.before.click(handlers.on_before, turning, listed, **DIRECT)
    one = [part.detail, part.rollout, part.look, part.reason, told]
    on_pick(part.rows, handlers.on_pick, None, one)
    part.ask.click(handlers.on_look, [part.rollout, part.reason], [part.reason, told], **DIRECT)
    return part


def _lay_out(words: Words) -> RolloutPart:
    with gr.Column(elem_classes="pw-form", elem_id="training-rollouts-form"):
        fields = _lay_out_fields(words)
        find = button(words, "training.find")
    rows = view("training-rollouts", parameter="rollout")
    page = gr.Number(0, elem_classes="pw-hidden", elem_id="training-rollout-page")
    with gr.Row():
        before = gr.Button(words("training.page_before"), size="sm", visible=False)
        more = gr.Button(
            words("training.page_next"), size="sm", visible=False, elem_id="training-rollouts-next"
        )
    detail = view("training-rollout")
    rollout = hidden("training.rollout_picked")
    with gr.Column(visible=False, elem_classes="pw-form") as look:
        title(words("training.look_title"))
        with gr.Row():
            reason = text(words, "training.look_reason", scale=3)
            ask = button(words, "training.look_ask")
    return RolloutPart(fields, find, rows, page, before, more, detail, rollout, look, reason, ask)


def _lay_out_fields(words: Words) -> tuple[Any, ...]:
    rewards = [(words(f"datasets.reward_{name}"), name) for name in REWARDS]
    total = [(words("training.line_total"), "total")]
    others = [(words("training.step").capitalize(), "step"), (words("training.length"), "length")]
    with gr.Row():
        by = choice(words, "training.by", [*total, *rewards, *others], value="total", min_width=130)
        descending = check(words, "training.descending")
        reward = choice(words, "training.with", [*total, *rewards], value="total", min_width=130)
        low = text(words, "training.low", min_width=80)
        high = text(words, "training.high", min_width=80)
    with gr.Row():
        limits = [
            text(words, f"training.{each}", min_width=100)
            for each in ("first_step", "last_step", "shortest", "longest")
        ]
    return (by, descending, reward, low, high, *limits)
