"""Every argument that the trainer takes, as its own classes say; asked once for each version."""

import difflib
import json
from collections.abc import Sequence
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter

from exports.training.ask import ask_trainer
from exports.training.beginning import command_of
from schemas.errors import InvalidInput
from schemas.settings import Settings
from schemas.training_stages import TRAINED, Program, TrainingStage, to_training_stage

MOST_SHOWN = 30


class Argument(BaseModel):
    """One argument; type and default as the trainer's source has them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    type: str
    default: str
    choices: tuple[str, ...]
    help: str


_LIST = TypeAdapter(dict[str, tuple[Argument, ...]])


def list_arguments(
    settings: Settings, stage: TrainingStage, program: Program = "swift"
) -> tuple[Argument, ...]:
    """The arguments of a stage; six seconds for a version that was never asked, then none.

    Raises:
        TrainingError: the trainer cannot be asked.
    """
    version = str(ask_trainer(settings, version="ms-swift")["version"]["version"])
    path = settings.home / "models" / f"arguments-of-{version}.json"
    if not path.exists():
        found = ask_trainer(settings, fields={})["fields"]
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".new")
        unfinished.write_text(json.dumps(found, ensure_ascii=False), "utf-8")
        unfinished.rename(path)
    return _LIST.validate_json(path.read_bytes())[f"{program} {command_of(stage)}"]


def find_arguments(known: Sequence[Argument], text: str) -> list[Argument]:
    """Those whose name or help has all of the words, names first; at most thirty."""
    words = text.lower().replace("-", "_").split()
    by_name = [each for each in known if all(word in each.name.lower() for word in words)]
    by_help = [
        each
        for each in known
        if each not in by_name and all(word in f"{each.name} {each.help}".lower() for word in words)
    ]
    begin = "_".join(words)
    by_name.sort(key=lambda each: (not each.name.startswith(begin), len(each.name)))
    return (by_name + by_help)[:MOST_SHOWN]


def read_overrides(
    settings: Settings, text: str, program: Program = "swift"
) -> dict[TrainingStage, dict[str, JsonValue]]:
    """Lines `STAGE.NAME=VALUE`, each name known to the trainer's own classes.

    Raises:
        InvalidInput: `training.override_not_a_pair`, `training.argument_unknown` with the nearest
            name, or `training.argument_not_a_choice`.
    """
    found: dict[TrainingStage, dict[str, JsonValue]] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        path, is_pair, value = line.partition("=")
        stage_name, _, name = path.strip().partition(".")
        if not is_pair or not name or stage_name not in TRAINED:
            raise InvalidInput("training.override_not_a_pair", text=line)
        stage = to_training_stage(stage_name)
        known = {each.name: each for each in list_arguments(settings, stage, program)}
        if name not in known and name != "ENV":
            near = next(iter(difflib.get_close_matches(name, known, 1)), "–")
            raise InvalidInput("training.argument_unknown", name=name, near=near)
        read: Any = yaml.safe_load(value.strip())
        choices = known[name].choices if name in known else ()
        if choices and str(read) not in choices and "str" not in known[name].type:
            among = ", ".join(choices)
            raise InvalidInput("training.argument_not_a_choice", name=name, choices=among)
        found.setdefault(stage, {})[name] = read
    return found
