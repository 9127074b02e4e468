"""Rows of JSONL files and of JSON files that hold one array."""

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from labeling.intake.source_row import MAX_ROW, SourceRow, unreadable
from schemas.errors import InvalidInput
from schemas.strict_json import parse_json

_CHUNK = 1024 * 1024
_BOM = codecs.BOM_UTF8
_SPACE = " \t\r\n"


def read_jsonl(path: Path, encoding: str) -> Iterator[SourceRow]:
    """One object a line; blank lines are no rows."""
    is_utf8 = codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")
    with path.open("rb", buffering=_CHUNK) as file:
        number = 0
        while line := file.readline(MAX_ROW + 1):
            number += 1
            if number == 1:
                line = line.removeprefix(_BOM)
            if len(line) > MAX_ROW and not line.endswith(b"\n"):
                _skip_line(file)
                shown = line[:2_000].decode("utf-8", "replace")
                yield unreadable(number, "intake.row_too_large", {"most_mb": MAX_ROW >> 20}, shown)
                continue
            line = line.strip()
            if line:
                yield _parse(number, line if is_utf8 else _recoded(line, encoding))


def read_json_array(path: Path, encoding: str) -> Iterator[SourceRow]:
    """The elements of one array, held in memory one at a time.

    Where the array is broken, what follows cannot be told apart: it is one refused row, the last.

    Raises:
        InvalidInput: `intake.not_an_array`.
    """
    with path.open("r", encoding=encoding, errors="replace", newline="") as file:
        text = _Window(file)
        if text.next_character() != "[":
            raise InvalidInput("intake.not_an_array")
        text.position += 1
        number = 0
        while (character := text.next_character()) != "]":
            if number and character == ",":
                text.position += 1
                character = text.next_character()
            number += 1
            element = text.next_element()
            if element is None:
                yield unreadable(number, "intake.array_broken", {}, text.rest())
                return
            yield _parse(number, element.encode("utf-8", "surrogatepass"))


class _Window:
    """The part of a text file that is looked at."""

    _decoder = json.JSONDecoder()

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._text = file.read(_CHUNK).removeprefix("\ufeff")
        self.position = 0

    def next_character(self) -> str:
        """The next one that is no space, which stays the next one; empty at the end."""
        while True:
            while self.position < len(self._text):
                if self._text[self.position] not in _SPACE:
                    return self._text[self.position]
                self.position += 1
            if not self._grow():
                return ""

    def next_element(self) -> str | None:
        """The JSON text of the next value, or nothing when there is none to be read."""
        while True:
            try:
                _, end = self._decoder.raw_decode(self._text, self.position)
            except (json.JSONDecodeError, RecursionError):
                end = len(self._text)
            else:
                # A number at the very end may go on in the next chunk.
                if end < len(self._text) or self._text[-1] in "]}":
                    element = self._text[self.position : end]
                    self.position = end
                    return element
            if len(self._text) - self.position > MAX_ROW or not self._grow():
                return None

    def rest(self) -> str:
        """What is left of the text that was read."""
        return self._text[self.position :]

    def _grow(self) -> bool:
        more = self._file.read(_CHUNK)
        self._text, self.position = self._text[self.position :] + more, 0
        return bool(more)


def _parse(number: int, raw: bytes) -> SourceRow:
    try:
        value = parse_json(raw)
    except InvalidInput as error:
        shown = raw[:8_000].decode("utf-8", "replace")
        return unreadable(number, error.code, error.values, shown)
    if not isinstance(value, dict):
        shown = raw[:8_000].decode("utf-8", "replace")
        return unreadable(number, "intake.not_an_object", {}, shown)
    return SourceRow(number, cast(dict[str, Any], value), size=len(raw))


def _recoded(line: bytes, encoding: str) -> bytes:
    return line.decode(encoding, "replace").encode()


def _skip_line(file: IO[bytes]) -> None:
    while (rest := file.readline(_CHUNK)) and not rest.endswith(b"\n"):
        pass
