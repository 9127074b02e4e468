"""The commands `stats`, `backup` and `restore`."""

import argparse
from pathlib import Path

import orjson

from db.backup import restore_backup, write_backup
from labeling import queue
from labeling.command_line import ALL_DONE, CommandContext, Subparsers
from schemas.sentences import sentence


def add_commands(commands: Subparsers) -> None:
    """Add the commands of whoever looks after an installation."""
    commands.add_parser("stats", help="count queries, annotations and what waits").set_defaults(
        run=_stats
    )
    backup = commands.add_parser("backup", help="write everything that is remembered to one file")
    backup.add_argument("file", type=Path)
    backup.set_defaults(run=_backup)
    restore = commands.add_parser("restore", help="restore a backup into an empty installation")
    restore.add_argument("file", type=Path)
    restore.set_defaults(run=_restore)


def _stats(context: CommandContext, _: argparse.Namespace) -> int:
    counts = queue.stats(context.database, context.actor())
    if context.as_json:
        print(counts.model_dump_json())
        return ALL_DONE
    for group, states in (("queries", counts.queries), ("annotations", counts.annotations)):
        print(group, *(f"{state} {count}" for state, count in states.items()), sep="  ")
    print("waiting", f"to label {counts.open_labels}", f"to review {counts.open_reviews}", sep="  ")
    return ALL_DONE


def _backup(context: CommandContext, args: argparse.Namespace) -> int:
    _tell(
        context,
        "backup.written",
        args.file,
        write_backup(context.database, context.settings, args.file),
    )
    return ALL_DONE


def _restore(context: CommandContext, args: argparse.Namespace) -> int:
    _tell(
        context,
        "backup.restored",
        args.file,
        restore_backup(context.database, context.settings, args.file),
    )
    return ALL_DONE


def _tell(context: CommandContext, code: str, file: Path, counts: dict[str, int]) -> None:
    if context.as_json:
        print(orjson.dumps(counts).decode())
    else:
        print(sentence(code, {"file": file, "rows": sum(counts.values())}, context.language))
