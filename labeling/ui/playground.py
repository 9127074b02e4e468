"""The playground's one component, drawn by `assets/playground.js`, and how its script asks.

Messages and answers travel as those of the desks do (`labeling.ui.desk` says why).
"""

import json
from typing import Any, Literal

import gradio as gr
from pydantic import Field, ValidationError

from exports import evaluations, playground
from exports.training.deployments import list_endpoints
from labeling.ui.assets_version import module
from labeling.ui.desk import Answer, Message, answered, connect, desk_words, read_message
from labeling.ui.i18n import Words
from labeling.ui.session import Services, who_asks
from schemas.errors import InvalidInput
from schemas.people import Actor
from schemas.serving import PlaygroundOrder, ReplyView

EVENTS = ("open", "ask", "look", "send")
STYLES = ("desk.css", "plan.css", "playground.css")
_RECENT = 12
_MOST_PLANNERS = 40


class TurnMessage(Message):
    """An earlier turn."""

    role: Literal["user", "assistant"]
    content: str


class AskMessage(Message):
    """A question to one planner or two."""

    planners: list[str] = Field(min_length=1, max_length=2)
    text: str
    history: list[TurnMessage]
    max_tokens: int


class LookMessage(Message):
    """Replies to look at."""

    ids: list[str] = Field(min_length=1, max_length=2)


class SendMessage(Message):
    """A reply whose question shall be labelled."""

    id: str = Field(max_length=64)


class PlaygroundHandlers:
    """What happens on the playground."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.words = words

    @answered
    def on_open(self, _event: gr.EventData, request: gr.Request) -> Answer:
        """Who can be asked, under which list, and what was asked before."""
        who, services = who_asks(request, "reviewer"), self.services
        ground = playground.ground_of(services.database, who)
        recent = playground.list_replies(services.database, who, limit=_RECENT)
        return {
            "planners": self._planners(who),
            "list": ground.expert_list,
            "prompt": ground.prompt,
            "experts": ground.experts,
            "recent": [self._recent(each) for each in recent],
        }

    @answered
    def on_ask(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Ask in the background."""
        who, asked = who_asks(request, "reviewer"), _read_ask(event)
        services = self.services
        ids = playground.ask_all(services.database, services.settings, who, asked)
        return self._replies(who, ids)

    @answered
    def on_look(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Look whether answers have come."""
        return self._replies(who_asks(request, "reviewer"), read_message(event, LookMessage).ids)

    @answered
    def on_send(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Put a question into the queue, with a planner's reply as a suggestion."""
        who, asked = who_asks(request, "reviewer"), read_message(event, SendMessage)
        playground.send_to_annotation(self.services.database, who, asked.id)
        (reply,) = self._replies(who, [asked.id])["replies"]
        return {"reply": reply}

    def _planners(self, who: Actor) -> list[dict[str, Any]]:
        """Those that answer first, then the promoted one, then the newest."""
        services = self.services
        endpoints = list_endpoints(services.database, services.settings, who)
        ready = {each.planner_id for each in endpoints if each.state == "ready"}
        found = [
            {
                "id": each.id,
                "name": each.name,
                "is_ready": each.is_external or each.id in ready,
                "is_promoted": each.is_promoted,
            }
            for each in evaluations.list_planners(services.database, who)
        ]
        found.sort(key=lambda each: (not each["is_ready"], not each["is_promoted"]))
        return found[:_MOST_PLANNERS]

    def _replies(self, who: Actor, ids: list[str]) -> dict[str, Any]:
        database = self.services.database
        banned = playground.ground_of(database, who).banned_words
        found = [playground.get_reply(database, who, each) for each in ids]
        return {"replies": [{**self._plain(each), "banned": banned} for each in found]}

    def _plain(self, found: ReplyView) -> dict[str, Any]:
        words = self.words
        problems = [
            {"path": path, "sentence": words.sentence(f"plan.{code}", values)}
            for path, code, values in found.problems
        ]
        sentence = words.sentence(found.reason, found.values) if found.reason else None
        plain = found.model_dump(mode="json")
        return plain | {"problems": problems, "sentence": sentence}

    def _recent(self, found: ReplyView) -> dict[str, Any]:
        problem = self.words("playground.play.failed") if found.state == "failed" else None
        if found.state == "done" and (found.problems or found.plan is None):
            count = len(found.problems) or 1
            problem = self.words("playground.play.problems", number=count)
        return {
            "id": found.id,
            "text": found.text[:300],
            "planner": found.planner,
            "state": found.state,
            "query_id": found.query_id,
            "problem": problem,
            "tone": "bad" if found.state == "failed" else "warn",
        }


def build_playground(services: Services, words: Words) -> gr.HTML:
    """The component, with its events."""
    component = _component(words)
    connect(component, PlaygroundHandlers(services, words), EVENTS)
    return component


def _component(words: Words) -> gr.HTML:
    styles = "".join(f'<link rel="stylesheet" href="{module(name)}">' for name in STYLES)
    script = (
        f"const events = {json.dumps([f'ask_{name}' for name in EVENTS])};\n"
        f'import("{module("playground.js")}")'
        ".then((page) => page.mount({ element, props, trigger, watch, events }));"
    )
    options: dict[str, Any] = {"words": desk_words(words) | words.area("playground")}
    return gr.HTML(
        None,
        html_template="<div class='pw-desk is-playground is-loading'></div>",
        js_on_load=script,
        head=styles,
        apply_default_css=False,
        padding=False,
        elem_id="playground",
        language=words.language,
        **options,
    )


def _read_ask(event: gr.EventData) -> list[PlaygroundOrder]:
    asked = read_message(event, AskMessage)
    try:
        return [
            PlaygroundOrder(
                planner_id=each,
                text=asked.text.strip(),
                history=tuple((turn.role, turn.content) for turn in asked.history),
                max_tokens=asked.max_tokens,
            )
            for each in dict.fromkeys(asked.planners)
        ]
    except ValidationError as error:
        raise InvalidInput("desk.bad_message") from error
