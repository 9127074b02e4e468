"""What is imported, and what became of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from schemas.errors import InvalidInput

ImportKind = Literal["queries", "suggestions", "history", "benchmark"]
IMPORT_KINDS: tuple[ImportKind, ...] = ("queries", "suggestions", "history", "benchmark")
FileFormat = Literal["jsonl", "json", "csv", "xlsx", "parquet"]

FIELDS = ("id", "query", "history", "experts", "trace", "plan", "messages")
"""Our column names, which a mapping may point at other people's."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ImportCounts(_Value):
    """What became of the rows of a file; `read` is the sum of added, known, changed and refused.

    Attributes:
        read: Rows in the file.
        added: Rows that are new here.
        known: Rows that were here already, with the same content.
        changed: Rows whose id was here with other content; refused, the old row stands.
        incomplete: Among the added, those whose plan lacks its rewrite or its steps.
        refused: Rows that cannot be used.
        errors_file: Where changed and refused rows stand with line number and reason, if any.
    """

    read: int = 0
    added: int = 0
    known: int = 0
    changed: int = 0
    incomplete: int = 0
    refused: int = 0
    errors_file: str | None = None

    @property
    def has_refused(self) -> bool:
        """Whether any row did not find its way in."""
        return bool(self.changed or self.refused)


class Preview(_Value):
    """The head of a file, for choosing a mapping: columns in file order, and up to 20 rows."""

    columns: tuple[str, ...]
    rows: tuple[dict[str, JsonValue], ...]
    encoding: str | None
    """Of text files; another one may be chosen."""
    format: FileFormat


class ImportView(_Value):
    """One import as pages show it; `state` is running, done or failed."""

    id: str
    kind: str
    file_name: str
    state: str
    counts: ImportCounts
    created_at: datetime


def parse_mapping(pairs: Iterable[str]) -> dict[str, str]:
    """`OURS=THEIRS …` as a mapping; THEIRS may reach into an object by dots (`answer.plan`).

    Raises:
        InvalidInput: `intake.mapping_form` or `intake.field_unknown`.
    """
    mapping: dict[str, str] = {}
    for pair in pairs:
        ours, equals, theirs = pair.partition("=")
        if not equals or not ours.strip() or not theirs.strip():
            raise InvalidInput("intake.mapping_form", pair=pair)
        mapping[ours.strip()] = theirs.strip()
    check_mapping(mapping)
    return mapping


def check_mapping(mapping: Iterable[str]) -> None:
    """Refuse names that are not ours.

    Raises:
        InvalidInput: `intake.field_unknown`.
    """
    for ours in mapping:
        if ours not in FIELDS:
            raise InvalidInput("intake.field_unknown", field=ours, known=", ".join(FIELDS))
