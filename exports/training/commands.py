"""The commands `verify`, `train` and `runs`."""

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import orjson
import yaml
from pydantic import BaseModel, ValidationError

from exports.training import node_commands
from exports.training.alarm_report import tell_alarms, with_words
from exports.training.variants import chosen_variants, stages_left
from labeling.command_line import ALL_DONE, FAILED, SOME_REFUSED, CommandContext, Subparsers
from schemas.errors import InvalidInput, NotFound
from schemas.sentences import sentence
from schemas.training import TRAINED, ChainOrder, ChainView, Stage, StageView
from schemas.training_gates import Gates
from schemas.training_stages import USUAL

if TYPE_CHECKING:
    from db.tables import Bundle

ALONE: dict[str, tuple[Stage, ...]] = {
    "chain": USUAL,
    "sft": ("preflight", "freeze", "sft"),
    "dpo": ("preflight", "freeze", "dpo"),
    "kto": ("preflight", "freeze", "kto"),
    "grpo": ("preflight", "freeze", "grpo"),
}
POLL_S = 0.5


def add_commands(commands: Subparsers) -> None:
    """Add the commands of training."""
    node_commands.add_commands(commands)
    verify = commands.add_parser("verify", help="read a bundle back through ms-swift")
    verify.add_argument("folder", metavar="DIR", type=Path)
    verify.add_argument("--model", help="folder with a tokenizer, or `tiny`")
    verify.set_defaults(run=_verify)
    train = commands.add_parser("train", help="train on a bundle, from preflight to comparison")
    train.add_argument("bundle", metavar="BUNDLE", help="id or name (the newest)")
    train.add_argument("--recipe", default="cpu-smoke", help="(default: cpu-smoke)")
    train.add_argument("--variant", action="append", default=[], help="of the recipe, such as lora")
    train.add_argument("--stage", choices=list(ALONE), default="chain", help="(default: chain)")
    train.add_argument("--model", help="folder of the model to begin from")
    train.add_argument("--benchmark", metavar="NAME[@N]", help="(default: the newest)")
    train.add_argument(
        "--nodes", metavar="A,B", help="nodes that train together, the first leading"
    )
    train.add_argument("--limit", type=int, help="questions of each evaluation")
    train.add_argument(
        "--gate", action="append", default=[], metavar="accuracy=S|flat=S", help="before GRPO"
    )
    train.add_argument("--weight", action="append", default=[], metavar="REWARD=W")
    train.add_argument("--set", action="append", default=[], metavar="STAGE.NAME=VALUE")
    train.add_argument("--dry-run", action="store_true", help="show the commands and start nothing")
    train.set_defaults(run=_train)
    runs = commands.add_parser("runs", help="look at training runs, stop or resume one")
    acts = runs.add_subparsers(required=True, metavar="ACT")
    acts.add_parser("list", help="all runs, newest first").set_defaults(run=_list_runs)
    for act, what, run in (
        ("show", "a run with the end of its log", _show_run),
        ("stop", "let the trainer save and leave", _stop_run),
        ("resume", "go on with a stopped or failed chain", _resume_run),
    ):
        parser = acts.add_parser(act, help=what)
        parser.add_argument("id", metavar="ID", help="of a run or a chain; its end will do")
        parser.set_defaults(run=run)


def _verify(context: CommandContext, args: argparse.Namespace) -> int:
    from exports.checks.sources import Ground  # noqa: PLC0415
    from exports.training.verify import verify_bundle  # noqa: PLC0415

    try:
        ground = Ground(context.database, context.actor().project_id)
    except NotFound:  # a folder can be looked at where there is no project yet
        ground = None
    report = verify_bundle(args.folder, context.settings, model=args.model, ground=ground)
    if context.as_json:
        _print_json(report)
    else:
        for name, file in report.files.items():
            read = file.rows_tokenised if report.lengths_known else file.rows_read
            print(f"{name}: {file.rows_in} → {read}  {_pairs(file.lengths or {})}")
        for each in report.differences:
            print(_say(context, each.code, each.values))
        if report.near_split:
            print(_say(context, "training.near_split", {"count": report.near_split}))
        if not report.lengths_known:
            print(_say(context, "training.lengths_unknown"))
    return ALL_DONE if report.is_true else SOME_REFUSED


