"""Training: a bundle and a recipe become a run, which is watched, stopped and found again."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from exports import bundle as bundles
from exports.training import chain as chains
from exports.training.chain_view import chain_view, list_chains
from exports.training.dry_run import dry_run
from exports.training.recipes import get_recipe
from labeling.ui import training_views as views
from labeling.ui.errors import notice, presented, say, unchanged
from labeling.ui.events import DIRECT, on_page_load
from labeling.ui.fields import button, hidden
from labeling.ui.i18n import Words
from labeling.ui.session import Services, who_asks
from labeling.ui.training_order import Form, knob_updates, lay_out_order, read_order
from labeling.ui.view import card, on_pick, picked_id, shown, table, view
from schemas.errors import InvalidInput
from schemas.people import Actor
from schemas.project import REWARDS


class ChainsShown(NamedTuple):
    """The runs, and the one that was picked; the order is the order of the outputs."""

    chains: Any
    chain: Any
    picked: Any
    notice: Any


class BundlesShown(NamedTuple):
    """Bundles to choose from."""

    bundle: Any
    notice: Any


class CommandsShown(NamedTuple):
    """The command lines of an order."""

    commands: Any
    notice: Any


class TrainingHandlers:
    """What happens on the page."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.words = words

    @presented
    def on_load(self, request: gr.Request) -> BundlesShown:
        """Offer the bundles that are ready."""
        who = who_asks(request, "admin")
        ready = [
            (f"{each.name} · {each.created_at:%m-%d %H:%M} UTC", each.bundle_id)
            for each in bundles.list_bundles(self.services.database, who)
            if each.state in chains.READY
        ]
        value = ready[0][1] if ready else None
        return BundlesShown(gr.Dropdown(choices=ready, value=value), gr.skip())

    def on_bundle(self, bundle_id: str | None, request: gr.Request) -> list[Any]:
        """Show the weights that the bundle was made for."""
        who = who_asks(request, "admin")
        if not bundle_id:
            return [gr.skip() for _ in REWARDS]
        recipe = bundles.get_bundle(self.services.database, who, bundle_id).recipe
        return [recipe.weights.get(reward, 0) for reward in REWARDS]

    @presented
    def on_tick(self, picked: str, request: gr.Request) -> ChainsShown:
        """Look how far the runs are."""
        who = who_asks(request, "admin")
        return self._chains(who, picked)._replace(picked=gr.skip())

    @presented
    def on_pick(self, event: gr.EventData, request: gr.Request) -> ChainsShown:
        """Show one run."""
        return self._chains(who_asks(request, "admin"), picked_id(event))

    def on_recipe(self, recipe: str, request: gr.Request) -> list[Any]:
        """Show what a recipe is for, and its knobs."""
        who_asks(request, "admin")
        found = get_recipe(recipe)
        return [shown(views.recipe_view(found, self.words)), *knob_updates(found)]

    @presented
    def on_show(self, request: gr.Request, bundle_id: str, *fields: Any) -> CommandsShown:
        """Show the command lines; nothing is started."""
        who = who_asks(request, "admin")
        recipe, order = read_order(*fields)
        settings = self.services.settings
        found = bundles.get_bundle(self.services.database, who, _chosen(bundle_id))
        lines = dry_run(settings, bundles.bundle_folder(settings, found), recipe, order)
        return CommandsShown(shown(views.commands_view(lines, self.words)), gr.skip())

    @presented
    def on_train(self, request: gr.Request, bundle_id: str, *fields: Any) -> ChainsShown:
        """Start; the same order on the same bundle while one is live is that one."""
        who = who_asks(request, "admin")
        recipe, order = read_order(*fields)
        services = self.services
        chain_id = chains.start_chain(
            services.database,
            services.durable,
            services.settings,
            who,
            _chosen(bundle_id),
            recipe,
            order,
        )
        return self._chains(who, chain_id, say(self.words("training.started")))

    @presented
    def on_stop(self, picked: str, request: gr.Request) -> ChainsShown:
        """Let the trainer save and leave."""
        return self._stop(who_asks(request, "admin"), picked, at_once=False)

    @presented
    def on_stop_at_once(self, picked: str, request: gr.Request) -> ChainsShown:
        """Let the trainer leave without saving."""
        return self._stop(who_asks(request, "admin"), picked, at_once=True)

    @presented
    def on_resume(self, picked: str, request: gr.Request) -> ChainsShown:
        """Go on from the stage that failed or was stopped."""
        who = who_asks(request, "admin")
        services = self.services
        chains.resume_chain(services.database, services.durable, services.settings, who, picked)
        return self._chains(who, picked)

    def _stop(self, who: Actor, picked: str, *, at_once: bool) -> ChainsShown:
        services = self.services
        chains.stop_chain(services.database, services.settings, who, picked, at_once=at_once)
        return self._chains(who, picked, say(self.words("training.stopping"), "note"))

    def _chains(self, who: Actor, picked: str, told: Any = None) -> ChainsShown:
        services = self.services
        found = list_chains(services.database, who)
        heads = [self.words("training.run"), self.words("training.state")]
        rows = [(each.id, views.chain_row(each, self.words)) for each in found]
        listing = table(heads, rows, empty=self.words("training.none"))
        runs = shown(card(self.words("training.runs"), listing), picked=picked if told else "")
        if not picked:
            return unchanged(ChainsShown, chains=runs)
        live = chain_view(services.database, services.settings, who, picked)
        run = shown(views.chain_view(live, self.words))
        return ChainsShown(runs, run, picked, told or gr.skip())


