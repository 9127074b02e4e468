"""The `synthesize` command: a batch in the foreground, and what it does when it is interrupted.

It works under an owner of its own and holds its requests by leases, so it may run beside `serve`,
even on the same batch. Killed, it goes on when the same command is given again.
"""

import argparse
import json
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, cast

import orjson

from db.tables.base import new_id
from labeling import rederived
from labeling.command_line import (
    ALL_DONE,
    FAILED,
    SOME_REFUSED,
    USAGE,
    CommandContext,
    Subparsers,
)
from labeling.model_endpoints import named_order
from labeling.synthesis import model_commands
from schemas.errors import InvalidInput, TransitionRefused
from schemas.people import Actor
from schemas.sentences import sentence
from schemas.synthesis import BatchPreview, BatchProgress, Budget, SynthesisOrder

if TYPE_CHECKING:
    from collections.abc import Callable

    from labeling.synthesis.batch import Prepared

_POLL_S = 0.3
_BAR = 24


def add_commands(commands: Subparsers) -> None:
    """Add `synthesize` and `models`."""
    model_commands.add_commands(commands)
    parser = commands.add_parser("synthesize", help="ask a model for traces and plans")
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
    parser.set_defaults(run=_synthesize)


def _synthesize(context: CommandContext, args: argparse.Namespace) -> int:
    # The client of model endpoints takes half a second to import; no other command pays for it.
    from labeling.synthesis import batch, reread  # noqa: PLC0415

    who = context.actor()
    if args.reread:
        counts = reread.reread(context.database, who)
        _answer(context, counts.model_dump(), _say(context, "reread_finished", **dict(counts)))
        return SOME_REFUSED if counts.still_failed else ALL_DONE
    if args.rederived:
        return _list_rederived(context, who)
    if args.pause:
        batch.pause_batch(context.database, who, args.pause)
        found = batch.batch_progress(context.database, who, args.pause)
        _answer(context, found.model_dump(mode="json"), _say(context, "paused", count=found.open))
        return ALL_DONE
    budget = Budget.read(args.budget, args.budget_tokens)
    if args.again:
        _, prepared = batch.reopen_failed(context.database, who, args.again)
    elif args.resume:
        prepared = batch.go_on(context.database, who, args.resume, budget=budget)
    elif missing := _missing(args):
        print(_say(context, "order_incomplete", name=missing), file=sys.stderr)
        return USAGE
    else:
        order = _read_order(context, who, args)
        if args.preview:
            preview = batch.preview_batch(context.database, who, order)
            _answer(context, preview.model_dump(), _preview(context, order, preview))
            return ALL_DONE
        prepared = batch.prepare_batch(context.database, who, order, budget=budget)
    return _report(context, who, _work(context, who, prepared))


def _list_rederived(context: CommandContext, who: Actor) -> int:
    found = rederived.list_waiting(context.database, who)
    lines = [f"{each.id}  {each.trace_length:>6}  {' '.join(each.query.split())}" for each in found]
    values = [each.model_dump(mode="json") for each in found]
    _answer(context, values, "\n".join(lines) or _say(context, "rederived_none"))
    return ALL_DONE


def _missing(args: argparse.Namespace) -> str:
    wanted = () if args.use else ("endpoint", "model")
    return ", ".join(f"--{each}" for each in wanted if not getattr(args, each))


def _preview(context: CommandContext, order: SynthesisOrder, found: BatchPreview) -> str:
    name = "rederive_preview" if order.rederive else "preview"
    tries = order.rederive.tries if order.rederive else 0
    return _say(context, name, **dict(found), tries=tries)


def _read_order(context: CommandContext, who: Actor, args: argparse.Namespace) -> SynthesisOrder:
    try:
        parameters: object = json.loads(args.parameters)
    except ValueError:
        parameters = None
    if not isinstance(parameters, dict):
        raise InvalidInput("synthesis.parameters_not_json")
    values = _values(args, cast(dict[str, object], parameters))
    if args.use:
        return named_order(context.database, who, args.use, values)
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
    }


