"""The reward bench on the Datasets page, measured in the background for the picked bundle."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from exports.reward_bench import own_terms
from exports.reward_bench_work import find_bench, start_bench
from labeling.ui.errors import presented, say
from labeling.ui.events import DIRECT
from labeling.ui.fields import button, choice, number, weight_fields
from labeling.ui.i18n import Words
from labeling.ui.reward_bench_views import bench_view
from labeling.ui.session import Services, who_asks
from labeling.ui.view import shown, title, view
from schemas.errors import InvalidInput, NotFound, PlanwrightError
from schemas.people import Actor
from schemas.project import REWARDS
from schemas.reward_bench import SCALINGS, BenchTerms


class BenchShown(NamedTuple):
    """What is known of the picked bundle's bench."""

    bench: Any
    notice: Any


class RewardBenchHandlers:
    """What happens in the section."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.words = words

    @presented
    def on_look(self, picked: str, request: gr.Request) -> BenchShown:
        """Look how far the bench of the picked bundle is."""
        return self._bench(who_asks(request, "admin"), picked)

    def on_picked(self, picked: str, request: gr.Request) -> list[Any]:
        """Show the terms that the picked bundle comes with: its weights, scaling and group."""
        who = who_asks(request, "admin")
        try:
            terms = own_terms(self.services.database, who, picked)
        except PlanwrightError:
            return [gr.skip() for _ in range(2 + len(REWARDS))]
        held = terms.weights or {}
        return [terms.scaling, terms.group, *(held.get(reward, 0) for reward in REWARDS)]

    @presented
    def on_start(
        self, request: gr.Request, picked: str, scaling: str | None, group: Any, *weights: Any
    ) -> BenchShown:
        """Measure in the background; a second click while it runs changes nothing."""
        who, have = who_asks(request, "admin"), self.services
        if not picked:
            raise InvalidInput("training.no_bundle")
        terms = read_terms(scaling, group, *weights)
        start_bench(have.database, have.durable, who, picked, terms)
        return self._bench(who, picked, say(self.words("bench.started")))

    def _bench(self, who: Actor, picked: str, told: Any = None) -> BenchShown:
        try:
            found = find_bench(self.services.database, who, picked)
        except NotFound:  # nothing is picked, or an address names a bundle of another project
            return BenchShown(gr.skip(), told or gr.skip())
        return BenchShown(shown(bench_view(found, self.words)), told or gr.skip())


def read_terms(scaling: str | None, group: Any, *weights: Any) -> BenchTerms:
    """The terms that the fields hold; weights that are all 0 are the bundle's own.

    Raises:
        InvalidInput: `training.order_refused`.
    """
    held = {name: float(each) for name, each in zip(REWARDS, weights, strict=True) if each}
    plain = {"weights": held or None, "scaling": scaling or None, "group": group or None}
    try:
        return BenchTerms.model_validate(plain)
    except ValueError as error:
        raise InvalidInput("training.order_refused", detail=str(error)[:200]) from error


@dataclass(frozen=True, slots=True)
class RewardBenchSection:
    """What is on the screen."""

    scaling: gr.Dropdown
    group: gr.Number
    weights: tuple[gr.Number, ...]
    start: gr.Button
    bench: gr.HTML


def lay_out_reward_bench(words: Words) -> RewardBenchSection:
    """The section, without its events."""
    with gr.Column(elem_classes="pw-form"):
        title(words("bench.title"))
        view("bench-hint", first=["p", {"cls": "pw-mute"}, words("bench.hint")])
        weights = weight_fields(words, "bench")
        with gr.Row():
            scaling = choice(words, "bench.scaling", SCALINGS, value="group")
            group = number(words, "bench.group", value=8, minimum=2, maximum=64, precision=0)
            start = button(words, "bench.start")
    return RewardBenchSection(scaling, group, weights, start, view("datasets-bench"))


def bind_reward_bench(
    section: RewardBenchSection,
    services: Services,
    words: Words,
    *,
    picked: gr.Textbox,
    timer: gr.Timer,
    notice: gr.HTML,
) -> None:
    """The events of the section: for the bundle that is picked on the page."""
    handlers = RewardBenchHandlers(services, words)
    outputs = [section.bench, notice]
    fields = [section.scaling, section.group, *section.weights]
    picked.change(handlers.on_look, picked, outputs, **DIRECT)
    picked.change(handlers.on_picked, picked, fields, **DIRECT)
    timer.tick(handlers.on_look, picked, outputs, **DIRECT)
    section.start.click(handlers.on_start, [picked, *fields], outputs, **DIRECT)
