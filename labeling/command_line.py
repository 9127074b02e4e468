"""What every command is given: settings, an open database, the project and the acting person."""

import argparse
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from db.engine import Database
from labeling.accounts import command_line_actor
from schemas.people import Actor
from schemas.sentences import Language
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
