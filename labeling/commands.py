"""Labelling's part of the command line."""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from labeling import expert_commands, few_shot, prompts
from labeling.command_line import (
    ALL_DONE,
    SOME_REFUSED,
    CommandContext,
    Subparsers,
    answer,
    read_file,
    say,
)
from labeling.demo import load_demo
from labeling.intake import import_file
from schemas.errors import InvalidInput
from schemas.intake import FIELDS, IMPORT_KINDS, ImportCounts, parse_mapping


def add_commands(commands: Subparsers) -> None:
    """Add the commands of labelling."""
    expert_commands.add_commands(commands)
    _add_prompts(commands)
    _add_demo(commands)
    _add_import(commands)


def _add_prompts(commands: Subparsers) -> None:
    parser = commands.add_parser("prompts", help="publish and list prompts of the planner")
    acts = parser.add_subparsers(required=True, metavar="ACT")
    publish = acts.add_parser("publish", help="publish a template from a UTF-8 text file")
    publish.add_argument("file", type=Path)
    publish.add_argument("--name", help="name of the prompt (default: the file's)")
    publish.set_defaults(run=_publish_prompt)
    acts.add_parser("list", help="list every version").set_defaults(run=_list_prompts)


def _publish_prompt(context: CommandContext, args: argparse.Namespace) -> int:
    try:
        template = read_file(args.file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput("prompts.not_text") from error
    published = few_shot.publish_prompt(
        context.database, context.actor(), template, name=args.name or args.file.stem
    )
    code = "prompts.published" if published.is_new else "prompts.known"
    text = say(context, code, reference=published.reference)
    answer(context, published.model_dump(mode="json"), text)
    return ALL_DONE


def _list_prompts(context: CommandContext, _: argparse.Namespace) -> int:
    for each in prompts.list_prompts(context.database, context.actor()):
        mark = "*" if each.is_current else " "
        line = f"{mark} {each.reference:32} {each.published_at:%Y-%m-%d %H:%M}"
        answer(context, each.model_dump(mode="json", exclude={"template"}), line)
    return ALL_DONE


def _add_import(commands: Subparsers) -> None:
    parser = commands.add_parser("import", help="import rows from JSONL, JSON, CSV, XLSX, Parquet")
    parser.add_argument("file", type=Path)
    parser.add_argument("--as", dest="kind", choices=IMPORT_KINDS, default="queries")
    parser.add_argument("--experts", metavar="NAME[@N]", help="for rows that name no list")
    parser.add_argument(
        "--map",
        dest="pairs",
        metavar="OURS=THEIRS",
        nargs="+",
        action="extend",
        default=[],
        help=f"other people's column names; ours are {', '.join(FIELDS)}",
    )
    parser.add_argument("--encoding", help="of a text file (default: detected)")
    parser.add_argument("--name", help="name of a benchmark (default: the file's)")
    parser.set_defaults(run=_import)


def _import(context: CommandContext, args: argparse.Namespace) -> int:
    counts = import_file(
        context.database,
        context.actor(),
        args.file,
        kind=args.kind,
        errors_dir=context.settings.home / "imports",
        experts=args.experts,
        mapping=parse_mapping(args.pairs),
        encoding=args.encoding,
        name=args.name,
        on_progress=_show_progress if sys.stderr.isatty() else None,
    )
    if sys.stderr.isatty():
        print(file=sys.stderr)
    plain = counts.model_dump(mode="json")
    lines = [say(context, "intake.done", **plain)]
    if counts.errors_file is not None:
        lines.append(say(context, "intake.errors_in", path=counts.errors_file))
    answer(context, plain, "\n".join(lines))
    return SOME_REFUSED if counts.has_refused else ALL_DONE


def _add_demo(commands: Subparsers) -> None:
    demo = commands.add_parser("demo", help="load the demo project, once")
    demo.set_defaults(run=_load_demo)


def _load_demo(context: CommandContext, _: argparse.Namespace) -> int:
    report = load_demo(context.database, context.settings)
    code = "projects.demo_loaded" if report.is_new else "projects.demo_known"
    answer(context, asdict(report), say(context, code, **asdict(report)))
    return ALL_DONE


def _show_progress(counts: ImportCounts) -> None:
    print(f"\r{counts.read:,}", end="", file=sys.stderr, flush=True)