def _work(context: CommandContext, who: Actor, prepared: "Prepared") -> BatchProgress:
    """Ask in a thread and draw the bar here.

    The first Ctrl-C cancels the batch and lets what is under way come home, for it is paid; the
    second leaves at once.
    """
    from labeling.synthesis import batch  # noqa: PLC0415

    def look() -> BatchProgress:
        return batch.batch_progress(context.database, who, prepared.batch_id)

    asking = _Asking(context, prepared)
    asking.start()
    try:
        try:
            asking.follow(look)
        except KeyboardInterrupt:
            _draw(look(), end="\n")
            count = look().in_flight
            print(_say(context, "coming_home", count=count), file=sys.stderr)
            with suppress(TransitionRefused):
                batch.cancel_batch(context.database, who, prepared.batch_id)
            asking.follow(look)
    except KeyboardInterrupt:
        asking.closing.set()
        asking.follow(look)
    _draw(look(), end="\n")
    if asking.defect is not None:
        raise asking.defect
    return look()


class _Asking(threading.Thread):
    """The batch at work beside the bar."""

    def __init__(self, context: CommandContext, prepared: "Prepared") -> None:
        super().__init__()
        self.closing = threading.Event()
        self.defect: Exception | None = None
        self._ended = threading.Event()
        self._database = context.database
        self._prepared = prepared

    def follow(self, look: "Callable[[], BatchProgress]") -> None:
        """Draw until the end."""
        # Not `join`: interrupted by Ctrl-C, Python 3.11 takes a living thread for ended.
        while not self._ended.wait(_POLL_S):
            _draw(look())

    def run(self) -> None:
        """Ask until nothing is left."""
        from labeling.synthesis.work import ask_some  # noqa: PLC0415

        owner = f"command-{new_id()}"
        batch_id, round_ = self._prepared
        is_closing = self.closing.is_set
        try:
            while (
                not is_closing()
                and ask_some(self._database, batch_id, owner, round_=round_, is_closing=is_closing)
                == "more"
            ):
                pass
        except Exception as error:  # noqa: BLE001 - raised again where the command can end
            self.defect = error
        finally:
            self._ended.set()


def _report(context: CommandContext, who: Actor, progress: BatchProgress) -> int:
    values: dict[str, object] = {
        "done": progress.done,
        "failed": progress.failed,
        "open": progress.open,
    }
    lines = [_say(context, "batch_finished", **values)]
    if progress.state != "done":
        lines = [_say(context, "batch_stopped_early", **values)]
    outcome: dict[str, int] = {}
    if progress.order.rederive:
        outcome = rederived.batch_outcome(context.database, who, progress.id)
        told = _say(context, "rederive_finished", **outcome)
        lines = [told, *lines[:1]] if progress.state != "done" else [told]
    if progress.repairs:
        lines.append(_say(context, "repaired", made=progress.repairs, count=progress.repaired))
    if progress.spent_money:
        money = f"{progress.spent_money:,.4f} {progress.currency}".strip()
        lines.append(_say(context, "spent", money=money, tokens=f"{progress.spent_tokens:,}"))
    lines += [
        f"  {count}  {sentence(code, {}, context.language)}" for code, count in progress.failures
    ]
    if progress.reason is not None:
        print(sentence(*progress.reason, context.language), file=sys.stderr)
    value = progress.model_dump(mode="json") | ({"traces": outcome} if outcome else {})
    _answer(context, value, "\n".join(lines))
    if progress.state != "done":
        return FAILED
    return SOME_REFUSED if progress.failed else ALL_DONE


def _draw(progress: BatchProgress, end: str = "") -> None:
    """One line on stderr, redrawn; nothing when stderr is no terminal."""
    if not sys.stderr.isatty():
        return
    ended = progress.done + progress.failed
    share = ended / progress.total if progress.total else 1.0
    bar = "█" * round(share * _BAR) + "░" * (_BAR - round(share * _BAR))
    eta = "" if progress.eta_s is None else f"  ~{progress.eta_s / 60:.0f} min"
    line = f"{bar} {ended}/{progress.total}  ✗{progress.failed}  {progress.rate_per_minute:.0f}/min"
    print(f"\r\x1b[2K{line}{eta}", end=end, file=sys.stderr, flush=True)


def _say(context: CommandContext, name: str, /, **values: object) -> str:
    return sentence(f"synthesis.{name}", values, context.language)


def _answer(context: CommandContext, value: object, text: str) -> None:
    if context.as_json:
        sys.stdout.write(orjson.dumps(value).decode() + "\n")
    else:
        print(text)
