"""The form of acceptance sampling: lot size, tolerated rate, confidence, and what comes of them."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from labeling import lots, projects
from labeling.ui.errors import presented, say
from labeling.ui.events import DIRECT, on_page_load
from labeling.ui.fields import button, check, number
from labeling.ui.i18n import Words
from labeling.ui.session import Services, who_asks
from labeling.ui.view import Node, card, chart, facts, node, shown, title, view
from schemas.errors import InvalidInput
from schemas.lots import LotsLeft
from schemas.people import Actor
from schemas.project import SamplingSettings
from schemas.sampling import GOOD_SHARE, operating_curve, sampling_plan


class SamplingShown(NamedTuple):
    """The form and what comes of it; the order is the order of the outputs."""

    is_on: Any
    lot_size: Any
    tolerated: Any
    confidence: Any
    plan: Any
    left: Any
    dissolve: Any
    notice: Any


class PlanShown(NamedTuple):
    """What comes of the numbers that are typed."""

    plan: Any
    notice: Any


class SamplingHandlers:
    """What happens in the form."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.words = words

    @presented
    def on_load(self, request: gr.Request) -> SamplingShown:
        """Show what the project has decided."""
        who = who_asks(request, "admin")
        kept = projects.get_settings(self.services.database, who).sampling
        return self._form(kept, who, gr.skip())

    @presented
    def on_typed(
        self, lot_size: float, tolerated: float, confidence: float, request: gr.Request
    ) -> PlanShown:
        """Show what these numbers would mean; nothing is kept."""
        who_asks(request, "admin")
        typed = _read(lot_size, tolerated, confidence, is_on=False)
        return PlanShown(shown(self._plan(typed)), gr.skip())

    @presented
    def on_save(
        self,
        is_on: bool,
        lot_size: float,
        tolerated: float,
        confidence: float,
        request: gr.Request,
    ) -> SamplingShown:
        """Decide it."""
        who = who_asks(request, "admin")
        wanted = _read(lot_size, tolerated, confidence, is_on=is_on)
        kept = projects.change_settings(
            self.services.database, who, sampling=wanted.model_dump()
        ).sampling
        return self._form(kept, who, say(self.words("review.sampling.saved")))

    @presented
    def on_dissolve(self, request: gr.Request) -> SamplingShown:
        """Sampling is off: whatever waits in lots is reviewed one by one."""
        who = who_asks(request, "admin")
        count = lots.dissolve_all(self.services.database, who)
        kept = projects.get_settings(self.services.database, who).sampling
        return self._form(kept, who, say(self.words("review.lots.dissolved_done", count=count)))

    def _form(self, kept: SamplingSettings, who: Actor, told: Any) -> SamplingShown:
        left = lots.find_left(self.services.database, who)
        return SamplingShown(
            kept.is_on,
            kept.lot_size,
            round(100 * kept.tolerated_rate, 1),
            round(100 * kept.confidence, 1),
            shown(self._plan(kept)),
            shown(*self._left(left)),
            gr.update(visible=bool(left.lots) and not left.is_on),
            told,
        )

    def _left(self, left: LotsLeft) -> list[Node]:
        """What becomes of undecided lots when sampling is, or were, switched off."""
        if not left.lots:
            return []
        name = "review.lots.left_on" if left.is_on else "review.lots.off"
        said = self.words(name, lots=left.lots, waiting=left.waiting)
        return [node("p", said, **({"cls": "pw-mute"} if left.is_on else {}))]

    def _plan(self, typed: SamplingSettings) -> Node:
        """The sample, its promises, and how often lots pass by their share of defects."""
        words = self.words
        plan = sampling_plan(typed.lot_size, typed.tolerated_rate, typed.confidence)
        good = plan.tolerated_rate * float(GOOD_SHARE)
        curve = [
            (round(100 * each.defect_rate, 1), round(100 * each.pass_probability, 1))
            for each in operating_curve(plan)
        ]
        return card(
            words("review.sampling.plan"),
            facts(
                [
                    (
                        words("review.sampling.sample"),
                        words(
                            "review.sampling.sample_of",
                            sample=plan.sample_size,
                            size=plan.lot_size,
                        ),
                    ),
                    (words("review.sampling.acceptance"), f"{plan.acceptance_number}"),
                    (
                        words("review.sampling.bad", rate=f"{typed.tolerated_rate:.1%}"),
                        f"{plan.consumer_risk:.1%}",
                    ),
                    (
                        words("review.sampling.good", rate=f"{good:.1%}"),
                        f"{plan.producer_pass:.1%}",
                    ),
                ]
            ),
            chart(words("review.sampling.curve"), curve),
        )


@dataclass(frozen=True, slots=True)
class SamplingForm:
    """What is on the screen."""

    is_on: gr.Checkbox
    lot_size: gr.Number
    tolerated: gr.Number
    confidence: gr.Number
    save: gr.Button
    plan: gr.HTML
    left: gr.HTML
    dissolve: gr.Button


def build_sampling_settings(services: Services, words: Words, told: gr.HTML) -> SamplingForm:
    """The form inside a page of the admins, with its events; `told` is the page's notice."""
    with gr.Column(elem_classes="pw-form"):
        title(words("review.sampling.title"))
        with gr.Row():
            lot_size = number(
                words, "review.sampling.lot_size", precision=0, minimum=5, maximum=5000
            )
            tolerated = number(words, "review.sampling.tolerated", minimum=1, maximum=99)
            confidence = number(words, "review.sampling.confidence", minimum=50, maximum=99.9)
        is_on = check(words, "review.sampling.is_on")
        left = view("review-sampling-left")
        dissolve = button(words, "review.lots.dissolve")
        save = button(words, "review.sampling.save", "primary")
    plan = view("review-sampling-plan")
    form = SamplingForm(is_on, lot_size, tolerated, confidence, save, plan, left, dissolve)
    handlers = SamplingHandlers(services, words)
    numbers = [form.lot_size, form.tolerated, form.confidence]
    outputs = [form.is_on, *numbers, form.plan, form.left, form.dissolve, told]
    on_page_load(handlers.on_load, None, outputs)
    form.save.click(handlers.on_save, [form.is_on, *numbers], outputs, **DIRECT)
    form.dissolve.click(handlers.on_dissolve, None, outputs, **DIRECT)
    for each in numbers:
        each.blur(handlers.on_typed, numbers, [form.plan, told], **DIRECT)
        each.submit(handlers.on_typed, numbers, [form.plan, told], **DIRECT)
    return form


def _read(
    lot_size: float | None, tolerated: float | None, confidence: float | None, *, is_on: bool
) -> SamplingSettings:
    """The numbers of the form, given in percent.

    Raises:
        InvalidInput: `projects.settings_refused`.
    """
    try:
        return SamplingSettings(
            is_on=is_on,
            lot_size=int(lot_size or 0),
            tolerated_rate=round((tolerated or 0) / 100, 4),
            confidence=round((confidence or 0) / 100, 4),
        )
    except ValueError as error:
        raise InvalidInput("projects.settings_refused", setting="sampling") from error