def _chosen(bundle_id: str | None) -> str:
    if not bundle_id:
        raise InvalidInput("training.no_bundle")
    return bundle_id


@dataclass(frozen=True, slots=True)
class TrainingPage:
    """What is on the screen."""

    form: Form
    chains: gr.HTML
    chain: gr.HTML
    picked: gr.Textbox
    stop: gr.Button
    stop_at_once: gr.Button
    resume: gr.Button
    timer: gr.Timer
    notice: gr.HTML


def build_training_page(services: Services, words: Words) -> TrainingPage:
    """The page, with its events."""
    page = _lay_out(words)
    handlers = TrainingHandlers(services, words)
    form, live = page.form, [page.chains, page.chain, page.picked, page.notice]
    on_page_load(handlers.on_load, None, [form.bundle, page.notice])
    on_page_load(handlers.on_recipe, form.recipe, [form.about, *form.knobs])
    on_page_load(handlers.on_tick, page.picked, live)
    form.bundle.change(handlers.on_bundle, form.bundle, list(form.weights), **DIRECT)
    form.recipe.input(handlers.on_recipe, form.recipe, [form.about, *form.knobs], **DIRECT)
    page.timer.tick(handlers.on_tick, page.picked, live, **DIRECT)
    on_pick(page.chains, handlers.on_pick, None, live)
    order = [form.bundle, *form.inputs]
    form.show.click(handlers.on_show, order, [form.commands, page.notice], **DIRECT)
    form.train.click(handlers.on_train, order, live, **DIRECT)
    page.stop.click(handlers.on_stop, page.picked, live, **DIRECT)
    page.stop_at_once.click(handlers.on_stop_at_once, page.picked, live, **DIRECT)
    page.resume.click(handlers.on_resume, page.picked, live, **DIRECT)
    return page


def _lay_out(words: Words) -> TrainingPage:
    with gr.Row():
        with gr.Column(scale=2):
            form = lay_out_order(words)
        with gr.Column(scale=3):
            runs = view("training-runs", parameter="run", classes="pw-short")
            picked = hidden("training.picked")
            with gr.Row():
                stop = button(words, "training.stop")
                stop_at_once = button(words, "training.stop_at_once", "stop")
                resume = button(words, "training.resume")
            run = view("training-run")
    return TrainingPage(form, runs, run, picked, stop, stop_at_once, resume, gr.Timer(2), notice())
