"""The command `rewards`: completions scored as in training, and with `--bench` a whole bundle."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import orjson

from labeling.command_line import ALL_DONE, SOME_REFUSED, CommandContext, Subparsers
from schemas.errors import NotFound
from schemas.project import DEFAULT_WEIGHTS, REWARDS
from schemas.reward_bench import SCALINGS
from schemas.scoring.context import context_from_row
from schemas.scoring.rewards import score, weighted_total
from schemas.sentences import sentence

COLUMNS = (*REWARDS, "total")
WEIGHTS = dict(zip(REWARDS, DEFAULT_WEIGHTS, strict=True))


class Scored(NamedTuple):
    """One line of the file: its scores and their weighted total, or why there are none."""

    line: int
    plan_id: str
    scores: dict[str, float]
    total: float
    refused: str | None


def add_commands(commands: Subparsers) -> None:
    """Add `rewards`."""
    parser = commands.add_parser(
        "rewards", help="score completions of GRPO rows in a JSONL file, or bench a bundle"
    )
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE|BUNDLE",
        help="GRPO rows, each with a `completion`; with --bench a bundle's id, name or folder",
    )
    parser.add_argument("--bench", action="store_true", help="bench the rewards of a bundle")
    parser.add_argument(
        "--weights", nargs="+", metavar="REWARD=W", help="of --bench; those not named are 0"
    )
    parser.add_argument("--scaling", choices=SCALINGS, help="of --bench: scale_rewards of ms-swift")
    parser.add_argument("--group", type=int, help="of --bench: answers in a group")
    parser.add_argument("--rows", type=int, default=400, help="of --bench (default: 400)")
    parser.set_defaults(run=_rewards)


def score_file(path: Path) -> Iterator[Scored]:
    """The scores of each line, in the order of the file; blank lines are passed over.

    Raises:
        NotFound: `files.not_found`.
    """
    if not path.is_file():
        raise NotFound("files.not_found", name=str(path))
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield _score_line(number, line)


def _score_line(number: int, line: bytes) -> Scored:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return Scored(number, "", {}, 0.0, "rewards.not_json")
    if not isinstance(row, dict):
        return Scored(number, "", {}, 0.0, "rewards.not_json")
    fields = cast(dict[str, Any], row)
    plan_id, completion = str(fields.get("plan_id", "")), fields.get("completion")
    if not isinstance(completion, str):
        return Scored(number, plan_id, {}, 0.0, "rewards.no_completion")
    try:
        scores = score(completion, context_from_row(fields))
    except ValueError:
        return Scored(number, plan_id, {}, 0.0, "rewards.not_a_row")
    return Scored(number, plan_id, scores, weighted_total(scores, WEIGHTS), None)


def _rewards(context: CommandContext, args: argparse.Namespace) -> int:
    if args.bench:
        # Pandas and the export's own modules take a second to import; scoring a file needs none.
        from exports.reward_report import bench  # noqa: PLC0415

        return bench(context, args)
    if not context.as_json:
        print("  ".join(f"{name.removesuffix('Reward'):>17}" for name in COLUMNS))
    sums, refused, count = dict.fromkeys(COLUMNS, 0.0), 0, 0
    for each in score_file(args.file):
        if each.refused:
            refused += 1
        else:
            count += 1
            for name, value in (each.scores | {"total": each.total}).items():
                sums[name] += value
        _print(context, each)
    if not context.as_json:
        means = {name: value / count if count else 0.0 for name, value in sums.items()}
        print(_line(means, sentence("rewards.mean", {"count": count}, context.language)))
    return SOME_REFUSED if refused else ALL_DONE


def _print(context: CommandContext, each: Scored) -> None:
    if context.as_json:
        print(orjson.dumps(each._asdict()).decode())
    elif each.refused:
        print(sentence(each.refused, {"line": each.line}, context.language))
    else:
        print(_line(each.scores | {"total": each.total}, each.plan_id))


def _line(scores: dict[str, float], label: str) -> str:
    cells = [f"{scores[name]:17.3f}" if name in scores else " " * 16 + "–" for name in COLUMNS]
    return "  ".join([*cells, label])
