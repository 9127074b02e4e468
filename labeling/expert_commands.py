"""The `experts` command: publish, list, show, compare, weigh and move to expert lists."""

import argparse
import sys
from pathlib import Path

from labeling import experts
from labeling.command_line import (
    ALL_DONE,
    CommandContext,
    Subparsers,
    answer,
    read_file,
    say,
)
from labeling.impact import impact, impact_of_file
from labeling.list_changes import changes_between
from labeling.list_work import begin_migration, get_work
from labeling.migration import move_some, preview, take_back
from schemas.experts import Expert, ListComparison
from schemas.list_changes import ListChange, ListChanges, parse_changes
from schemas.list_impact_report import MigrationCounts
from schemas.strict_json import parse_json


def add_commands(commands: Subparsers) -> None:
    """Add `experts`."""
    parser = commands.add_parser(
        "experts", help="publish, list, show, compare, weigh and move to expert lists"
    )
    acts = parser.add_subparsers(required=True, metavar="ACT")
    publish = acts.add_parser("publish", help="publish a version from a JSON or JSONL file")
    publish.add_argument("file", type=Path)
    publish.add_argument("--note", default="", help="what changed, for people")
    _add_changes_option(publish)
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
    _add_changes_option(impact_of)
    impact_of.set_defaults(run=_impact_of_experts)
    migrate = acts.add_parser("migrate", help="propose the rows of a version under a newer one")
    migrate.add_argument("before", metavar="NAME@A")
    migrate.add_argument("after", metavar="NAME@B")
    which = migrate.add_mutually_exclusive_group()
    which.add_argument("--dry-run", action="store_true", help="count what it would propose")
    which.add_argument(
        "--take-back", action="store_true", help="take back proposals that nobody has touched"
    )
    migrate.set_defaults(run=_migrate)


def _add_changes_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--changes",
        type=Path,
        metavar="FILE",
        help='JSON: what became of whom, [{"kind", "before", "after"}] (default: proposed)',
    )


def _read_changes(args: argparse.Namespace) -> tuple[ListChange, ...] | None:
    return None if args.changes is None else parse_changes(parse_json(read_file(args.changes)))


def _publish_experts(context: CommandContext, args: argparse.Namespace) -> int:
    published = experts.publish_file(
        context.database,
        context.actor(),
        read_file(args.file),
        note=args.note,
        changes=_read_changes(args),
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
    pair = (context.database, context.actor(), args.before, args.after)
    found, said = experts.compare(*pair), changes_between(*pair)
    lines = [*_comparison_lines(found), *_change_lines(context, said)]
    plain = found.to_plain() | {"changes": said.model_dump(mode="json")}
    answer(context, plain, "\n".join(lines) or say(context, "experts.same"))
    return ALL_DONE


def _impact_of_experts(context: CommandContext, args: argparse.Namespace) -> int:
    who, path = context.actor(), Path(args.after)
    if path.is_file():
        changes = _read_changes(args)
        found = impact_of_file(context.database, who, args.before, path.read_bytes(), changes)
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


def _change_lines(context: CommandContext, found: ListChanges) -> list[str]:
    if not found.changes:
        return []
    lines = [f"  {each.kind}: {_arrow(each)}" for each in found.changes]
    return [say(context, f"experts.changes_{found.source}"), *lines]


def _arrow(change: ListChange) -> str:
    sides = [" + ".join(names) or "–" for names in (change.before, change.after)]
    likeness = "" if change.likeness is None else f"  ({change.likeness:.2f})"
    return " → ".join(sides) + likeness


def _migrate(context: CommandContext, args: argparse.Namespace) -> int:
    who, pair = context.actor(), (args.before, args.after)
    if args.take_back:
        count = take_back(context.database, who, *pair)
        answer(context, {"taken_back": count}, say(context, "experts.taken_back", count=count))
        return ALL_DONE
    if args.dry_run:
        counts, code = preview(context.database, who, *pair), "experts.would_migrate"
    else:
        counts, code = _moved(context, *pair), "experts.migrated"
    plain = counts.model_dump()
    answer(context, plain, say(context, code, before=args.before, after=args.after, **plain))
    return ALL_DONE


def _moved(context: CommandContext, before: str, after: str) -> MigrationCounts:
    """Move in this process; killed, the same command goes on where it stood."""
    who = context.actor()
    work, migration = begin_migration(context.database, who, before, after)
    while move_some(context.database, who, migration, work.id):
        found = get_work(context.database, who, work.id)
        if sys.stderr.isatty():
            print(f"\r{found.done:,} / {found.total:,}", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return get_work(context.database, who, work.id).counts or MigrationCounts()
