"""Failures and good news on a page: one notice, because an unqueued Gradio event shows no toast.

A handler returns the notice among its outputs. `presented` wraps a handler of a page: a failure
becomes its notice and every other output stays as it is on screen.
"""

import functools
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar, get_type_hints

import gradio as gr
from uuid6 import uuid7

from labeling.ui.i18n import Words
from schemas.errors import InvalidInput, NotAllowed, PlanwrightError

_log = logging.getLogger(__name__)
_SCRIPT = Path(__file__).parent / "assets" / "notice.js"
_SHOWN_PROBLEMS = 8

NoticeValue = dict[str, object]
Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer", bound=tuple[Any, ...])


class Speaking(Protocol):
    """Handlers that know the language of their page."""

    @property
    def words(self) -> Words: ...  # noqa: D102


def notice() -> gr.HTML:
    """The page's one notice; give it `say(...)` or `present(...)`."""
    return gr.HTML(
        {},
        html_template="<div class='pw-notice-anchor'></div>",
        js_on_load=_SCRIPT.read_text("utf-8"),
        elem_id="notice",
        padding=False,
    )


def say(text: str, kind: Literal["done", "note", "error"] = "done") -> NoticeValue:
    """Something to tell; `done` and `note` leave by themselves, `error` stays until closed."""
    return {"kind": kind, "text": text, "at": time.time_ns()}


def present(error: Exception, words: Words) -> NoticeValue:
    """A failure in the reader's language; the unknown is logged and shown as a number."""
    match error:
        case PlanwrightError():
            kind = "refused" if isinstance(error, NotAllowed) else "error"
            text = words.sentence(error.code, error.values)
            lines = error.problem_lines(words.language) if isinstance(error, InvalidInput) else []
            return say("\n".join([text, *lines[:_SHOWN_PROBLEMS]]), "error") | {"kind": kind}
        case _:
            number = uuid7().hex[-8:]
            _log.error("defect %s", number, exc_info=error)
            return say(words("shell.defect", number=number), "error")


def unchanged(answer: type[Answer], **given: object) -> Answer:
    """An answer of a handler in which every output but the given ones stays as it is on screen."""
    fields: tuple[str, ...] = answer._fields  # pyright: ignore[reportAttributeAccessIssue]
    values = {name: given.get(name, gr.skip()) for name in fields}
    return answer(**values)  # pyright: ignore[reportCallIssue]


def presented(
    handler: Callable[Concatenate[Any, Parameters], Answer],
) -> Callable[Concatenate[Any, Parameters], Answer]:
    """Turn a handler's failure into the `notice` of its answer (a NamedTuple with such a field).

    An answer of one field becomes that field, because Gradio takes a tuple for the value of a
    single output.
    """

    @functools.wraps(handler)
    def guarded(self: Speaking, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Any:
        try:
            told = handler(self, *args, **kwargs)
        except Exception as error:  # noqa: BLE001  (the edge where defects become a number)
            answer: type[Answer] = get_type_hints(handler)["return"]
            told = unchanged(answer, notice=present(error, self.words))
        return told[0] if len(told) == 1 else told

    return guarded
