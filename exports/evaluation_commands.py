"""The commands `evaluate`, `evaluations` and `compare`."""

import argparse
from pathlib import Path
from typing import Any, cast

import orjson

from labeling.command_line import ALL_DONE, SOME_REFUSED, CommandContext, Subparsers
from schemas.errors import InvalidInput, NotFound
from schemas.evaluation import EvaluationOrder, EvaluationView

_REGRESSIONS = 10


def add_commands(commands: Subparsers) -> None:
    """Add the commands of evaluation."""
    evaluate = commands.add_parser("evaluate", help="ask a planner the questions of a benchmark")
    evaluate.add_argument("--planner", metavar="ID", help="id or name of a planner trained here")
    evaluate.add_argument("--endpoint", metavar="URL", help="base URL, such as https://host/v1")
    evaluate.add_argument("--model", metavar="M", help="model name at the endpoint")
    evaluate.add_argument("--key-env", metavar="NAME", help="environment variable with the key")
    evaluate.add_argument("--benchmark", metavar="NAME[@N]", help="(default: the newest)")
    evaluate.add_argument("--limit", type=int)
    evaluate.add_argument("--max-tokens", type=int, default=2048)
    evaluate.add_argument("--no-thinking", action="store_true", help="ask for the plan alone")
    evaluate.add_argument("--anew", action="store_true", help="ask again what is known already")
    evaluate.set_defaults(run=_evaluate)
    evaluations = commands.add_parser("evaluations", help="look at evaluations")
    acts = evaluations.add_subparsers(required=True, metavar="ACT")
    acts.add_parser("list", help="the table of planners, by benchmark").set_defaults(run=_list)
    compare = commands.add_parser("compare", help="two evaluations, question by question")
    for side in ("before", "after"):
        what = "id of an evaluation (its end will do), or a planner's name for its newest one"
        compare.add_argument(side, metavar=side.upper(), help=what)
    compare.add_argument("--out", type=Path, metavar="FILE", help="write FILE.md or FILE.csv")
    compare.set_defaults(run=_compare)


def _evaluate(context: CommandContext, args: argparse.Namespace) -> int:
    from exports.training.examine import evaluate_now  # noqa: PLC0415

    order = EvaluationOrder(
        planner=args.planner,
        endpoint=args.endpoint,
        model=args.model,
        key_env=args.key_env,
        benchmark=args.benchmark,
        limit=args.limit,
        max_tokens=args.max_tokens,
        with_thinking=not args.no_thinking,
        is_anew=args.anew,
    )
    evaluation_id, found = evaluate_now(context.database, context.settings, context.actor(), order)
    if context.as_json:
        _print_json({"evaluation_id": evaluation_id, **found.model_dump(mode="json")})
    else:
        print(f"evaluation_id: {evaluation_id}")
        for name, value in found:
            if value is not None:
                print(f"{name}: {value:.4f}" if isinstance(value, float) else f"{name}: {value}")
    return SOME_REFUSED if found.failed else ALL_DONE


def _list(context: CommandContext, _: argparse.Namespace) -> int:
    from exports.comparison_report import planners_table  # noqa: PLC0415
    from exports.evaluations import list_evaluations  # noqa: PLC0415

    found = list_evaluations(context.database, context.actor())
    if context.as_json:
        _print_json([each.model_dump(mode="json") for each in found])
        return ALL_DONE
    for benchmark in dict.fromkeys(each.benchmark for each in found):
        mine = [each for each in found if each.benchmark == benchmark]
        print(f"{benchmark}\n")
        print("\n".join(planners_table(mine, context.language)))
        print()
        for each in mine:
            print(f"{each.id}  {each.state}  {each.answered}/{each.asked}  {each.planner.name}")
        print()
    return ALL_DONE


def _compare(context: CommandContext, args: argparse.Namespace) -> int:
    from exports.comparison_report import comparison_csv, comparison_markdown  # noqa: PLC0415
    from exports.evaluations import (  # noqa: PLC0415
        compare_evaluations,
        find_changes,
        list_evaluations,
    )

    database, who = context.database, context.actor()
    known = list_evaluations(database, who)
    before, after = (_find(known, each) for each in (args.before, args.after))
    if args.out is not None:
        if args.out.suffix not in (".md", ".csv"):
            raise InvalidInput("evaluate.no_such_form", form=args.out.suffix.removeprefix("."))
        if args.out.suffix == ".csv":
            text = comparison_csv(database, who, before, after)
        else:
            text = comparison_markdown(database, who, before, after, context.language)
        args.out.write_text(text, "utf-8")
    if context.as_json:
        found = compare_evaluations(database, who.project_id, before, after)
        broken = find_changes(database, who, before, after, "broken")
        told = found.model_dump(mode="json")
        _print_json(told | {"regressions": [each.question_id for each in broken.shown]})
    elif args.out is None:
        language = context.language
        print(
            comparison_markdown(database, who, before, after, language, most=_REGRESSIONS), end=""
        )
    return ALL_DONE


def _find(known: list[EvaluationView], named: str) -> str:
    """The evaluation that an id or its end names, else the newest finished one of a planner."""
    for each in known:
        if each.id == named or (len(named) >= 6 and each.id.endswith(named)):
            return each.id
    for each in known:
        if each.state == "done" and named in (each.planner.name, each.planner.id):
            return each.id
    raise NotFound("evaluate.not_found", evaluation=named)


def _print_json(value: object) -> None:
    print(orjson.dumps(cast(Any, value)).decode())
