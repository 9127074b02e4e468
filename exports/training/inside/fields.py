"""What ms-swift's own argument classes take: name, type, default, choices, and the help they hold.

Help stands in the `Args:` part of their docstrings, or in a field's metadata.
"""

import dataclasses
import inspect
import re
from typing import Any, Literal, get_args, get_origin

from arguments import class_of


def answer(_: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The fields of each class, in their order, under `PROGRAM COMMAND`."""
    return {
        f"{program} {command}": _fields(class_of(command, is_megatron=program == "megatron"))
        for program in ("swift", "megatron")
        for command in ("sft", "rlhf")
    }


def _fields(kind: Any) -> list[dict[str, Any]]:
    told: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        told |= _told(inspect.cleandoc(each.__doc__ or ""))
    return [
        {
            "name": field.name,
            "type": _type(field.type),
            "default": _default(field),
            "choices": [str(each) for each in _choices(field.type) if each is not None],
            "help": " ".join((told.get(field.name) or field.metadata.get("help") or "").split()),
        }
        for field in dataclasses.fields(kind)
        if field.init
    ]


def _told(text: str) -> dict[str, str]:
    """Name → help, of the lines `    name (type): help` and what is indented deeper below."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        entry = re.match(r"^ {4}`?(\w+)`? ?(?:\(.*?\))?:(.*)$", line)
        if entry:
            name = entry[1]
            found[name] = entry[2]
        elif name and line.startswith("     "):
            found[name] += f" {line.strip()}"
        elif line.strip():
            name = ""
    return found


def _type(kind: object) -> str:
    text = kind if isinstance(kind, str) else getattr(kind, "__name__", "")
    shown = text if get_origin(kind) is None and text else str(kind)
    return shown.replace("typing.", "")


def _choices(kind: Any) -> list[Any]:
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    return [each for part in get_args(kind) for each in _choices(part)]


def _default(field: Any) -> str:
    if field.default_factory is not dataclasses.MISSING:
        return str(field.default_factory())
    return "" if field.default is dataclasses.MISSING else str(field.default)
