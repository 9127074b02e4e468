"""`rewards BUNDLE --bench`: the bench of a bundle, as lines for people or JSON for machines."""

import argparse
from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from exports.reward_bench import bench_folder
from exports.reward_bench_work import bench_now
from labeling.command_line import ALL_DONE, FAILED, CommandContext
from schemas.errors import InvalidInput
from schemas.project import REWARDS
from schemas.reward_bench import (
    QUESTIONS,
    Agreement,
    BenchTerms,
    ProbeFigure,
    RewardBench,
    RewardFigure,
)
from schemas.sentences import Language, sentence


def bench(context: CommandContext, args: argparse.Namespace) -> int:
    """Bench and print; 1 where a trick pays.

    Raises:
        InvalidInput: an option that cannot be read.
    """
    terms = read_terms(args.weights, scaling=args.scaling, group=args.group, rows=args.rows)
    if args.file.is_dir():
        found = bench_folder(context.settings, args.file, terms)
    else:
        have = context.settings, context.actor()
        found = bench_now(context.database, *have, str(args.file), terms)
    print(
        found.model_dump_json() if context.as_json else "\n".join(report(found, context.language))
    )
    return ALL_DONE if found.is_passed else FAILED


def read_terms(
    weights: Sequence[str] | None, *, scaling: str | None, group: int | None, rows: int
) -> BenchTerms:
    """The terms that options spell.

    Raises:
        InvalidInput: `rewards.bench_weights`, or `training.order_refused`.
    """
    held: dict[str, float] = {}
    for text in weights or ():
        name, _, value = text.partition("=")
        try:
            held[name] = float(value)
        except ValueError:
            held[name] = -1.0
        if name not in REWARDS or not 0 <= held[name] < float("inf"):
            raise InvalidInput("rewards.bench_weights", text=text, known=", ".join(REWARDS))
    plain = {"weights": held or None, "scaling": scaling, "group": group, "rows": rows}
    try:
        return BenchTerms.model_validate(plain)
    except ValidationError as error:
        detail = f"{error.errors()[0]['loc'][0]}: {error.errors()[0]['input']}"
        raise InvalidInput("training.order_refused", detail=detail) from error


def report(found: RewardBench, language: Language) -> Iterator[str]:
    """The bench as lines, in the order of the page."""

    def say(code: str, **values: object) -> str:
        return sentence(f"rewards.{code}", values, language)

    weights = " ".join(f"{_short(name)} {weight:g}" for name, weight in found.weights.items())
    held = found.model_dump(include={"name", "used", "rows", "answers", "scaling"})
    yield say("bench_head", **held | {"weights": weights})
    yield say("bench_figures" if found.answers else "bench_figures_honest")
    yield from (_figure(each, language) for each in found.figures)
    yield say("bench_together", count=found.per_second)
    yield from _agreement(found, language)
    yield say("bench_probes")
    for each in found.probes:
        yield from _probe(each, language)
    yield from _forecast(found, language)
    yield say("bench_green" if found.is_passed else "bench_red")


def _figure(figure: RewardFigure, language: Language) -> str:
    count = figure.per_second
    speed = sentence("rewards.bench_speed", {"count": count}, language) if count else ""
    values = figure.model_dump() | {"reward": _name(figure.reward, language), "per_second": speed}
    return sentence("rewards.bench_figure", values, language).rstrip()


def _agreement(found: RewardBench, language: Language) -> Iterator[str]:
    if not found.verdicts:
        yield sentence("rewards.bench_no_verdicts", {}, language)
        return
    values = {"verdicts": found.verdicts, "independent": found.independent}
    yield sentence("rewards.bench_agreement", values, language)
    for question in QUESTIONS:
        yield f"  {sentence(f'rewards.question_{question}', {}, language)}"
        for each in found.agreement:
            if each.question == question:
                yield sentence(*_agrees(each, language), language)


def _agrees(each: Agreement, language: Language) -> tuple[str, dict[str, object]]:
    values: dict[str, object] = {
        "reward": _name(each.reward, language),
        "good": each.good,
        "bad": each.bad,
    }
    if each.figure is None:
        kind = "no_difference" if each.good and each.bad else "nothing"
        return f"rewards.bench_{kind}", values
    values |= {"figure": each.figure, "low": _two(each.low), "high": _two(each.high)}
    return "rewards.bench_agrees", values


def _probe(each: ProbeFigure, language: Language) -> Iterator[str]:
    values = each.model_dump(include={"name", "mean", "ceiling", "reached", "free", "count"})
    what = sentence(f"rewards.probe_{each.name}", {}, language)
    mark = "×" if not each.is_passed else "=" if each.free else "✓"
    yield sentence("rewards.bench_probe", values | {"mark": mark, "what": what}, language)
    if not each.is_passed:
        worst = each.worst.model_dump(include={"plan_id", "total", "ceiling"})
        yield sentence("rewards.bench_probe_worst", worst, language)


def _forecast(found: RewardBench, language: Language) -> Iterator[str]:
    if found.forecast is None:
        yield sentence("rewards.bench_no_forecast", {}, language)
        return
    values = found.forecast.model_dump(exclude={"scalings"})
    yield sentence("rewards.bench_forecast", values, language)
    for each in found.forecast.scalings:
        mark = "→" if each.scaling == found.scaling else " "
        yield sentence("rewards.bench_scaled", each.model_dump() | {"mark": mark}, language)


def _short(name: str) -> str:
    return name.removesuffix("Reward")


def _name(reward: str, language: Language) -> str:
    return _short(reward) if reward in REWARDS else sentence("rewards.total", {}, language)


def _two(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
