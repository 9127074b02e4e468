"""Training: a bundle and a recipe become a run, which is watched, stopped and found again."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from exports import bundle as bundles
from exports.training import chain as chains
from exports.training.chain_view import chain_view, list_chains
from exports.training.dry_run import dry_run
from exports.training.live import Seen, live
from exports.training.mending import mend_chain
from exports.training.nodes import list_nodes
from exports.training.overlay import MOST, differences
from exports.training.recipes import get_recipe
from exports.training.variants import one_of_each_group
from labeling.ui import training_views as views
from labeling.ui.errors import notice, presented, say, unchanged
from labeling.ui.events import DIRECT, on_page_load
from labeling.ui.fields import button, choice, hidden
from labeling.ui.i18n import Words
from labeling.ui.rollouts import build_rollouts
from labeling.ui.run_serving import build_run_serving
from labeling.ui.run_views import curves, curves_value, differences_view
from labeling.ui.session import Services, who_asks
from labeling.ui.training_arguments import wire_arguments
from labeling.ui.training_memory import digest, recall, remember
from labeling.ui.training_order import (
    Form,
    chosen_bundle,
    knob_updates,
    lay_out_order,
    read_order,
    stage_update,
    variant_names,
)
from labeling.ui.training_shown import (
    BesideShown,
    BundlesShown,
    ChainsShown,
    CommandsShown,
    offered,
)
from labeling.ui.training_weights import wire_weights
from labeling.ui.view import card, on_pick, picked_id, shown, table, view
from schemas.people import Actor
from schemas.training import ChainSummary


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
        info = None if ready else self.words("training.no_bundles")
        return BundlesShown(gr.Dropdown(choices=ready, value=value, info=info), gr.skip())

    @presented
    def on_tick(
        self, picked: str, beside: list[str] | None, seen: str, request: gr.Request
    ) -> ChainsShown:
        """Look how far the runs are."""
        who = who_asks(request, "admin")
        return self._chains(who, picked, beside or [], seen)._replace(picked=gr.skip())

    @presented
    def on_open(self, picked: str, request: gr.Request) -> ChainsShown:
        """Show the runs, on a page that knows nothing yet."""
        return self._chains(who_asks(request, "admin"), picked)._replace(picked=gr.skip())

    @presented
    def on_again(
        self, picked: str, beside: list[str] | None, _event: gr.EventData, request: gr.Request
    ) -> ChainsShown:
        """Tell everything anew: the page has missed something."""
        who = who_asks(request, "admin")
        return self._chains(who, picked, beside or [])._replace(picked=gr.skip())

    @presented
    def on_beside(self, picked: str, beside: list[str] | None, request: gr.Request) -> BesideShown:
        """Lay other runs over this one."""
        who, services = who_asks(request, "admin"), self.services
        if not picked:
            return unchanged(BesideShown)
        shown_ids = [picked, *(beside or ())][:MOST]
        news = live(services.database, services.settings, who, shown_ids, Seen())
        told: dict[str, Any] = shown()
        if len(shown_ids) > 1:
            found = differences(services.database, services.settings, who, shown_ids)
            labels = [each.label for each in news.chains]
            told = shown(*differences_view(found, labels, self.words))
        return BesideShown(curves_value(news), remember(news.seen, {}), told, gr.skip())

    @presented
    def on_pick(self, event: gr.EventData, request: gr.Request) -> ChainsShown:
        """Show one run."""
        return self._chains(who_asks(request, "admin"), picked_id(event))

    def on_recipe(self, recipe: str, request: gr.Request) -> list[Any]:
        """Show what a recipe is for, its variants and its knobs."""
        who_asks(request, "admin")
        found = get_recipe(recipe)
        variants = gr.Dropdown(choices=variant_names(recipe), value=[], multiselect=True)
        about = shown(views.recipe_view(found, self.words))
        return [variants, about, stage_update(found), *knob_updates(found)]

    def on_variants(
        self, recipe: str, variants: list[str] | None, request: gr.Request
    ) -> list[Any]:
        """Show what the chosen variants change; the later of two that decide the same stays."""
        who_asks(request, "admin")
        kept = one_of_each_group(recipe, variants or ())
        found = get_recipe(recipe, kept)
        about = shown(views.recipe_view(found, self.words))
        is_same = list(kept) == list(variants or ())  # its list stays open for the next one
        chosen = gr.skip() if is_same else gr.Dropdown(value=list(kept), multiselect=True)
        return [chosen, about, stage_update(found), *knob_updates(found)]

    @presented
    def on_show(self, request: gr.Request, bundle_id: str, *fields: Any) -> CommandsShown:
        """Show the command lines; nothing is started."""
        who = who_asks(request, "admin")
        recipe, order = read_order(self.services.settings, *fields)
        settings = self.services.settings
        found = bundles.get_bundle(self.services.database, who, chosen_bundle(bundle_id))
        addresses = {each.name: each.address for each in list_nodes(self.services.database)}
        folder = bundles.bundle_folder(settings, found)
        lines = dry_run(settings, folder, recipe, order, addresses)
        return CommandsShown(shown(views.commands_view(lines, self.words)), gr.skip())

    @presented
    def on_train(self, request: gr.Request, bundle_id: str, *fields: Any) -> ChainsShown:
        """Start; the same order on the same bundle while one is live is that one."""
        who = who_asks(request, "admin")
        recipe, order = read_order(self.services.settings, *fields)
        services = self.services
        chain_id = chains.start_chain(
            services.database,
            services.durable,
            services.settings,
            who,
            chosen_bundle(bundle_id),
            recipe,
            order,
        )
        return self._chains(who, chain_id, told=say(self.words("training.started")))

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

    @presented
    def on_fix(self, picked: str, event: gr.EventData, request: gr.Request) -> ChainsShown:
        """Start again with the fix of a check that did not pass."""
        who, services = who_asks(request, "admin"), self.services
        known = (services.database, services.durable, services.settings)
        chain_id = mend_chain(*known, who, picked, picked_id(event))
        return self._chains(who, chain_id, told=say(self.words("training.started")))

    def _stop(self, who: Actor, picked: str, *, at_once: bool) -> ChainsShown:
        services = self.services
        chains.stop_chain(services.database, services.settings, who, picked, at_once=at_once)
        return self._chains(who, picked, told=say(self.words("training.stopping"), "note"))

    def _chains(
        self,
        who: Actor,
        picked: str,
        beside: list[str] | None = None,
        seen: str = "",
        *,
        told: Any = None,
    ) -> ChainsShown:
        """Without `beside` nothing is laid over the run, whatever was before."""
        services, (known, parts) = self.services, recall(seen)
        found = list_chains(services.database, who)
        heads = [self.words("training.run"), self.words("training.state")]
        rows = [(each.id, views.chain_row(each, self.words)) for each in found]
        listing = table(heads, rows, empty=self.words("training.none"))
        drawn: dict[str, Any] = {
            "chains": shown(card(self.words("training.runs"), listing), picked=picked * bool(told)),
            "beside": [[_label(each), each.id] for each in found if each.id != picked],
        }
        news = None
        if picked:
            database, settings = services.database, services.settings
            chain = chain_view(database, settings, who, picked, with_curves=False)
            drawn["chain"] = shown(views.chain_view(chain, self.words))
            drawn["acts"] = offered(chain.state)
            news = live(database, settings, who, [picked, *(beside or ())][:MOST], known)
        digests = {name: digest(value) for name, value in drawn.items()}
        new: dict[str, Any] = {
            name: value for name, value in drawn.items() if parts.get(name) != digests[name]
        }
        if "beside" in new:
            kept = [each for each in beside or () if each != picked]
            new["beside"] = gr.Dropdown(
                choices=[tuple(each) for each in new["beside"]], value=kept, multiselect=True
            )
        if news and (news.parts or news.log or news.seen.runs.keys() != known.runs.keys()):
            new["curves"] = curves_value(news)
        for name, is_offered in new.pop("acts", {}).items():
            new[name] = gr.Button(interactive=is_offered)
        if beside is None:
            new["differences"] = shown()
        remembered = remember(news.seen if news else known, digests)
        if remembered != seen:
            new["seen"] = remembered
        return unchanged(ChainsShown, **new, picked=picked, notice=told or gr.skip())


def _label(each: ChainSummary) -> str:
    return f"{each.bundle_name} · {each.recipe} · {each.id[-6:]}"


@dataclass(frozen=True, slots=True)
class TrainingPage:
    """What is on the screen."""

    form: Form
    chains: gr.HTML
    chain: gr.HTML
    curves: gr.HTML
    seen: gr.Textbox
    beside: gr.Dropdown
    differences: gr.HTML
    picked: gr.Textbox
    stop: gr.Button
    stop_at_once: gr.Button
    resume: gr.Button
    timer: gr.Timer
    notice: gr.HTML


def build_training_page(services: Services, words: Words) -> TrainingPage:
    """The page, with its events."""
    page = _lay_out(services, words)
    handlers = TrainingHandlers(services, words)
    form = page.form
    live = [page.chains, page.chain, page.curves, page.seen, page.beside, page.differences]
    live += [page.stop, page.stop_at_once, page.resume, page.picked, page.notice]
    known = [page.picked, page.beside, page.seen]
    on_page_load(handlers.on_load, None, [form.bundle, page.notice])
    chosen = [form.variants, form.about, form.stages, *form.knobs]
    on_page_load(handlers.on_recipe, form.recipe, chosen)
    on_page_load(handlers.on_open, page.picked, live)
    wire_weights(form, services)
    form.variants.input(handlers.on_variants, [form.recipe, form.variants], chosen, **DIRECT)
    form.recipe.input(handlers.on_recipe, form.recipe, chosen, **DIRECT)
    page.timer.tick(handlers.on_tick, known, live, **DIRECT)
    on_pick(page.curves, handlers.on_again, [page.picked, page.beside], live)
    laid = [page.curves, page.seen, page.differences, page.notice]
    page.beside.input(handlers.on_beside, [page.picked, page.beside], laid, **DIRECT)
    on_pick(page.chains, handlers.on_pick, None, live)
    on_pick(page.chain, handlers.on_fix, page.picked, live)
    wire_arguments(form.arguments, form.recipe, services, words, page.notice)
    order = [form.bundle, *form.inputs]
    form.show.click(handlers.on_show, order, [form.commands, page.notice], **DIRECT)
    form.train.click(handlers.on_train, order, live, **DIRECT)
    page.stop.click(handlers.on_stop, page.picked, live, **DIRECT)
    page.stop_at_once.click(handlers.on_stop_at_once, page.picked, live, **DIRECT)
    page.resume.click(handlers.on_resume, page.picked, live, **DIRECT)
    return page


def _lay_out(services: Services, words: Words) -> TrainingPage:
    with gr.Row():
        with gr.Column(scale=3, min_width=340):
            form = lay_out_order(words)
        with gr.Column(scale=7, min_width=560):
            runs = view("training-runs", parameter="run", classes="pw-short")
            picked = hidden("training.picked")
            with gr.Row(elem_id="training-acts"):
                stop = button(words, "training.stop")
                stop_at_once = button(words, "training.stop_at_once", "stop")
                resume = button(words, "training.resume")
            run = view("training-run")
            with gr.Column(elem_classes="pw-form", elem_id="training-beside-form"):
                beside = choice(words, "training.beside", multiselect=True, max_choices=MOST - 1)
            differing = view("training-differences")
            drawn, seen, told = curves(words), hidden("training.seen"), notice()
            build_run_serving(services, words, picked, told)
            build_rollouts(services, words, picked, told)
    buttons = (stop, stop_at_once, resume)
    return TrainingPage(
        form, runs, run, drawn, seen, beside, differing, picked, *buttons, gr.Timer(2), told
    )
