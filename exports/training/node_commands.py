"""The command `nodes`: the machines that workers run on."""

import argparse

import orjson

from labeling.command_line import ALL_DONE, CommandContext, Subparsers
from schemas.sentences import sentence


def add_commands(commands: Subparsers) -> None:
    """Add the command that lists nodes."""
    nodes = commands.add_parser("nodes", help="the machines that workers run on")
    acts = nodes.add_subparsers(required=True, metavar="ACT")
    acts.add_parser("list", help="all nodes by name").set_defaults(run=_list)


def _list(context: CommandContext, _args: argparse.Namespace) -> int:
    from exports.training.nodes import list_nodes  # noqa: PLC0415

    context.actor().require("admin")
    found = list_nodes(context.database)
    if context.as_json:
        plain = [{**node._asdict(), "is_here": node.is_here} for node in found]
        print(orjson.dumps(plain).decode())
        return ALL_DONE
    for node in found:
        state = "node_answers" if node.is_here else "node_silent"
        said = sentence(f"training.{state}", {"seconds": f"{node.silent_s:.0f}"}, context.language)
        print(f"{node.name}  {node.machine}  {node.address}  {node.devices} GPU  {said}")
    if not found:
        print(sentence("training.no_nodes", {}, context.language))
    return ALL_DONE
