"""Rows of a bundle with completions, scored by the bundle's own plugin in the trainer's process.

What preflight and the reward bench share: which rows are looked at, the probes they are put to, and
what the scores say about them.
"""

from collections.abc import Mapping, Sequence
from itertools import compress
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from schemas.reward_bench import ProbeFigure
from schemas.reward_judgement import ProbedRow, judge_probes
from schemas.reward_probes import Probed, probe_row, read_asked

Row = dict[str, Any]
Scores = Mapping[str, float]


class Line(NamedTuple):
    """A row of `grpo.jsonl` and completions of it."""

    row: Row
    completions: tuple[str, ...]


class ProbedLine(NamedTuple):
    """A row with its honest attempts and its probes."""

    row: Row
    probed: tuple[Probed, ...]

    @property
    def line(self) -> Line:
        """What is scored of it."""
        return Line(self.row, tuple(each.completion for each in self.probed))


class Sample(NamedTuple):
    """Rows of a file, evenly spaced, and how many there are in all."""

    rows: tuple[Row, ...]
    total: int


def sample_rows(path: Path, most: int) -> Sample:
    """At most so many rows of a JSONL file, the first and others evenly spaced."""
    with path.open("rb") as lines:
        total = sum(1 for _ in lines)
    wanted = min(most, total)
    places = {number * total // wanted for number in range(wanted)} if wanted else set[int]()
    with path.open("rb") as lines:
        chosen = compress(lines, (number in places for number in range(total)))
        return Sample(tuple(orjson.loads(line) for line in chosen), total)


def probe_lines(rows: Sequence[Row]) -> list[ProbedLine]:
    """The probes of each row that has an accepted plan."""
    found: list[ProbedLine] = []
    for row in rows:
        asked = read_asked(row)
        if asked is not None:
            found.append(ProbedLine(row, tuple(probe_row(asked))))
    return found


def bench_request(bundle: Path, rewards: Sequence[str], lines: Sequence[Line]) -> dict[str, Any]:
    """The part `bench` of a request to the trainer."""
    return {
        "path": str((bundle / "reward_plugin.py").resolve()),
        "rewards": list(rewards),
        "lines": [each._asdict() for each in lines],
    }


def to_scores(said: Mapping[str, Any], rewards: Sequence[str]) -> list[list[Scores]]:
    """The scores of every completion by reward, line by line."""
    return [[dict(zip(rewards, each, strict=True)) for each in line] for line in said["scores"]]


def total_of(scores: Scores, weights: Mapping[str, float]) -> float:
    """The weighted total as the trainer adds it up, scaled so that 1 is all there is to earn."""
    whole = sum(weights.values())
    return sum(scores.get(name, 0.0) * weight for name, weight in weights.items()) / whole


def judged(
    lines: Sequence[ProbedLine], scores: Sequence[Sequence[Scores]], weights: Mapping[str, float]
) -> tuple[ProbeFigure, ...]:
    """Each probe against its ceiling."""
    return judge_probes(
        [
            ProbedRow(
                str(each.row.get("plan_id", "")),
                each.probed,
                [total_of(of_completion, weights) for of_completion in given],
            )
            for each, given in zip(lines, scores, strict=True)
        ]
    )