def _train(context: CommandContext, args: argparse.Namespace) -> int:
    # The journal takes a second to import; no other command pays for it.
    from db.durable import Durable, command_executor_id  # noqa: PLC0415
    from exports.training.chain import start_chain  # noqa: PLC0415

    order, bundle = _read_order(args), _find_bundle(context, args.bundle)
    if args.dry_run:
        return _dry_run(context, bundle, args.recipe, order)
    durable = Durable(context.settings, context.database, command_executor_id())
    durable.launch()
    try:
        chain_id = start_chain(
            context.database,
            durable,
            context.settings,
            context.actor(),
            bundle.id,
            args.recipe,
            order,
        )
        return _follow(context, chain_id)
    finally:
        durable.close()


def _read_order(args: argparse.Namespace) -> ChainOrder:
    """The order that the options spell.

    Raises:
        InvalidInput: `training.override_not_a_pair`.
    """
    chosen = chosen_variants(args.recipe, args.variant)
    weights: dict[str, float] = {}
    overrides: dict[str, dict[str, Any]] = {}
    for text in args.weight:
        name, is_pair, value = text.partition("=")
        try:
            weights[name] = float(value)
        except ValueError:
            is_pair = ""
        if not is_pair:
            raise InvalidInput("training.override_not_a_pair", text=text)
    for text in args.set:
        path, is_pair, value = text.partition("=")
        stage, _, name = path.partition(".")
        if not is_pair or not name or stage not in TRAINED:
            raise InvalidInput("training.override_not_a_pair", text=text)
        overrides.setdefault(stage, {})[name] = yaml.safe_load(value)
    try:
        return ChainOrder.model_validate(
            {
                "stages": stages_left(ALONE[args.stage], chosen),
                "variants": args.variant,
                "weights": weights or None,
                "overrides": overrides,
                "model": args.model,
                "benchmark": args.benchmark,
                "evaluation_limit": args.limit,
                "nodes": [name for name in (args.nodes or "").split(",") if name],
                "gates": _read_gates(args.gate),
            }
        )
    except ValidationError as error:
        text = str(error.errors()[0]["input"])
        raise InvalidInput("training.override_not_a_pair", text=text) from error


def _read_gates(pairs: list[str]) -> Gates:
    names = {"accuracy": "accuracy_at_least", "flat": "flat_at_most"}
    parted = [text.partition("=") for text in pairs]
    try:
        return Gates.model_validate({names.get(name, name): value for name, _, value in parted})
    except ValidationError as error:
        raise InvalidInput("training.gate_not_a_share", text=" ".join(pairs)) from error


def _find_bundle(context: CommandContext, reference: str) -> "Bundle":
    from db.access.training import find_bundle  # noqa: PLC0415

    with context.database.reading() as session:
        bundle = find_bundle(session, context.actor().project_id, reference)
    if bundle is None:
        raise NotFound("training.bundle_not_found", bundle=reference)
    return bundle


def _dry_run(context: CommandContext, bundle: "Bundle", recipe: str, order: ChainOrder) -> int:
    from exports.training.dry_run import dry_run  # noqa: PLC0415
    from exports.training.nodes import list_nodes  # noqa: PLC0415

    folder = (context.settings.home / bundle.folder).resolve()
    addresses = {node.name: node.address for node in list_nodes(context.database)}
    commands = dry_run(context.settings, folder, recipe, order, addresses)
    if context.as_json:
        _print_json({"commands": commands})
    else:
        print("\n\n".join(commands))
    return ALL_DONE


def _follow(context: CommandContext, chain_id: str) -> int:
    """Tell each turn of a chain until it is over; interrupted, the trainer goes on."""
    from exports.training.chain_view import chain_view  # noqa: PLC0415

    told: dict[str, str] = {}
    try:
        while True:
            view = chain_view(context.database, context.settings, context.actor(), chain_id)
            if not context.as_json:
                _tell(context, view, told)
            if view.finished_at is not None:
                break
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        print(_say(context, "training.goes_on", {"chain": chain_id}), file=sys.stderr)
        raise
    if context.as_json:
        _print_json(view)
    return ALL_DONE if view.state == "succeeded" else FAILED


def _tell(context: CommandContext, view: ChainView, told: dict[str, str]) -> None:
    for stage in view.stages:
        line = _stage_line(context, stage)
        has_begun = stage.state not in ("waiting", "off") or stage.run_id is not None
        if has_begun and told.get(stage.name) != line:
            told[stage.name] = line
            print(line, flush=True)


