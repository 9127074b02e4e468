"""The one component that the label and the review page are made of, and how its script asks.

Everything on these pages is drawn and edited in the browser (`assets/label.js`, `review.js`). The
script asks by an event of its own name with a message; the answer becomes the component's value,
which the template does not name and nothing else writes, so no answer can disturb what a person is
typing. Gradio passes a value on as it is (`postprocess=False`); any other property would make it
build the component and its description anew for every answer, at twice the cost.

Messages and answers travel as JSON text. Gradio takes every object with a `path` in it for a file
that it may read or copy, wherever it comes from; it never gets to see somebody's plan as objects.
"""

import functools
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar, cast

import gradio as gr
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from labeling.ui.assets_version import module
from labeling.ui.errors import present, say
from labeling.ui.events import DIRECT
from labeling.ui.i18n import Words
from schemas.desk import ItemContext, Progress
from schemas.errors import InvalidInput
from schemas.keys import DEFAULT_KEYS, DeskName
from schemas.preview import PlanPreview
from schemas.scoring.check import Problem

Answer = dict[str, Any]
STYLES = ("desk.css", "plan.css", "comments.css", "keys.css", "review.css")
WORD_AREAS = ("desk", "comments", "find", "keys", "review")
"""What the scripts of the desks say; a name such as `keys.page` stands in one of these areas."""


class Message(BaseModel):
    """What a script sends beside the serial number that comes back with the answer."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class AnnotationMessage(Message):
    """A message about one annotation."""

    annotation_id: str = Field(max_length=64)


class CheckMessage(AnnotationMessage):
    """A plan as it is typed, to be judged and not kept."""

    content: Any
    suggestion_id: str | None = None


MessageType = TypeVar("MessageType", bound=Message)


def read_message(event: gr.EventData, kind: type[MessageType]) -> MessageType:
    """The message of an event; anybody who is signed in can send any bytes.

    Raises:
        InvalidInput: `desk.bad_message`.
    """
    try:
        # Not `model_validate_json`: it refuses half of a surrogate pair, which a draft may hold.
        return kind.model_validate(json.loads(_text_of(event)))
    except (ValidationError, ValueError, RecursionError) as error:
        raise InvalidInput("desk.bad_message") from error


def desk(
    page: DeskName, events: Sequence[str], words: Words, *, reasons: Sequence[tuple[str, str]] = ()
) -> gr.HTML:
    """The component of a page; each event is asked by the script `assets/<page>.js`."""
    styles = "".join(f'<link rel="stylesheet" href="{module(name)}">' for name in STYLES)
    # Gradio knows the events of a component by their names in this text; plain names would meet
    # methods that components have already.
    script = (
        f"const events = {json.dumps([f'ask_{name}' for name in events])};\n"
        f'import("{module(f"{page}.js")}")'
        ".then((desk) => desk.mount({ element, props, trigger, watch, events }));"
    )
    return gr.HTML(
        None,
        html_template="<div class='pw-desk is-loading'></div>",
        js_on_load=script,
        head=styles,
        apply_default_css=False,
        padding=False,
        elem_id=f"{page}-desk",
        words=desk_words(words),
        language=words.language,
        keys=DEFAULT_KEYS[page],
        reasons=reasons,
    )


def desk_words(words: Words) -> dict[str, str]:
    """Everything that the scripts of the desks say, in one language."""
    return {name: text for area in WORD_AREAS for name, text in words.area(area).items()}


class Speaking(Protocol):
    """Handlers that know the language of their page."""

    @property
    def words(self) -> Words: ...  # noqa: D102


Handlers = TypeVar("Handlers", bound=Speaking)


def answered(
    handler: Callable[[Handlers, gr.EventData, gr.Request], Answer],
) -> Callable[[Handlers, gr.EventData, gr.Request], str]:
    """Give a handler's answer to the script that asked; a failure is an answer too."""

    @functools.wraps(handler)
    def asked(self: Handlers, event: gr.EventData, request: gr.Request) -> str:
        try:
            answer: Answer = handler(self, event, request)
        except InvalidInput as error:
            answer = refusal(error, self.words)
        except Exception as error:  # noqa: BLE001  (the edge where defects become a number)
            answer = {"failed": True, "notice": present(error, self.words)}
        answer["serial"] = _serial_of(event)
        return _to_text(answer)

    return asked


def _text_of(event: gr.EventData) -> str:
    data = vars(event)["_data"]
    text = cast(dict[str, Any], data).get("text") if isinstance(data, dict) else None
    return text if isinstance(text, str) else ""


def _serial_of(event: gr.EventData) -> int | None:
    """The serial, readable even where the rest of a message is not."""
    data = vars(event)["_data"]
    serial = cast(dict[str, Any], data).get("serial") if isinstance(data, dict) else None
    return serial if isinstance(serial, int) else None


def _to_text(answer: Answer) -> str:
    text = json.dumps(answer, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, typed or pasted into a draft
        return json.dumps(answer)
    return text


def connect(component: gr.HTML, handlers: object, events: Sequence[str]) -> None:
    """Bind each event `name` to the method `on_name` of the handlers."""
    for name in events:
        listen = getattr(component, f"ask_{name}")
        handler = getattr(handlers, f"on_{name}")
        listen(handler, None, component, trigger_mode="multiple", postprocess=False, **DIRECT)


def refusal(error: InvalidInput, words: Words) -> Answer:
    """A refused input: its problems for the editor, which stay there, and a notice that leaves."""
    if not error.problems:
        return {"failed": True, "notice": present(error, words)}
    notice = say(words.sentence(error.code, error.values), "note")
    return {"problems": to_lines(error.problems, words), "notice": notice}


def to_lines(problems: Sequence[Problem], words: Words) -> list[dict[str, str]]:
    """Problems as the editor shows them, in the reader's language."""
    return [
        {
            "path": problem.path,
            "code": problem.code,
            "sentence": words.sentence(f"plan.{problem.code}", problem.values),
        }
        for problem in problems
    ]


def to_judgement(preview: PlanPreview, words: Words) -> Answer:
    """The answer to a check."""
    scores = preview.scores
    return {
        "problems": to_lines(preview.problems, words),
        "scores": None if scores is None else scores.model_dump(mode="json"),
    }


def to_answer(item: ItemContext | None, progress: Progress, words: Words) -> Answer:
    """An item for the desk, or none, and how far we are."""
    answer: Answer = {"progress": progress.model_dump(mode="json"), "item": None}
    if item is None:
        return answer
    plain = item.model_dump(mode="json", exclude={"task_id"})
    for suggestion in plain["suggestions"]:
        failure = suggestion["failure"]
        suggestion["failure_sentence"] = failure and words.sentence(failure, {})
    plain["now"] = datetime.now(UTC).isoformat()
    return answer | {"item": plain}
