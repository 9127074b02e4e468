"""Planners: asked on the playground, promoted and served; where each comes from, what it became."""

from dataclasses import dataclass
from typing import Any, NamedTuple, get_args

import gradio as gr
from pydantic import ValidationError

from exports import evaluations
from exports.lineage import lineage_of
from exports.training.deployments import deploy, get_endpoint, list_endpoints, stop_endpoint
from exports.training.general import start_general_check
from exports.training.planners import promote_planner
from exports.training.serving_devices import devices_to_serve_on
from labeling.ui import planners_views as views
from labeling.ui.errors import notice, presented, say
from labeling.ui.events import DIRECT, on_page_load
from labeling.ui.fields import button, choice, hidden, text
from labeling.ui.i18n import Words
from labeling.ui.playground import build_playground
from labeling.ui.session import Services, who_asks
from labeling.ui.view import node, on_pick, picked_id, shown, title, view
from schemas.errors import InvalidInput, NotFound
from schemas.people import Actor
from schemas.serving import Backend, DeployOrder, EndpointView, GeneralOrder


class PlannersShown(NamedTuple):
    """The planners, and the one that was picked; the order is the order of the outputs."""

    planners: Any
    planner: Any
    key: Any
    picked: Any
    acts: Any
    takes: Any
    notice: Any


