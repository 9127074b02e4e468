"""The part of the training page that serves what a run has saved."""

from typing import Any, NamedTuple

import gradio as gr

from exports.lineage import runs_of_chain
from exports.training.deployments import deploy, list_endpoints
from labeling.ui.errors import presented, say
from labeling.ui.events import DIRECT
from labeling.ui.i18n import Words
from labeling.ui.planners_views import checkpoints_view, key_view
from labeling.ui.session import Services, who_asks
from labeling.ui.view import on_pick, picked_id, shown, view
from schemas.people import Actor
from schemas.serving import EndpointView


class ServingShown(NamedTuple):
    """The checkpoints of the run that is picked, and the key of an endpoint that was started."""

    checkpoints: Any
    key: Any
    notice: Any


class RunServingHandlers:
    """What happens in this part."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.words = words

    @presented
    def on_look(self, picked: str, request: gr.Request) -> ServingShown:
        """Look what the run has saved, and whether it is served."""
        return self._checkpoints(who_asks(request, "admin"), picked)

    @presented
    def on_serve(self, picked: str, event: gr.EventData, request: gr.Request) -> ServingShown:
        """Serve a checkpoint, which becomes a planner by it."""
        who, services = who_asks(request, "admin"), self.services
        done = deploy(services.database, services.settings, who, picked_id(event))
        name = "serving_told" if done.key else "served_already"
        found = self._checkpoints(who, picked, say(self.words(f"planners.{name}")))
        key = shown(key_view(done.key, self.words)) if done.key else gr.skip()
        return found._replace(key=key)

    def _checkpoints(self, who: Actor, picked: str, told: Any = None) -> ServingShown:
        if not picked:
            return ServingShown(shown(), shown(), told or gr.skip())
        services = self.services
        newest: dict[str, EndpointView] = {}
        for each in list_endpoints(services.database, services.settings, who):
            newest.setdefault(each.planner_id, each)
        runs = runs_of_chain(services.database, who, picked)
        saved = [each for each in runs if each.has_checkpoint]
        drawn = [checkpoints_view(saved, newest, self.words)] if saved else []
        return ServingShown(shown(*drawn), gr.skip(), told or gr.skip())


def build_run_serving(
    services: Services, words: Words, picked: gr.Textbox, told: gr.HTML
) -> tuple[gr.HTML, gr.HTML]:
    """The part, with its events."""
    place, key, handlers = (
        view("training-serving"),
        view("training-serving-key"),
        RunServingHandlers(services, words),
    )
    outputs = [place, key, told]
    picked.change(handlers.on_look, picked, outputs, **DIRECT)
    gr.Timer(5).tick(handlers.on_look, picked, outputs, **DIRECT)
    on_pick(place, handlers.on_serve, picked, outputs)
    return place, key