def _stage_line(context: CommandContext, stage: StageView) -> str:
    name = _say(context, f"training.stage_{stage.name}")
    state = _say(context, f"training.state_{stage.state}")
    why = _say(context, stage.reason, stage.values) if stage.reason else ""
    return f"{name}: {state}  {why}".rstrip()


def _list_runs(context: CommandContext, _args: argparse.Namespace) -> int:
    from exports.training.chain_view import list_runs  # noqa: PLC0415

    views = list_runs(context.database, context.settings, context.actor())
    if context.as_json:
        _print_json([view.model_dump(mode="json") for view in views])
        return ALL_DONE
    for view in views:
        state = _say(context, f"training.state_{view.state}")
        about = f"{view.id}  {view.created_at:%Y-%m-%d %H:%M}  {view.recipe}  {view.stage}  {state}"
        why = view.reason if view.state == "waiting" else None
        print(f"{about}  {_say(context, why, view.values)}" if why else about)
    return ALL_DONE


def _show_run(context: CommandContext, args: argparse.Namespace) -> int:
    from exports.training.chain_view import chain_view, run_view  # noqa: PLC0415

    chain_id, run_id = _find(context, args.id)
    if run_id is not None:
        view = run_view(context.database, context.settings, context.actor(), run_id)
        if context.as_json:
            _print_json(with_words(context, view))
            return ALL_DONE
        print(f"{view.id}  {view.recipe}  {view.stage}  {view.folder}\n{view.command}")
        print(_say(context, f"training.state_{view.state}"))
        if view.reason:
            print(_say(context, view.reason, view.values))
        tell_alarms(context, view.alarms)
        print(view.log_tail)
        return ALL_DONE
    chain = chain_view(context.database, context.settings, context.actor(), str(chain_id))
    if context.as_json:
        _print_json(with_words(context, chain))
    else:
        _tell(context, chain, {})
        tell_alarms(context, chain.alarms)
        print(chain.log_tail)
    return ALL_DONE


def _stop_run(context: CommandContext, args: argparse.Namespace) -> int:
    from exports.training.chain import stop_chain  # noqa: PLC0415

    stop_chain(context.database, context.settings, context.actor(), _find_chain(context, args.id))
    print(_say(context, "training.stop_asked"))
    return ALL_DONE


def _resume_run(context: CommandContext, args: argparse.Namespace) -> int:
    from db.durable import Durable, command_executor_id  # noqa: PLC0415
    from exports.training.chain import resume_chain  # noqa: PLC0415
    from exports.training.chain_view import chain_view  # noqa: PLC0415

    chain_id = _find_chain(context, args.id)
    view = chain_view(context.database, context.settings, context.actor(), chain_id)
    if view.resume and not context.as_json:
        print(_say(context, view.resume.code, view.resume.values))
    durable = Durable(context.settings, context.database, command_executor_id())
    durable.launch()
    try:
        resume_chain(context.database, durable, context.settings, context.actor(), chain_id)
        return _follow(context, chain_id)
    finally:
        durable.close()


def _find(context: CommandContext, part: str) -> tuple[str | None, str | None]:
    """The chain and the run that an id names."""
    from db.access.training import find_ids  # noqa: PLC0415

    with context.database.reading() as session:
        chain_id, run_id = find_ids(session, context.actor().project_id, part)
    if chain_id is None and run_id is None:
        raise NotFound("training.run_not_found", run=part)
    return chain_id, run_id


def _find_chain(context: CommandContext, part: str) -> str:
    """The chain that an id names, or that its run belongs to."""
    from db.access.training import get_run  # noqa: PLC0415

    chain_id, run_id = _find(context, part)
    if chain_id is None and run_id is not None:
        with context.database.reading() as session:
            chain_id = get_run(session, context.actor().project_id, run_id).chain_id
    if chain_id is None:
        raise NotFound("training.chain_not_found", chain=part)
    return chain_id


def _say(context: CommandContext, code: str, values: Mapping[str, object] | None = None) -> str:
    return sentence(code, values or {}, context.language)


def _pairs(values: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:g}" for name, value in values.items())


def _print_json(value: object) -> None:
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    print(orjson.dumps(cast(Any, plain)).decode())
