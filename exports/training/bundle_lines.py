"""The row of a bundle that a completion answers, found by its `plan_id`; no file is read whole."""

import json
import mmap
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

FILES = ("grpo.jsonl", "grpo_val.jsonl")
LONGEST = 8 << 20


def find_row(bundle: Path, plan_id: str) -> dict[str, Any] | None:
    """The GRPO row with this id; None where the bundle has none, or is gone."""
    if not plan_id:
        return None
    for name in FILES:
        path = bundle / name
        if path.exists() and (size := path.stat().st_size):
            row = _find(path, plan_id, size)
            if row is not None:
                return row
    return None


def prompt_of(row: dict[str, Any]) -> str:
    """All that the planner was shown, as one text."""
    return "\n".join(str(each.get("content", "")) for each in messages_of(row))


def query_of(row: dict[str, Any]) -> str:
    """What the user asked: the last turn."""
    asked = [each for each in messages_of(row) if each.get("role") == "user"]
    return str(asked[-1].get("content", "")) if asked else ""


def messages_of(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages that the planner was shown."""
    found = row.get("messages")
    return cast(list[dict[str, Any]], found) if isinstance(found, list) else []


@lru_cache(maxsize=512)
def _find(path: Path, plan_id: str, _size: int) -> dict[str, Any] | None:
    wanted = json.dumps(plan_id, ensure_ascii=False).encode()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        place = text.find(wanted)
        while place >= 0:
            begin, end = text.rfind(b"\n", 0, place) + 1, text.find(b"\n", place)
            end = len(text) if end < 0 else end
            if end - begin <= LONGEST:
                row = _row(text[begin:end])
                if row is not None and row.get("plan_id") == plan_id:
                    return row
            place = text.find(wanted, end)
    return None


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return cast(dict[str, Any], row) if isinstance(row, dict) else None
