"""Registers the seven rewards with ms-swift 4.6; travels in a bundle beside `planwright_scoring/`.

Only the trainer loads this file (`--external_plugins`): by path, under a name of its choosing, and
again in the workers of a data loader, so importing it does nothing but register. A reward never
raises and never gives anything but finite numbers, since both would end or poison a training; what
goes wrong scores 0 and sounds an alarm: a warning in the log and a line in `reward_alarms.jsonl`.

With PLANWRIGHT_REWARD_LOG=FILE each completion is written there once, with its `plan_id` and all
its scores; the alarms go beside it, or nowhere but the log.
"""

import hashlib
import importlib.util
import json
import logging
import math
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from swift.rewards import orms

LOG_VARIABLE = "PLANWRIGHT_REWARD_LOG"
ALARMS = "reward_alarms.jsonl"
COLUMNS = ("plan_id", "plan_meta", "plan_experts", "solution", "messages", "response_token_ids")
logger = logging.getLogger("planwright.rewards")
alarm_counts: Counter[str] = Counter()


def _scoring(module: str) -> Any:
    """A module of the folder beside this file, whatever other bundle may be loaded already."""
    folder = Path(__file__).resolve().parent / "planwright_scoring"
    package = f"_planwright_scoring_{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"
    # A bundle is frozen; caches of ours do not belong into it.
    was, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        if package not in sys.modules:
            _load_package(package, folder)
        return import_module(f"{package}.{module}")
    finally:
        sys.dont_write_bytecode = was


def _load_package(name: str, folder: Path) -> None:
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"There is no {folder} beside the reward plugin.")
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])


REWARDS: Mapping[str, Callable[[str, Any], float | None]] = _scoring("rewards").REWARD_FUNCTIONS
_context_from_row = _scoring("context").context_from_row


class _Batch:
    """The scores of one batch, reckoned at its first reward and shared by the other six."""

    def __init__(self, completions: Sequence[str], step: int, columns: Mapping[str, Any]) -> None:
        self.completions = list(completions)
        self.step = step
        self.rows = [
            {name: _at(columns.get(name), index) for name in COLUMNS}
            for index in range(len(self.completions))
        ]
        self.scores = [
            self._scores(completion, row)
            for completion, row in zip(self.completions, self.rows, strict=True)
        ]
        self._log()

    def is_of(self, completions: Sequence[str], step: int, ids: object) -> bool:
        """Whether these are the completions that were scored last."""
        known = [row["plan_id"] for row in self.rows]
        given = [_at(ids, index) for index in range(len(completions))]
        return self.step == step and known == given and self.completions == list(completions)

    def _scores(self, completion: str, row: Mapping[str, Any]) -> dict[str, float]:
        scores: dict[str, float] = {}
        try:
            context = _with_tokens(_context(row), completion, row["response_token_ids"])
        except Exception as error:  # noqa: BLE001  a row that is not ours must not end a training
            self._alarm("context", row, error)
            return scores
        for name, reward in REWARDS.items():
            try:
                value = reward(completion, context)
            except Exception as error:  # noqa: BLE001  nor may a defect of ours
                self._alarm(name, row, error)
                continue
            if value is not None and math.isfinite(value):
                scores[name] = min(1.0, max(0.0, float(value)))
        return scores

    def _alarm(self, reward: str, row: Mapping[str, Any], error: Exception) -> None:
        alarm(reward, f"{type(error).__name__}: {error}", self.step, row["plan_id"])

    def _log(self) -> None:
        path = os.environ.get(LOG_VARIABLE)
        if path:
            lines = [
                {"step": self.step, "plan_id": row["plan_id"], "scores": scores, "completion": text}
                for text, row, scores in zip(self.completions, self.rows, self.scores, strict=True)
            ]
            _append(Path(path), lines)


_last: list[_Batch] = []


def _batch(completions: Sequence[str], columns: Mapping[str, Any]) -> _Batch:
    step = int(getattr(columns.get("trainer_state"), "global_step", 0) or 0)
    if not _last or not _last[0].is_of(completions, step, columns.get("plan_id")):
        _last[:] = [_Batch(completions, step, columns)]
    return _last[0]


def alarm(reward: str, what: str, step: int, plan_id: object) -> None:
    """Count it, keep it, and say it: the first ten times, then ever more rarely."""
    alarm_counts[reward] += 1
    count = alarm_counts[reward]
    if count <= 10 or count & (count - 1) == 0:
        logger.warning("%s scored 0 (alarm %d): %s; plan %s", reward, count, what, plan_id)
    path = os.environ.get(LOG_VARIABLE)
    if path:
        line = {"step": step, "plan_id": plan_id, "reward": reward, "what": what, "count": count}
        _append(Path(path).with_name(ALARMS), [line])


def _append(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        logger.warning("%s cannot be written: %s", path, error)


def _at(column: object, index: int) -> Any:
    if isinstance(column, list | tuple):
        values = cast(Sequence[Any], column)
        return values[index] if index < len(values) else None
    return None


def _context(row: Mapping[str, Any]) -> Any:
    messages = row["messages"] or []
    system = "".join(str(each["content"]) for each in messages if each["role"] == "system")
    return _context_of(row["plan_meta"], row["plan_experts"], row["solution"], system)


@lru_cache(maxsize=4096)
def _context_of(meta: str, experts: str, solution: str | None, system: str) -> Any:
    messages = [{"role": "system", "content": system}]
    return _context_from_row(
        {"plan_meta": meta, "plan_experts": experts, "solution": solution, "messages": messages}
    )


def _with_tokens(context: Any, completion: str, token_ids: Sequence[int] | None) -> Any:
    """A recipe that counts tokens: those of the completion, shared out by characters."""
    if context.think_unit != "tokens" or not token_ids or not completion:
        return context
    return replace(context, count_tokens=partial(_count_tokens, len(token_ids)))


def _count_tokens(tokens: int, completion: str, part: str) -> int:
    return round(tokens * len(part) / len(completion))


class _Reward:
    """One of the seven; its class name is what ms-swift calls its metric."""

    def __init__(self, args: object = None, **_: object) -> None:
        self.args = args

    def __call__(self, completions: Sequence[object], **columns: Any) -> list[float]:
        name = type(self).__name__
        try:
            texts = [each if isinstance(each, str) else str(each) for each in completions]
            batch = _batch(texts, columns)
            for scores, row in zip(batch.scores, batch.rows, strict=True):
                if scores and name not in scores:
                    alarm(name, "does not apply to this row", batch.step, row["plan_id"])
            return [scores.get(name, 0.0) for scores in batch.scores]
        except Exception as error:  # noqa: BLE001  whatever happens, a training goes on
            alarm(name, f"{type(error).__name__}: {error}", 0, None)
            return [0.0] * len(completions)


for _name in REWARDS:
    cast(dict[str, Any], orms)[_name] = type(_name, (_Reward,), {"__module__": __name__})
