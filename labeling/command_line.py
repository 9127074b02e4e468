"""What every command is given: settings, an open database, the project and the acting person."""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from db.engine import Database
from labeling.accounts import command_line_actor
from schemas.errors import NotFound
from schemas.people import Actor
from schemas.sentences import Language, sentence
from schemas.settings import Settings

if TYPE_CHECKING:
    # argparse gives this class no public name.
    Subparsers: TypeAlias = "argparse._SubParsersAction[Any]"  # pyright: ignore[reportPrivateUsage]
else:
    Subparsers = object

ALL_DONE, FAILED, USAGE, SOME_REFUSED = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class CommandContext:
    """Composed once by `app.py`; a command opens nothing of its own."""

    settings: Settings
    database: Database
    project: str
    language: Language
    as_json: bool

    def actor(self) -> Actor:
        """The command line, acting as an admin of the project.

        Raises:
            NotFound: there is no such project.
        """
        return replace(command_line_actor(self.database, self.project), language=self.language)


def say(context: CommandContext, code: str, **values: object) -> str:
    """A sentence in the language of the command line."""
    return sentence(code, values, context.language)


def answer(context: CommandContext, value: Any, text: str) -> None:
    """Print one answer: a line of JSON for machines, text for people."""
    print(orjson.dumps(value).decode() if context.as_json else text)


def read_file(path: Path) -> bytes:
    """The bytes of a file that the command line names.

    Raises:
        NotFound: `files.not_found`.
    """
    if not path.is_file():
        raise NotFound("files.not_found", name=str(path))
    return path.read_bytes()
