"""The commands `planners`, `deploy` and `endpoints`."""

import argparse
import time
from typing import Any, cast, get_args

import orjson
from pydantic import BaseModel, ValidationError

from labeling.command_line import ALL_DONE, FAILED, CommandContext, Subparsers, say
from schemas.errors import InvalidInput
from schemas.serving import (
    Backend,
    DeployOrder,
    EndpointView,
    GeneralCheckView,
    GeneralOrder,
    Lineage,
    RunLink,
)

READY_WITHIN_S = 600
STOPS_WITHIN_S = 30


def add_commands(commands: Subparsers) -> None:
    """Add the commands of serving."""
    planners = commands.add_parser("planners", help="where planners come from, what became of them")
    acts = planners.add_subparsers(required=True, metavar="ACT")
    acts.add_parser("list", help="all planners, newest first").set_defaults(run=_list)
    for act, what, run in (
        ("show", "back to rows, people and lists, forward to endpoints and later runs", _show),
        ("promote", "say that this is the planner that the project stands by", _promote),
        ("contract", "what a client must know to ask it: system message, experts, form", _contract),
    ):
        parser = acts.add_parser(act, help=what)
        parser.add_argument("id", metavar="ID", help="id or name of a planner, or id of its run")
        parser.set_defaults(run=run)
    general = commands.add_parser(
        "general", help="hold a served planner against a general benchmark, by EvalScope"
    )
    general.add_argument("planner", metavar="PLANNER", help="id or name, or the id of its run")
    general.add_argument("--benchmark", metavar="FILE.csv", required=True)
    general.add_argument("--limit", type=int)
    general.add_argument("--max-tokens", type=int, default=1024)
    general.set_defaults(run=_general)
    deploy = commands.add_parser(
        "deploy", help="serve a planner as an OpenAI-compatible endpoint that goes on by itself"
    )
    deploy.add_argument("planner", metavar="PLANNER", help="id or name, or the id of its run")
    deploy.add_argument("--host", help="(default: the setting PLANWRIGHT_SERVING_HOST)")
    deploy.add_argument("--port", type=int, help="(default: any free one)")
    deploy.add_argument("--backend", choices=get_args(Backend), default="transformers")
    deploy.add_argument("--devices", metavar="0,1", help="GPUs (default: one that is free)")
    deploy.set_defaults(run=_deploy)
    endpoints = commands.add_parser("endpoints", help="look at endpoints of planners, stop one")
    acts = endpoints.add_subparsers(required=True, metavar="ACT")
    acts.add_parser("list", help="those that run first").set_defaults(run=_list_endpoints)
    for act, what, run in (
        ("show", "an endpoint with the end of its log", _show_endpoint),
        ("stop", "ask its server to leave", _stop),
    ):
        parser = acts.add_parser(act, help=what)
        parser.add_argument("id", metavar="ID", help="its id or the end of it, or its planner")
        parser.set_defaults(run=run)


def _list(context: CommandContext, _: argparse.Namespace) -> int:
    from exports.evaluations import list_planners  # noqa: PLC0415

    found = list_planners(context.database, context.actor())
    if context.as_json:
        _print_json([each.model_dump(mode="json") for each in found])
        return ALL_DONE
    for each in found:
        mark = say(context, "serving.promoted") if each.is_promoted else ""
        what = (each.checkpoint_hash or "")[:12] or f"{each.endpoint} {each.model}"
        print(f"{each.id}  {each.created_at:%Y-%m-%d %H:%M}  {each.name}  {what}  {mark}".rstrip())
    return ALL_DONE


def _show(context: CommandContext, args: argparse.Namespace) -> int:
    from exports.lineage import lineage_of  # noqa: PLC0415

    found = lineage_of(context.database, context.settings, context.actor(), args.id)
    if context.as_json:
        _print_json(found)
    else:
        _print_lineage(context, found)
    return ALL_DONE


def _promote(context: CommandContext, args: argparse.Namespace) -> int:
    from exports.training.planners import find_planner, promote_planner  # noqa: PLC0415

    planner = find_planner(context.database, context.actor(), args.id)
    promote_planner(context.database, context.actor(), planner.id)
    _answer(
        context,
        {"planner_id": planner.id, "is_promoted": True},
        say(context, "serving.is_promoted", planner=planner.name),
    )
    return ALL_DONE


def _contract(context: CommandContext, args: argparse.Namespace) -> int:
    from exports.contract import contract_of  # noqa: PLC0415

    found = contract_of(context.database, context.settings, context.actor(), args.id)
    if context.as_json:
        _print_json(found)
    else:
        print(found.system)
    return ALL_DONE


def _deploy(context: CommandContext, args: argparse.Namespace) -> int:
    from exports.training.deployments import deploy, wait_until  # noqa: PLC0415

    try:
        order = DeployOrder(
            host=args.host, port=args.port, backend=args.backend, devices=args.devices
        )
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        raise InvalidInput("serving.order_refused", field=name) from error
    database, settings, who = context.database, context.settings, context.actor()
    done = deploy(database, settings, who, args.planner, order)
    if not context.as_json and done.key:
        print(say(context, "serving.key_once", key=done.key))
    view = wait_until(database, settings, who, done.endpoint.id, "ready", within_s=READY_WITHIN_S)
    if context.as_json:
        _print_json({**view.model_dump(mode="json"), "key": done.key})
    else:
        print(_line(context, view))
    return ALL_DONE if view.state == "ready" else FAILED


