"""Whether the reward plugin of a bundle loads beside nothing but ms-swift, and scores."""

import itertools
import json
import math
import time
from importlib import import_module
from pathlib import Path
from typing import Any

GARBAGE = "…"
PROBES = 8


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Scores of the first rows for their accepted answer and for a worthless one, by reward."""
    import_module("swift.utils").import_external_file(request["path"])
    registered = import_module("swift.rewards").orms
    missing = [name for name in request["rewards"] if name not in registered]
    rows = _first_rows(Path(request["rows"]))
    honest = [_honest(row, with_thinking=request["with_thinking"]) for row in rows]
    scores: dict[str, Any] = {}
    began = time.perf_counter()
    for name in request["rewards"]:
        if name not in missing and rows:
            reward = registered[name](args=None)
            columns = {key: [row.get(key) for row in rows] for key in rows[0]}
            scores[name] = {
                "class": type(reward).__name__,
                "honest": _call(reward, honest, columns),
                "garbage": _call(reward, [GARBAGE] * len(rows), columns),
            }
    return {"missing": missing, "scores": scores, "seconds": time.perf_counter() - began}


def _first_rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in itertools.islice(lines, PROBES)]


def _honest(row: dict[str, Any], *, with_thinking: bool) -> str:
    thinking = "<think>\n" + "想清楚再写。" + "\n</think>\n\n" if with_thinking else ""
    return f"{thinking}<answer>\n{row['solution']}\n</answer>"


def _call(reward: Any, completions: list[str], columns: dict[str, list[Any]]) -> list[float] | str:
    """The scores, or what is wrong with them."""
    try:
        given = reward(completions, **columns)
    except Exception as error:  # noqa: BLE001  a reward may raise anything; it would kill a training
        return f"{type(error).__name__}: {error}"
    if len(given) != len(completions):
        return f"{len(given)} scores for {len(completions)} completions"
    if not all(isinstance(each, int | float) and math.isfinite(each) for each in given):
        return "a score is not a finite number"
    return [float(each) for each in given]
