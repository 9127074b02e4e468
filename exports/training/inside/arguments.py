"""Whether ms-swift's own argument classes take a stage's arguments."""

import dataclasses
import difflib
import tempfile
from importlib import import_module
from typing import Any


def answer(stages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each stage: flags that do not exist with the nearest that does, and what is refused.

    `is_bare` leaves out what depends on the machine (devices, packages), so that arguments for a
    cluster can be judged on a laptop.
    """
    return [_judge(each["stage"], each["arguments"], is_bare=each["is_bare"]) for each in stages]


def _judge(stage: str, given: dict[str, Any], *, is_bare: bool) -> dict[str, Any]:
    classes = import_module("swift.arguments")
    kind = classes.SftArguments if stage == "sft" else classes.RLHFArguments
    names = [field.name for field in dataclasses.fields(kind)]
    # argparse would take an abbreviation for the whole flag; a recipe spells them out.
    unknown = {
        name: next(iter(difflib.get_close_matches(name, names, 1)), "")
        for name in given
        if name not in names and name != "ENV"
    }
    if unknown:
        return {"stage": stage, "unknown": unknown, "error": None}
    if is_bare:
        bare = {"__post_init__": _accept}
        kind = dataclasses.make_dataclass(kind.__name__, [], bases=(kind,), namespace=bare)
    with tempfile.TemporaryDirectory() as folder:
        given = {**given, "output_dir": folder, "add_version": False}
        try:
            _, rest = import_module("swift.utils").parse_args(kind, command_line(given))
        except SystemExit:
            return {"stage": stage, "unknown": {}, "error": "argparse refuses a value"}
        except Exception as error:  # noqa: BLE001  whatever ms-swift raises is its refusal
            return {"stage": stage, "unknown": {}, "error": f"{type(error).__name__}: {error}"}
    return {"stage": stage, "unknown": {}, "error": f"not understood: {rest}" if rest else None}


def _accept(_arguments: object) -> None:
    """What a machine would have to say to the arguments: nothing."""


def command_line(given: dict[str, Any]) -> list[str]:
    """The words that `swift` makes of a config file (`swift/cli/main.py`, 4.6.0)."""
    words: list[str] = []
    for name, value in given.items():
        if name != "ENV":
            words += [f"--{name}", *map(str, value if isinstance(value, list) else [value])]
    return words
