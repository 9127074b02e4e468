"""The `synthesize` command: a batch in the foreground, and what it does when it is interrupted.

It works under an owner of its own and holds its requests by leases, so it may run beside `serve`,
even on the same batch. Killed, it goes on when the same command is given again.
"""

import argparse
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

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
from labeling.synthesis import model_commands
from labeling.synthesis.forecasting import forecast_sentence
from labeling.synthesis.order_options import (
    add_act_options,
    add_order_options,
    missing_options,
    read_order,
)
from schemas.errors import TransitionRefused
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
    add_order_options(parser)
    add_act_options(parser)
    parser.set_defaults(run=_synthesize)


def _synthesize(context: CommandContext, args: argparse.Namespace) -> int:
    # The client of model endpoints takes half a second to import; no other command pays for it.
    from labeling.synthesis import batch  # noqa: PLC0415

    who = context.actor()
    for name, act in _ACTS.items():
        if getattr(args, name):
            return act(context, who, args)
    budget = Budget.read(args.budget, args.budget_tokens)
    if args.again:
        _, prepared = batch.reopen_failed(context.database, who, args.again)
    elif args.resume:
        prepared = batch.go_on(context.database, who, args.resume, budget=budget)
    elif missing := missing_options(args):
        print(_say(context, "order_incomplete", name=missing), file=sys.stderr)
        return USAGE
    else:
        order = read_order(context.database, who, args)
        if args.preview:
            preview = batch.preview_batch(context.database, who, order)
            _answer(context, preview.model_dump(), _preview(context, order, preview))
            return ALL_DONE
        prepared = batch.prepare_batch(context.database, who, order, budget=budget)
    return _report(context, who, _work(context, who, prepared))


def _reread(context: CommandContext, who: Actor, _: argparse.Namespace) -> int:
    from labeling.synthesis import reread  # noqa: PLC0415

    counts = reread.reread(context.database, who)
    lines = [_say(context, "reread_finished", **dict(counts))]
    if counts.traces.read:
        lines.append(_say(context, "retold_finished", **dict(counts.traces)))
    for code, count in counts.traces.left.items():
        lines.append(_say(context, "retold_left", count=count, reason=_reason(context, code)))
    _answer(context, counts.model_dump(), "\n".join(lines))
    return SOME_REFUSED if counts.still_failed else ALL_DONE


def _pause(context: CommandContext, who: Actor, args: argparse.Namespace) -> int:
    from labeling.synthesis import batch  # noqa: PLC0415

    batch.pause_batch(context.database, who, args.pause)
    found = batch.batch_progress(context.database, who, args.pause)
    _answer(context, found.model_dump(mode="json"), _say(context, "paused", count=found.open))
    return ALL_DONE


def _compare(context: CommandContext, who: Actor, args: argparse.Namespace) -> int:
    from labeling.prompt_trials import trial_report  # noqa: PLC0415

    found = trial_report(context.database, who, args.compare)
    sides = {
        f"{name}_{what}": value
        for name, side in (("first", found.first), ("second", found.second))
        for what, value in (
            ("answers", side.answers),
            ("formed", side.well_formed),
            ("judged", side.judged),
            ("same", side.same),
        )
    }
    names = {"first": found.first.reference, "second": found.second.reference}
    lines = [_say(context, "trial_finished", queries=found.queries, **names, **sides)]
    for name, change in found.changes.items():
        values = {
            each: f"{getattr(change, each):.4g}" for each in ("before", "after", "low", "high")
        }
        lines.append(_say(context, "trial_change", name=_say(context, f"trial_{name}"), **values))
    _answer(context, found.model_dump(mode="json"), "\n".join(lines))
    return ALL_DONE


def _list_rederived(context: CommandContext, who: Actor, _: argparse.Namespace) -> int:
    found = rederived.list_waiting(context.database, who)
    lines = [f"{each.id}  {each.trace_length:>6}  {' '.join(each.query.split())}" for each in found]
    values = [each.model_dump(mode="json") for each in found]
    _answer(context, values, "\n".join(lines) or _say(context, "rederived_none"))
    return ALL_DONE


_ACTS: "dict[str, Callable[[CommandContext, Actor, argparse.Namespace], int]]" = {
    "reread": _reread,
    "rederived": _list_rederived,
    "compare": _compare,
    "pause": _pause,
}
"""What is done instead of asking, by option."""


def _preview(context: CommandContext, order: SynthesisOrder, found: BatchPreview) -> str:
    name = "rederive_preview" if order.rederive else "preview"
    name = "trial_preview" if order.trial else name
    tries = order.rederive.tries if order.rederive else 0
    said = _say(context, name, **dict(found), tries=tries)
    for code, count in found.left_out.items():
        said += "\n" + _say(context, "left_out", count=count, reason=_reason(context, code))
    if found.forecast is None:
        return said
    code, values = forecast_sentence(found.forecast)
    return f"{said}\n{sentence(code, values, context.language)}"


def _reason(context: CommandContext, code: str) -> str:
    return sentence(code, {}, context.language)


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
