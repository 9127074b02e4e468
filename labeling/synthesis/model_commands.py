"""The `models` command: model endpoints by name, and what asking them shows."""

import argparse
import sys

from labeling.command_line import (
    ALL_DONE,
    FAILED,
    CommandContext,
    Subparsers,
    answer,
    say,
)
from labeling.model_endpoints import list_endpoints, put_endpoint, remove_endpoint
from schemas.model_endpoints import EndpointSettings, EndpointView, Probe
from schemas.sentences import sentence

_FIELDS = tuple(each for each in EndpointSettings.model_fields if each != "name")


def add_commands(commands: Subparsers) -> None:
    """Add `models`."""
    parser = commands.add_parser("models", help="model endpoints known by name")
    actions = parser.add_subparsers(dest="action", required=True)
    add = actions.add_parser("add", help="add an endpoint, or change limits, prices, key")
    add.add_argument("name")
    add.add_argument("--url", required=True, help="base URL, such as https://host/v1")
    add.add_argument("--model", required=True, metavar="M")
    add.add_argument("--key-env", metavar="NAME", help="environment variable with the key")
    add.add_argument("--weight", type=float, default=1.0, help="share beside others (default: 1)")
    add.add_argument("--stream", action="store_true", help="ask for replies piece by piece")
    add.add_argument("--requests-per-minute", type=int, metavar="N")
    add.add_argument("--tokens-per-minute", type=int, metavar="N")
    add.add_argument("--input-price", type=float, metavar="P", help="of a million tokens")
    add.add_argument("--output-price", type=float, metavar="P", help="of a million tokens")
    add.add_argument("--currency", default="", help="of the prices, such as CNY")
    add.set_defaults(run=_add)
    actions.add_parser("list", help="every endpoint, with its probe").set_defaults(run=_list)
    probe = actions.add_parser("probe", help="ask a few small questions, and keep what they show")
    probe.add_argument("name")
    probe.set_defaults(run=_probe)
    remove = actions.add_parser("remove", help="forget an endpoint; its answers are kept")
    remove.add_argument("name")
    remove.set_defaults(run=_remove)


def _add(context: CommandContext, args: argparse.Namespace) -> int:
    values = {"name": args.name, **{each: getattr(args, each) for each in _FIELDS}}
    found = put_endpoint(context.database, context.actor(), EndpointSettings.read(values))
    answer(context, _plain(found), _line(context, found))
    return ALL_DONE


def _list(context: CommandContext, _: argparse.Namespace) -> int:
    found = list_endpoints(context.database, context.actor())
    lines = [_line(context, each) for each in found] or [say(context, "models.none")]
    answer(context, [_plain(each) for each in found], "\n".join(lines))
    return ALL_DONE


def _probe(context: CommandContext, args: argparse.Namespace) -> int:
    # The client of model endpoints takes half a second to import; no other command pays for it.
    from labeling.synthesis.probe_work import probe_now  # noqa: PLC0415

    print(say(context, "models.probing", name=args.name), file=sys.stderr)
    probe = probe_now(context.database, context.actor(), args.name)
    answer(context, probe.model_dump(mode="json"), _told(context, args.name, probe))
    return ALL_DONE if probe.problem is None else FAILED


def _remove(context: CommandContext, args: argparse.Namespace) -> int:
    remove_endpoint(context.database, context.actor(), args.name)
    answer(context, {"removed": args.name}, say(context, "models.removed", name=args.name))
    return ALL_DONE


def _line(context: CommandContext, found: EndpointView) -> str:
    told = say(context, "models.put", **found.settings.model_dump())
    if not found.has_key:
        told += f" ({say(context, 'models.key_missing', key=found.settings.key_env)})"
    if found.probe is None:
        return told
    return f"{told}\n  {_told(context, found.settings.name, found.probe)}"


def _told(context: CommandContext, name: str, probe: Probe) -> str:
    if probe.problem is not None:
        return sentence(*probe.problem, context.language)
    return say(context, "models.probed", name=name, **probe.model_dump())


def _plain(found: EndpointView) -> dict[str, object]:
    return found.model_dump(mode="json")
