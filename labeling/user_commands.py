"""The `users` command: people of a project, from a terminal."""

import argparse
import getpass
import sys

import orjson

from labeling import accounts, pauses
from labeling.command_line import ALL_DONE, CommandContext, Subparsers
from schemas.errors import NotFound
from schemas.people import ROLES, Actor
from schemas.sentences import sentence


def add_commands(commands: Subparsers) -> None:
    """Add `users`."""
    parser = commands.add_parser("users", help="add people, list them, change or end their access")
    acts = parser.add_subparsers(required=True, metavar="ACT")
    add = acts.add_parser("add", help="add somebody to the project")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--role", choices=ROLES, default="annotator", help="(default: annotator)")
    add.add_argument(
        "--password-stdin", action="store_true", help="read the password from standard input"
    )
    add.set_defaults(run=_add)
    acts.add_parser("list", help="everybody in the project").set_defaults(run=_list)
    role = acts.add_parser("role", help="give somebody another role")
    role.add_argument("name", metavar="NAME")
    role.add_argument("role", choices=ROLES)
    role.set_defaults(run=_set_role)
    deactivate = acts.add_parser("deactivate", help="end somebody's access; their work stays")
    deactivate.add_argument("name", metavar="NAME")
    deactivate.set_defaults(run=_deactivate)
    pause = acts.add_parser("pause", help="give somebody no new work; what they hold they keep")
    pause.add_argument("name", metavar="NAME")
    pause.add_argument("--reason", required=True, help="why; they will read it")
    pause.set_defaults(run=_pause)
    lift = acts.add_parser("lift", help="give somebody work again")
    lift.add_argument("name", metavar="NAME")
    lift.set_defaults(run=_lift)


def _add(context: CommandContext, args: argparse.Namespace) -> int:
    password = _read_line() if args.password_stdin else getpass.getpass()
    who = context.actor()
    person_id = accounts.add_person(context.database, who, args.name, password, args.role)
    _answer(
        context,
        {"person_id": person_id, "name": args.name, "role": args.role},
        _say(context, "added", name=args.name, project=who.project, role=args.role),
    )
    return ALL_DONE


def _list(context: CommandContext, _: argparse.Namespace) -> int:
    for each in accounts.list_people(context.database, context.actor()):
        mark = " " if each.is_active else "-"
        line = f"{mark} {each.name:24} {each.role:10} {each.since:%Y-%m-%d}"
        _answer(context, each.model_dump(mode="json"), line)
    return ALL_DONE


def _set_role(context: CommandContext, args: argparse.Namespace) -> int:
    who = context.actor()
    accounts.set_role(context.database, who, _id_of(context, who, args.name), args.role)
    told = _say(context, "added", name=args.name, project=who.project, role=args.role)
    _answer(context, {"name": args.name, "role": args.role}, told)
    return ALL_DONE


def _deactivate(context: CommandContext, args: argparse.Namespace) -> int:
    who = context.actor()
    accounts.deactivate(context.database, who, _id_of(context, who, args.name))
    told = _say(context, "deactivated", name=args.name)
    _answer(context, {"name": args.name, "is_active": False}, told)
    return ALL_DONE


def _pause(context: CommandContext, args: argparse.Namespace) -> int:
    who = context.actor()
    person_id = _id_of(context, who, args.name)
    pauses.pause(context.database, who, person_id, reason=args.reason)
    return _tell_pause(context, who, args.name, "paused")


def _lift(context: CommandContext, args: argparse.Namespace) -> int:
    who = context.actor()
    pauses.lift(context.database, who, _id_of(context, who, args.name))
    return _tell_pause(context, who, args.name, "lifted")


def _tell_pause(context: CommandContext, who: Actor, name: str, act: str) -> int:
    told = sentence(f"pauses.{act}", {"name": name, "project": who.project}, context.language)
    _answer(context, {"name": name, "is_paused": act == "paused"}, told)
    return ALL_DONE


def _id_of(context: CommandContext, who: Actor, name: str) -> str:
    for each in accounts.list_people(context.database, who):
        if each.name == name:
            return each.person_id
    raise NotFound("accounts.person_not_found")


def _read_line() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _say(context: CommandContext, code: str, **values: object) -> str:
    return sentence(f"accounts.{code}", values, context.language)


def _answer(context: CommandContext, value: dict[str, object], text: str) -> None:
    print(orjson.dumps(value).decode() if context.as_json else text)
