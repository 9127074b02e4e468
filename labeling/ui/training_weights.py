"""The weights of an order, as its bundle has them; what was typed meanwhile stays.

The answer to a chosen bundle may come after somebody has typed a weight. So it does not go into the
fields: it says what they held when it was asked, and the browser, which knows what they hold now,
fills those that hold it still. The answer for a bundle that is no longer chosen fills none.
"""

import json
from typing import Any

import gradio as gr

from exports import bundle as bundles
from labeling.ui.events import DIRECT
from labeling.ui.fields import hidden
from labeling.ui.session import Services, who_asks
from labeling.ui.training_order import Form
from schemas.project import REWARDS

_FILL = """(answer, bundle, ...held) => {
  const said = JSON.parse(answer || "{}");
  const same = (a, b) => (a ?? 0) === (b ?? 0);
  const fills = held.map((each, at) => said.bundle === bundle && same(each, said.held[at]));
  return held.map((_, at) => fills[at] ? said.weights[at] : {__type__: "update"});
}"""


class WeightHandlers:
    """What happens to the weights."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def on_bundle(self, request: gr.Request, bundle_id: str | None, *held: Any) -> str:
        """The weights that a bundle was made for, beside what the fields held (blank: 0)."""
        who = who_asks(request, "admin")
        if not bundle_id:
            return ""
        recipe = bundles.get_bundle(self.services.database, who, bundle_id).recipe
        weights = [recipe.weights.get(reward, 0) for reward in REWARDS]
        return json.dumps({"bundle": bundle_id, "held": held, "weights": weights})


def wire_weights(form: Form, services: Services) -> None:
    """A bundle fills them."""
    handlers, answer = WeightHandlers(services), hidden("training.bundle_weights")
    asked = form.bundle.change(handlers.on_bundle, [form.bundle, *form.weights], answer, **DIRECT)
    inputs = [answer, form.bundle, *form.weights]
    asked.then(None, inputs, list(form.weights), js=_FILL, **DIRECT)
