"""Labelling's part of the command line."""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from labeling import experts, prompts
from labeling.command_line import ALL_DONE, SOME_REFUSED, CommandContext, Subparsers
from labeling.demo import load_demo
from labeling.impact import impact, impact_of_file
from labeling.intake import import_file
from schemas.errors import InvalidInput, NotFound
from schemas.experts import Expert, ListComparison
from schemas.intake import FIELDS, IMPORT_KINDS, ImportCounts, parse_mapping
from schemas.sentences import sentence


def add_commands(commands: Subparsers) -> None:
    """Add the commands of labelling."""
    _add_experts(commands)
    _add_prompts(commands)
    _add_demo(commands)
    _add_import(commands)


def _add_experts(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "experts", help="publish, list, show, compare and weigh expert lists"
    )
    acts = parser.add_subparsers(required=True, metavar="ACT")
    publish = acts.add_parser("publish", help="publish a version from a JSON or JSONL file")
    publish.add_argument("file", type=Path)
    publish.add_argument("--note", default="", help="what changed, for people")
    publish.set_defaults(run=_publish_experts)
    acts.add_parser("list", help="list every version").set_defaults(run=_list_experts)
    show = acts.add_parser("show", help="show a version as a file would have it")
    show.add_argument("reference", metavar="NAME[@N]")
    show.set_defaults(run=_show_experts)
    diff = acts.add_parser("diff", help="compare two versions")
    diff.add_argument("before", metavar="NAME@A")
    diff.add_argument("after", metavar="NAME@B")
    diff.set_defaults(run=_diff_experts)
    impact_of = acts.add_parser("impact", help="what a version would mean for what was decided")
    impact_of.add_argument("before", metavar="NAME@A")
    impact_of.add_argument("after", metavar="NAME@B", help="or a file that is not published yet")
    impact_of.set_defaults(run=_impact_of_experts)


def _publish_experts(context: CommandContext, args: argparse.Namespace) -> int:
    published = experts.publish_file(
        context.database, context.actor(), read_file(args.file), note=args.note
    )
    for each in published:
        code = "experts.published" if each.is_new else "experts.known"
        answer(
            context,
            {
                "reference": each.list.reference,
                "version_id": each.version_id,
                "is_new": each.is_new,
                "experts": len(each.list.experts),
            },
            say(context, code, reference=each.list.reference, count=len(each.list.experts)),
        )
    return ALL_DONE


def _list_experts(context: CommandContext, _: argparse.Namespace) -> int:
    summaries = experts.list_versions(context.database, context.actor())
    for each in summaries:
        mark = "*" if each.is_current else " "
        line = f"{mark} {each.reference:32} {each.experts:5} {each.published_at:%Y-%m-%d %H:%M}"
        answer(context, each.model_dump(mode="json"), f"{line}  {each.note}".rstrip())
    return ALL_DONE


def _show_experts(context: CommandContext, args: argparse.Namespace) -> int:
    _, found = experts.get_list(context.database, context.actor(), args.reference)
    lines = [found.reference, *(f"  {each.name}: {each.description}" for each in found.experts)]
    answer(context, found.model_dump(mode="json"), "\n".join(lines))
    return ALL_DONE


def _diff_experts(context: CommandContext, args: argparse.Namespace) -> int:
    found = experts.compare(context.database, context.actor(), args.before, args.after)
    lines = list(_comparison_lines(found)) or [say(context, "experts.same")]
    answer(context, found.to_plain(), "\n".join(lines))
    return ALL_DONE


def _impact_of_experts(context: CommandContext, args: argparse.Namespace) -> int:
    who, path = context.actor(), Path(args.after)
    if path.is_file():
        found = impact_of_file(context.database, who, args.before, path.read_bytes())
    else:
        found = impact(context.database, who, args.before, args.after)
    counts = found.rows._asdict() | {"touched": found.rows.touched, "total": found.rows.total}
    text = say(
        context,
        "experts.impact",
        before=found.before,
        after=found.after,
        questions=found.questions.touched,
        planners=len(found.planners),
        **counts,
    )
    answer(context, found.model_dump(mode="json"), text)
    return ALL_DONE


def _comparison_lines(found: ListComparison) -> list[str]:
    return [
        *(f"+ {each.name}: {each.description}" for each in found.added),
        *(f"- {each.name}: {each.description}" for each in found.retired),
        *(f"> {each.before.name} → {each.after.name}" for each in found.renamed),
        *(
            f"~ {each.after.name}: {_told(each.before)} → {_told(each.after)}"
            for each in found.described
        ),
        *(f"+ {name}" for name in (*found.tools_added, *found.services_added)),
        *(f"- {name}" for name in (*found.tools_retired, *found.services_retired)),
        *(f"~ {name}" for name in (*found.tools_changed, *found.services_changed)),
    ]


def _told(expert: Expert) -> str:
    return " | ".join((expert.description, *expert.aliases, *expert.inputs))


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
    published = prompts.publish_prompt(
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


def say(context: CommandContext, code: str, **values: object) -> str:
    """A sentence in the language of the command line."""
    return sentence(code, values, context.language)


def answer(context: CommandContext, value: Any, text: str) -> None:
    """Print one answer: a line of JSON for machines, text for people."""
    print(orjson.dumps(value).decode() if context.as_json else text)


def read_file(path: Path) -> bytes:
    """The bytes of a file that the command line names.

    Raises:
        NotFound: `files.not_found`.
    """
    if not path.is_file():
        raise NotFound("files.not_found", name=str(path))
    return path.read_bytes()
