"""The front door: parses, composes, dispatches.

`python app.py --help` lists the commands. Nobody imports this module.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from typing import Any

from db.engine import open_database
from db.upgrade import is_current, upgrade
from exports import commands as export_commands
from labeling import commands as labeling_commands
from labeling import upkeep_commands, user_commands
from labeling.command_line import ALL_DONE, FAILED, CommandContext, Subparsers
from labeling.synthesis import commands as synthesis_commands
from schemas.errors import InvalidInput, PlanwrightError
from schemas.settings import Settings

_SHOWN_PROBLEMS = 20


class _Command(argparse.ArgumentParser):
    """Any of our parsers; `--project` and `--json` may stand before or after the command."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.add_argument(
            "--project", default=argparse.SUPPRESS, help="name of the project (default: main)"
        )
        self.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="answer for machines"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0 done, 1 failed, 2 usage, 3 finished with refused rows."""
    args = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    settings = Settings()
    database = open_database(settings)
    try:
        if not is_current(database):
            upgrade(database)
        context = CommandContext(
            settings=settings,
            database=database,
            project=args.project,
            language=settings.language,
            as_json=args.json,
        )
        return args.run(context, args)
    except PlanwrightError as error:
        print(error.sentence(settings.language), file=sys.stderr)
        if isinstance(error, InvalidInput):
            lines = error.problem_lines(settings.language)
            print("\n".join(lines[:_SHOWN_PROBLEMS]), end="\n" if lines else "", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return 130
    finally:
        database.close()


def _parser() -> argparse.ArgumentParser:
    parser = _Command(prog="app.py", description="Planwright: from queries to a trained planner")
    parser.set_defaults(project="main", json=False)
    commands: Subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_serving(commands)
    user_commands.add_commands(commands)
    upkeep_commands.add_commands(commands)
    labeling_commands.add_commands(commands)
    synthesis_commands.add_commands(commands)
    export_commands.add_commands(commands)
    return parser


def _add_serving(commands: Subparsers) -> None:
    serve = commands.add_parser("serve", help="serve the pages")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=7860)
    serve.set_defaults(run=_serve)
    worker = commands.add_parser("worker", help="do long work for a server on PostgreSQL")
    worker.add_argument("--node", required=True, help="name of this machine, unique among workers")
    worker.set_defaults(run=_work)


def _serve(context: CommandContext, args: argparse.Namespace) -> int:
    # Gradio takes two seconds to import; no other command pays for it.
    from labeling.ui.serve import serve

    serve(context.settings, context.database, host=args.host, port=args.port)
    return ALL_DONE


def _work(context: CommandContext, args: argparse.Namespace) -> int:
    from exports.worker import work

    work(context.settings, context.database, node=args.node)
    return ALL_DONE


if __name__ == "__main__":
    sys.exit(main())
