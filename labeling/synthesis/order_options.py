"""The options of `synthesize`: what an order is, and what else may be done with a batch."""

import argparse
import json
from typing import cast

from db.engine import Database
from labeling.model_endpoints import named_order
from schemas.errors import InvalidInput
from schemas.people import Actor
from schemas.synthesis import SynthesisOrder


def add_order_options(parser: argparse.ArgumentParser) -> None:
    """What is asked of whom."""
    parser.add_argument("--experts", metavar="NAME[@N]", help="queries pinned to this list only")
    parser.add_argument("--endpoint", metavar="URL", help="base URL, such as https://host/v1")
    parser.add_argument("--model", metavar="M")
    parser.add_argument(
        "--use", metavar="NAME", nargs="+", help="model endpoints that share the work, by name"
    )
    parser.add_argument("--budget", type=float, metavar="MONEY", help="spend no more than this")
    parser.add_argument("--budget-tokens", type=int, metavar="N", help="in and out together")
    parser.add_argument(
        "--repair", nargs="?", const="", metavar="NAME", help="one call for what is nearly a plan"
    )
    parser.add_argument(
        "--no-raise", action="store_true", help="do not ask cut-off answers again, for longer ones"
    )
    parser.add_argument("--key-env", metavar="NAME", help="environment variable with the key")
    parser.add_argument("-n", type=int, default=1, help="answers for each query (default: 1)")
    parser.add_argument("--concurrency", type=int, default=16, help="at once (default: 16)")
    parser.add_argument("--limit", type=int, metavar="K", help="at most this many queries")
    parser.add_argument(
        "--which", choices=["waiting", "undecided"], default="waiting", help="(default: waiting)"
    )
    parser.add_argument("--no-thinking", action="store_true", help="ask for the plan alone")
    parser.add_argument("--parameters", default="{}", metavar="JSON", help="such as temperature")
    parser.add_argument("--timeout", type=float, default=600.0, metavar="SECONDS")
    parser.add_argument("--attempts", type=int, default=6, help="tries of one request")
    parser.add_argument(
        "--trial", nargs=2, metavar="PROMPT", help="try two versions of a prompt, as NAME@N NAME@N"
    )


def add_act_options(parser: argparse.ArgumentParser) -> None:
    """What is done instead of asking, or with a batch that is there."""
    parser.add_argument("--preview", action="store_true", help="count what would be asked")
    parser.add_argument(
        "--rederive", action="store_true", help="ask for traces of accepted plans that have none"
    )
    parser.add_argument(
        "--tries", type=int, default=3, help="blind plans asked of a new trace (default: 3)"
    )
    parser.add_argument(
        "--agree", type=int, default=2, help="of these, how many must agree (default: 2)"
    )
    parser.add_argument(
        "--rederived", action="store_true", help="list the new traces that wait for a reviewer"
    )
    parser.add_argument("--again", metavar="BATCH", help="ask for the failed of a batch once more")
    parser.add_argument("--resume", metavar="BATCH", help="go on with a batch that is at rest")
    parser.add_argument("--pause", metavar="BATCH", help="stop a running batch for now")
    parser.add_argument(
        "--reread", action="store_true", help="read stored replies again; asks nothing"
    )
    parser.add_argument("--compare", metavar="BATCH", help="what a trial of prompts has shown")


def missing_options(args: argparse.Namespace) -> str:
    """The options that an order wants and that are not there, as they are written."""
    wanted = () if args.use else ("endpoint", "model")
    return ", ".join(f"--{each}" for each in wanted if not getattr(args, each))


def read_order(database: Database, who: Actor, args: argparse.Namespace) -> SynthesisOrder:
    """The order that the options describe.

    Raises:
        InvalidInput: `synthesis.parameters_not_json`, or what the order itself refuses.
        NotFound: `models.not_found`.
    """
    try:
        parameters: object = json.loads(args.parameters)
    except ValueError:
        parameters = None
    if not isinstance(parameters, dict):
        raise InvalidInput("synthesis.parameters_not_json")
    values = _values(args, cast(dict[str, object], parameters))
    if args.use:
        return named_order(database, who, args.use, values)
    named = {"endpoint": args.endpoint, "model": args.model, "key_env": args.key_env}
    return SynthesisOrder.read({**values, **named})


def _values(args: argparse.Namespace, parameters: dict[str, object]) -> dict[str, object]:
    return {
        "experts": args.experts,
        "n": args.n,
        "concurrency": args.concurrency,
        "limit": args.limit,
        "which": args.which,
        "with_thinking": not args.no_thinking,
        "parameters": parameters,
        "timeout_s": args.timeout,
        "attempts": args.attempts,
        "rederive": {"tries": args.tries, "agree": args.agree} if args.rederive else None,
        "repair": None if args.repair is None else {"endpoint": args.repair or None},
        "raise_cut_off": not args.no_raise,
        "trial": {"first": args.trial[0], "second": args.trial[1]} if args.trial else None,
    }
