"""What became of a run, told from its folder: exit code, checkpoint, rows kept, last lines."""

import json
import re
import signal
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import JsonValue

from exports.training.resuming import OUTPUT, to_resume_point
from schemas.training import RunOrder, RunState

LOG = "log.txt"
_TAIL_BYTES = (200 * 1024, 8 << 20)
_LOOK = '"GET /health HTTP/'
_ROWS = re.compile(rb"train_dataset: Dataset\(\{.*?num_rows: (\d+)", re.DOTALL)
_STEPS = re.compile(rb'"(?:global_step/max_steps|iteration)": "(\d+)/(\d+)"')
"""Megatron calls it an iteration."""
_BELOW = re.compile(r"^\s*traceback : Signal \d+ \((\w+)\) received by PID", re.MULTILINE)
"""How torchrun tells that a trainer which it had started was killed; its own exit code is 1."""
_SIZE = re.compile(r"size=(\d+)")


class Verdict(NamedTuple):
    """State, and the code and values of the sentence that says why."""

    state: RunState
    reason: str
    values: dict[str, JsonValue]
    checkpoint: str | None
    rows_kept: int | None


def judge(  # noqa: PLR0911  a table of outcomes reads best as one
    folder: Path, order: RunOrder, exit_code: int, *, was_asked_to_stop: bool
) -> Verdict:
    """The verdict on a trainer that has left.

    Success is exit code 0 and a checkpoint and as many rows kept as were exported; ms-swift gives
    exit code 0 in other cases too.
    """
    checkpoint, rows = find_checkpoint(folder) or _had_been_done(order), rows_kept(folder)

    def verdict(state: RunState, reason: str, **values: JsonValue) -> Verdict:
        return Verdict(state, f"training.{reason}", values, checkpoint, rows)

    if was_asked_to_stop and not (exit_code == 0 and _has_reached_its_end(folder)):
        if checkpoint:
            return verdict("stopped", "stopped_saved", checkpoint=Path(checkpoint).name)
        return verdict("stopped", "stopped")
    if exit_code < 0 or exit_code > 128:
        # The wrapper passes -9 on through `sys.exit`, which keeps its low byte: 247.
        number = -exit_code if exit_code < 0 else min(256 - exit_code, exit_code - 128)
        return verdict("failed", "killed_by_signal", signal=_signal_name(number))
    if exit_code != 0 and (killed := _BELOW.findall(last_lines(folder, 60))):
        return verdict("failed", "killed_by_signal", signal=killed[-1])
    if exit_code != 0:
        return verdict("failed", "exited", exit_code=exit_code, line=last_line(folder))
    if order.needs_checkpoint and checkpoint is None:
        return verdict("failed", "no_checkpoint")
    if order.expected_rows is not None and rows != order.expected_rows:
        return verdict("failed", "rows_differ", expected=order.expected_rows, kept=rows or 0)
    return verdict("succeeded", "succeeded")


def find_checkpoint(folder: Path) -> str | None:
    """The newest checkpoint of a run that is complete enough to load, as an absolute path."""
    found = [
        path
        for path in (folder / OUTPUT).glob("checkpoint-*[0-9]")
        if path.is_dir() and any(path.glob("*.safetensors"))
    ]
    newest = max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)
    return str(newest.resolve()) if newest else None


def _had_been_done(order: RunOrder) -> str | None:
    """The checkpoint that a run went on from, if no step was left after it: none is saved again."""
    point = to_resume_point(Path(order.resumed_from)) if order.resumed_from else None
    return point.checkpoint if point and point.step >= point.steps else None


def rows_kept(folder: Path) -> int | None:
    """Rows that the trainer trained on, as it printed them; None before it has."""
    counts: list[int] = []
    printed = _ROWS.search((folder / LOG).read_bytes()) if (folder / LOG).exists() else None
    if printed:
        counts.append(int(printed[1]))
    sized = _SIZE.search(str(summary(folder).get("train_dataset", "")))
    if sized:
        counts.append(int(sized[1]))
    return min(counts, default=None)


def summary(folder: Path) -> dict[str, Any]:
    """The last line of `logging.jsonl`, which the trainer writes at a normal end; else empty."""
    path = folder / OUTPUT / "logging.jsonl"
    if not path.exists():
        return {}
    line = path.read_bytes().rstrip().rpartition(b"\n")[2]
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if "log_history" in value else {}


def last_line(folder: Path) -> str:
    """The last line of the log that says something."""
    return last_lines(folder, 1)


def last_lines(folder: Path, count: int) -> str:
    """The end of the log, without overwritten states of progress bars and our looks at a server.

    A server that is well writes nothing but such looks for days: then more of the log is read.
    """
    path = folder / LOG
    if not path.exists():
        return ""
    size, lines = path.stat().st_size, list[str]()
    for reach in _TAIL_BYTES:
        with path.open("rb") as log:
            log.seek(max(0, size - reach))
            if reach < size:
                log.readline()  # the rest of a line
            text = log.read().decode("utf-8", "replace").replace("\r\n", "\n")
        drawn = (line.rpartition("\r")[2].rstrip() for line in text.split("\n"))
        lines = [line for line in drawn if line and _LOOK not in line][-count:]
        if len(lines) == count or reach >= size:
            break
    return "\n".join(lines)


def _has_reached_its_end(folder: Path) -> bool:
    path = folder / OUTPUT / "logging.jsonl"
    said = _STEPS.findall(path.read_bytes()) if path.exists() else []
    return bool(said) and said[-1][0] == said[-1][1]


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