class PlannerHandlers:
    """What happens on the page, the playground left out."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.words = words

    @presented
    def on_load(self, picked: str, request: gr.Request) -> PlannersShown:
        """Show the planners; only admins are offered to promote and to serve."""
        who = who_asks(request, "reviewer")
        return self._planners(who, picked)._replace(picked=gr.skip())

    @presented
    def on_tick(self, picked: str, request: gr.Request) -> PlannersShown:
        """Look how the endpoints are."""
        who = who_asks(request, "reviewer")
        return self._planners(who, picked)._replace(picked=gr.skip())

    @presented
    def on_pick(self, event: gr.EventData, request: gr.Request) -> PlannersShown:
        """Show one planner."""
        who = who_asks(request, "reviewer")
        return self._planners(who, picked_id(event))._replace(key=shown())

    @presented
    def on_promote(self, picked: str, request: gr.Request) -> PlannersShown:
        """Say that the project stands by this planner."""
        who = who_asks(request, "admin")
        promote_planner(self.services.database, who, _chosen(picked))
        return self._planners(who, picked, say(self.words("planners.promoted_told")))

    @presented
    def on_serve(
        self, picked: str, port: str | None, backend: str, devices: str | None, request: gr.Request
    ) -> PlannersShown:
        """Serve this planner; one that is served already is left as it is."""
        who, services = who_asks(request, "admin"), self.services
        order = read_order(port, backend, devices)
        done = deploy(services.database, services.settings, who, _chosen(picked), order)
        told = "serving_told" if done.key else "served_already"
        found = self._planners(who, done.endpoint.planner_id, say(self.words(f"planners.{told}")))
        key = shown(views.key_view(done.key, self.words)) if done.key else gr.skip()
        return found._replace(key=key)

    @presented
    def on_stop(self, picked: str, request: gr.Request) -> PlannersShown:
        """Ask the server of this planner to leave."""
        who, services = who_asks(request, "admin"), self.services
        stop_endpoint(services.database, services.settings, who, _chosen(picked))
        told = say(self.words("planners.stopping_told"), "note")
        return self._planners(who, picked, told)._replace(key=shown())

    @presented
    def on_general(self, picked: str, benchmark: str | None, request: gr.Request) -> PlannersShown:
        """Hold this planner against a general benchmark, by EvalScope."""
        who, services = who_asks(request, "admin"), self.services
        order = GeneralOrder(planner=_chosen(picked), benchmark=(benchmark or "").strip())
        start_general_check(services.database, services.settings, who, order)
        return self._planners(who, picked, say(self.words("planners.general_told")))

    def _planners(self, who: Actor, picked: str, told: Any = None) -> PlannersShown:
        database, settings = self.services.database, self.services.settings
        found = evaluations.list_planners(database, who)
        newest: dict[str, EndpointView] = {}
        for each in list_endpoints(database, settings, who):
            newest.setdefault(each.planner_id, each)
        accuracies: dict[str, tuple[str, float]] = {}
        for each in evaluations.list_evaluations(database, who):
            if each.figures is not None:
                known = (each.benchmark, each.figures.accuracy)
                accuracies.setdefault(each.planner.id, known)
        listing = views.planners_view(found, accuracies, newest, self.words)
        one = shown(self._planner(who, picked)) if picked else gr.skip()
        return PlannersShown(
            shown(listing, picked=picked if told else ""),
            one,
            gr.skip(),
            picked or gr.skip(),
            gr.Column(visible=who.role == "admin" and bool(picked)),
            self._takes(who, picked) if picked else gr.skip(),
            told or gr.skip(),
        )

    def _takes(self, who: Actor, picked: str) -> Any:
        services = self.services
        told = devices_to_serve_on(services.database, services.settings, who, picked)
        said = self.words.sentence(told.code, told.values) if told else ""
        return shown(*([node("p", said, cls="pw-mute")] if said else []))

    def _planner(self, who: Actor, picked: str) -> Any:
        services = self.services
        found = lineage_of(services.database, services.settings, who, picked)
        if found.endpoints:
            newest = get_endpoint(services.database, services.settings, who, found.endpoints[0].id)
            found = found.model_copy(update={"endpoints": (newest, *found.endpoints[1:])})
        return views.lineage_view(found, self.words)


def read_order(port: str | None, backend: str, devices: str | None) -> DeployOrder:
    """The order that the fields spell; a blank field asks for nothing.

    Raises:
        InvalidInput: `serving.order_refused`.
    """
    given = {"port": (port or "").strip() or None, "devices": (devices or "").strip() or None}
    try:
        return DeployOrder.model_validate({**given, "backend": backend})
    except ValidationError as error:
        raise InvalidInput(
            "serving.order_refused", field=str(error.errors()[0]["loc"][0])
        ) from error


def _chosen(picked: str) -> str:
    if not picked:
        raise NotFound("serving.no_planner_picked")
    return picked


@dataclass(frozen=True, slots=True)
class PlannersPage:
    """What is on the screen."""

    playground: gr.HTML
    planners: gr.HTML
    planner: gr.HTML
    key: gr.HTML
    picked: gr.Textbox
    acts: gr.Column
    takes: gr.HTML
    order: tuple[Any, ...]
    promote: gr.Button
    serve: gr.Button
    stop: gr.Button
    benchmark: gr.Textbox
    general: gr.Button
    timer: gr.Timer
    notice: gr.HTML


def build_planners_page(services: Services, words: Words) -> PlannersPage:
    """The page, with its events."""
    page = _lay_out(services, words)
    handlers = PlannerHandlers(services, words)
    found = [page.planners, page.planner, page.key, page.picked, page.acts, page.takes]
    found.append(page.notice)
    on_page_load(handlers.on_load, page.picked, found)
    page.timer.tick(handlers.on_tick, page.picked, found, **DIRECT)
    on_pick(page.planners, handlers.on_pick, None, found)
    page.promote.click(handlers.on_promote, page.picked, found, **DIRECT)
    page.serve.click(handlers.on_serve, [page.picked, *page.order], found, **DIRECT)
    page.stop.click(handlers.on_stop, page.picked, found, **DIRECT)
    asked = [page.picked, page.benchmark]
    page.general.click(handlers.on_general, asked, found, **DIRECT)
    return page


def _lay_out(services: Services, words: Words) -> PlannersPage:
    asked = build_playground(services, words)
    with gr.Row():
        with gr.Column(scale=4, min_width=340):
            planners = view("planners-list", parameter="planner", classes="pw-short")
        with gr.Column(scale=5, min_width=420):
            picked = hidden("planners.picked")
            with gr.Column(visible=False, elem_classes="pw-form", elem_id="planners-acts") as acts:
                title(words("planners.serve_title"))
                order = _lay_out_order(words)
                with gr.Row():
                    serve = button(words, "planners.serve", "primary")
                    stop = button(words, "planners.stop", "stop")
                    promote = button(words, "planners.promote")
                takes = view("planners-takes")
                with gr.Row(equal_height=True):
                    benchmark = text(words, "planners.general_file", scale=3)
                    general = button(words, "planners.general")
            key = view("planners-key")
            planner = view("planners-one")
    return PlannersPage(
        playground=asked,
        planners=planners,
        planner=planner,
        key=key,
        picked=picked,
        acts=acts,
        takes=takes,
        order=order,
        promote=promote,
        serve=serve,
        stop=stop,
        benchmark=benchmark,
        general=general,
        timer=gr.Timer(3),
        notice=notice(),
    )


def _lay_out_order(words: Words) -> tuple[Any, ...]:
    """Where and how a planner is to be served, in the order of `read_order`."""
    with gr.Row():
        port = text(words, "planners.port", min_width=110)
        backend = choice(
            words,
            "planners.backend",
            get_args(Backend),
            value="transformers",
            min_width=130,
        )
        devices = text(words, "planners.devices", placeholder="0,1", min_width=110)
    return port, backend, devices
