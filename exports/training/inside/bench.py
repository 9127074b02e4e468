"""What the reward plugin of a bundle gives to completions, and how fast, on one core.

Asked as a trainer asks: each reward with a whole batch and the columns of its rows.
"""

import math
import sys
import time
from importlib import import_module
from itertools import islice
from types import SimpleNamespace
from typing import Any

BATCH = 64
TIMED = 500
Case = tuple[dict[str, Any], str]


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The scores of every completion, and completions per second: all rewards, and each alone.

    `lines` are rows with completions: `{"row": {…}, "completions": […]}`.
    """
    import_module("swift.utils").import_external_file(request["path"])
    registered = import_module("swift.rewards").orms
    rewards = [registered[name](args=None) for name in request["rewards"]]
    lines: list[dict[str, Any]] = request["lines"]
    cases = [(line["row"], text) for line in lines for text in line["completions"]]
    _score(rewards, cases[:BATCH], step=0)  # what is imported at the first call is no scoring
    began = time.perf_counter()
    scores = [
        each
        for step, place in enumerate(range(0, len(cases), BATCH), 1)
        for each in _score(rewards, cases[place : place + BATCH], step=step)
    ]
    seconds = time.perf_counter() - began
    given = iter(scores)
    return {
        "scores": [list(islice(given, len(line["completions"]))) for line in lines],
        "per_second": len(cases) / seconds if seconds else 0.0,
        "alone": _alone(rewards, request["rewards"], cases[:TIMED]),
    }


def _score(rewards: list[Any], cases: list[Case], *, step: int) -> list[list[float]]:
    """For each completion the scores in the order of the rewards.

    Raises:
        ValueError: a reward gives too few scores, or one that is not a finite number.
    """
    names = {name for row, _ in cases for name in row}
    columns = {name: [row.get(name) for row, _ in cases] for name in names}
    texts = [text for _, text in cases]
    state = SimpleNamespace(global_step=step)
    given: list[list[float]] = []
    for reward in rewards:
        scores = [float(each) for each in reward(texts, trainer_state=state, **columns)]
        if len(scores) != len(texts) or not all(map(math.isfinite, scores)):
            raise ValueError(f"{type(reward).__name__} gives no finite number for each completion")
        given.append(scores)
    return [list(each) for each in zip(*given, strict=True)]


def _alone(rewards: list[Any], names: list[str], cases: list[Case]) -> dict[str, float]:
    """Completions per second of each function by itself; empty for a plugin of another make."""
    module = sys.modules[type(rewards[0]).__module__]
    functions, context_of = getattr(module, "REWARDS", None), getattr(module, "_context", None)
    if functions is None or context_of is None or not cases:
        return {}
    known = [(context_of(row), text) for row, text in cases]
    per_second: dict[str, float] = {}
    for name in names:
        _forget(module)
        began = time.perf_counter()
        for context, text in known:
            functions[name](text, context)
        per_second[name] = len(known) / (time.perf_counter() - began)
    return per_second


def _forget(plugin: Any) -> None:
    """Empty what the scoring modules keep, so that no reward is paid for by the one before."""
    package = plugin.REWARDS["StrictFormatReward"].__module__.rpartition(".")[0]
    for name, module in list(sys.modules.items()):
        if name.startswith(f"{package}."):
            for each in vars(module).values():
                if hasattr(each, "cache_clear"):
                    each.cache_clear()