def _general(context: CommandContext, args: argparse.Namespace) -> int:
    from exports.training.general import list_general_checks, start_general_check  # noqa: PLC0415

    try:
        order = GeneralOrder(
            planner=args.planner,
            benchmark=args.benchmark,
            limit=args.limit,
            max_tokens=args.max_tokens,
        )
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        raise InvalidInput("serving.order_refused", field=name) from error
    database, settings, who = context.database, context.settings, context.actor()
    check_id = start_general_check(database, settings, who, order)
    while True:
        checks = list_general_checks(database, settings, who)
        found = next(each for each in checks if each.id == check_id)
        if found.state != "running":
            break
        time.sleep(0.5)
    _answer(context, found.model_dump(mode="json"), _check_line(context, found))
    return ALL_DONE if found.state == "done" else FAILED


def _check_line(context: CommandContext, found: GeneralCheckView) -> str:
    if found.reason is not None:
        return say(context, found.reason, **found.values)
    accuracy = "–" if found.accuracy is None else f"{found.accuracy:.1%}"
    values = {"benchmark": found.benchmark, "accuracy": accuracy}
    return say(context, "serving.told_general", **values, questions=found.questions or 0)


def _list_endpoints(context: CommandContext, _: argparse.Namespace) -> int:
    from exports.training.deployments import list_endpoints  # noqa: PLC0415

    found = list_endpoints(context.database, context.settings, context.actor())
    if context.as_json:
        _print_json([each.model_dump(mode="json") for each in found])
        return ALL_DONE
    for each in found:
        print(_line(context, each))
    return ALL_DONE


def _show_endpoint(context: CommandContext, args: argparse.Namespace) -> int:
    from exports.training.deployments import get_endpoint  # noqa: PLC0415

    found = get_endpoint(context.database, context.settings, context.actor(), args.id)
    if context.as_json:
        _print_json(found)
    else:
        print(f"{_line(context, found)}\n{found.folder}\n{found.command}\n{found.log_tail}")
    return ALL_DONE


def _stop(context: CommandContext, args: argparse.Namespace) -> int:
    from exports.training.deployments import stop_endpoint, wait_until  # noqa: PLC0415

    database, settings, who = context.database, context.settings, context.actor()
    endpoint_id = stop_endpoint(database, settings, who, args.id)
    view = wait_until(database, settings, who, endpoint_id, within_s=STOPS_WITHIN_S)
    _answer(context, view.model_dump(mode="json"), _line(context, view))
    return FAILED if view.is_live else ALL_DONE


def _line(context: CommandContext, found: EndpointView) -> str:
    state = say(context, f"serving.state_{found.state}")
    why = say(context, found.reason, **found.values) if found.reason else ""
    where = f"{found.url or '–'}  {found.model}"
    return f"{found.id}  {found.planner}  {state}  {where}  {why}".rstrip()


def _print_lineage(context: CommandContext, found: Lineage) -> None:
    def tell(name: str, /, **values: object) -> None:
        print(say(context, f"serving.{name}", **values))

    planner = found.planner
    mark = f"  {say(context, 'serving.promoted')}" if planner.is_promoted else ""
    print(f"{planner.id}  {planner.name}{mark}")
    if planner.is_external:
        tell("told_external", endpoint=planner.endpoint, model=planner.model)
    if found.run is not None and found.bundle is not None:
        tell("told_checkpoint", hash=planner.checkpoint_hash, base=found.base_model or "–")
        tell("told_run", run=_run_line(found.run))
        values = {"bundle": found.bundle.name, "bundle_id": found.bundle.bundle_id}
        tell("told_bundle", **values, file=found.file)
    for each in found.rows:
        kind = say(context, f"export.kind_{each.kind}")
        tell("told_rows", pool=each.pool, kind=kind, rows=each.rows)
    for name, rows in found.lists.items():
        tell("told_list", expert_list=name, rows=rows)
    for each in found.contributors:
        tell("told_person", **each.model_dump())
    for each in found.begun_from:
        tell("told_begun_from", run=_run_line(each))
    for each in found.evaluations:
        accuracy = "–" if each.accuracy is None else f"{each.accuracy:.1%}"
        tell("told_evaluation", benchmark=each.benchmark, accuracy=accuracy)
    for check in found.general_checks:
        print(_check_line(context, check))
    for each in found.endpoints:
        tell("told_endpoint", endpoint=_line(context, each))
    for each in found.later_runs:
        tell("told_later", run=_run_line(each))


def _run_line(found: RunLink) -> str:
    became = f" → {found.planner}" if found.planner else ""
    return f"{found.run_id}  {found.recipe}  {found.stage}  {found.state}{became}"


def _answer(context: CommandContext, value: object, text: str) -> None:
    if context.as_json:
        _print_json(value)
    else:
        print(text)


def _print_json(value: object) -> None:
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    print(orjson.dumps(cast(Any, plain)).decode())
