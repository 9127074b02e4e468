"""A team whose error rates are known: are the careless found, and is nobody else accused?

Twenty annotators plan 2,000 queries, some of them gold, some of them twice; three reviewers, who
err themselves, inspect samples of lots. What comes of it goes through the product's own functions:
`schemas.gold`, `schemas.sampling`, `schemas.colleagues` and `schemas.carelessness`.
"""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

from schemas.agreement import PreparedPlan, prepare_plan
from schemas.carelessness import (
    Judgement,
    WorkRecord,
    careless_annotators,
    judge_annotators,
)
from schemas.colleagues import among_colleagues
from schemas.gold import gold_score, gold_verdict
from schemas.sampling import draw_sample, level_after, lot_verdict, sampling_plan
from tests.bench.figures import Figure, report
from tests.simulated_plans import Plan, another_expert, corrupted, random_plan, reworded

SEEDS = range(50)
ITEMS, GOLD_ITEMS, ANNOTATORS, REVIEWERS = 2_000, 40, 20, 3
CARELESS, CAREFUL = (0.2, 0.4), (0.0, 0.05)
FEWEST_CARELESS, MOST_CARELESS = 3, 6
ONBOARDING, GOLD_EVERY = 5, 15
LOT_SIZE, LOT_RATE, CONFIDENCE = 50, 0.1, 0.9


@dataclass(frozen=True)
class World:
    """How a team works; shares of queries, and what reviewers overlook and wrongly reject."""

    overlap: float = 0.2
    ambiguous: float = 0.03
    misses: tuple[float, float] = (0.02, 0.08)
    rejects_good: tuple[float, float] = (0.005, 0.015)


USUAL = World()
HARDER = {
    "10 % of the queries have two right plans": World(ambiguous=0.1),
    "reviewers overlook 15 to 25 % of defects": World(misses=(0.15, 0.25)),
    "reviewers reject 3 to 5 % of good plans": World(rejects_good=(0.03, 0.05)),
    "no query is given to two people": World(overlap=0.0),
}


@dataclass
class Annotator:
    """Somebody with an error rate, and what becomes of their work."""

    name: str
    error_rate: float
    gold: list[bool] = field(default_factory=list)
    handed_in: list[tuple[str, bool]] = field(default_factory=list)
    inspected: int = 0
    defects: int = 0
    lots: list[bool] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """The true error rates, and what the product says of everybody."""

    rates: dict[str, float]
    judgements: dict[str, Judgement]
    careless: frozenset[str]
    paused: frozenset[str]
    """Whom gold items alone would have paused."""


def simulate(
    seed: int, rates: Sequence[float] = (), items: int = ITEMS, world: World = USUAL
) -> Outcome:
    """One team at work; without rates, most are careful and some careless."""
    source = random.Random(seed)
    team = [Annotator(f"p{i:02}", rate) for i, rate in enumerate(rates or _rates(source))]
    shared = _label(team, items, world, source)
    reviewers = [
        (source.uniform(*world.misses), source.uniform(*world.rejects_good))
        for _ in range(REVIEWERS)
    ]
    for each in team:
        _inspect(each, reviewers, source)
    among = among_colleagues(shared, draws=100, most_pairs=1_000)
    records = [
        WorkRecord(
            person_id=each.name,
            gold=each.gold,
            inspected=each.inspected,
            defects=each.defects,
            lots=len(each.lots),
            lots_failed=each.lots.count(False),
            shared=among[each.name].shared if each.name in among else (),
            alpha=among[each.name].alpha if each.name in among else None,
        )
        for each in team
    ]
    return Outcome(
        rates={each.name: each.error_rate for each in team},
        judgements={each.person_id: each for each in judge_annotators(records)},
        careless=frozenset(each.person_id for each in careless_annotators(records)),
        paused=frozenset(
            each.name
            for each in team
            if gold_verdict(each.gold, onboarding=ONBOARDING).state == "careless"
        ),
    )


def share_judged(outcomes: Sequence[Outcome], rates: tuple[float, float]) -> tuple[int, int]:
    """How many annotators with such an error rate were judged careless, of how many."""
    hits = [
        name in outcome.careless
        for outcome in outcomes
        for name, rate in outcome.rates.items()
        if rates[0] <= rate <= rates[1]
    ]
    return sum(hits), len(hits)


def _rates(source: random.Random) -> list[float]:
    careless = source.randint(FEWEST_CARELESS, MOST_CARELESS)
    spans = [CARELESS] * careless + [CAREFUL] * (ANNOTATORS - careless)
    return [source.uniform(*span) for span in spans]


def _label(
    team: list[Annotator], items: int, world: World, source: random.Random
) -> list[dict[str, PreparedPlan]]:
    """Everybody works through the queries; the plans of those that two people planned."""
    gold = [random_plan(source) for _ in range(GOLD_ITEMS)]
    shared: list[dict[str, PreparedPlan]] = []
    due = {each.name: [*source.sample(gold, GOLD_ITEMS)] for each in team}
    for each in team:
        for _ in range(ONBOARDING):
            _answer_gold(each, due[each.name].pop(), source)
    for item in range(items - GOLD_ITEMS):
        right = random_plan(source)
        other = another_expert(right, source) if source.random() < world.ambiguous else right
        people = source.sample(team, 2 if source.random() < world.overlap else 1)
        plans: dict[str, PreparedPlan] = {}
        for each in people:
            is_wrong = source.random() < each.error_rate
            plan = reworded(source.choice((right, other)), source)
            plan = corrupted(plan, source) if is_wrong else plan
            each.handed_in.append((f"q{item}", is_wrong))
            if len(people) > 1:
                plans[each.name] = prepare_plan(plan)
            if len(each.handed_in) % GOLD_EVERY == 0 and due[each.name]:
                _answer_gold(each, due[each.name].pop(), source)
        if plans:
            shared.append(plans)
    return shared


def _answer_gold(annotator: Annotator, right: Plan, source: random.Random) -> None:
    plan = reworded(right, source)
    if source.random() < annotator.error_rate:
        plan = corrupted(plan, source)
    annotator.gold.append(gold_score(plan, right).is_right)


def _inspect(
    annotator: Annotator, reviewers: Sequence[tuple[float, float]], source: random.Random
) -> None:
    """Reviewers look at samples of the annotator's lots, the last one smaller than the others."""
    for start in range(0, len(annotator.handed_in), LOT_SIZE):
        lot = dict(annotator.handed_in[start : start + LOT_SIZE])
        plan = sampling_plan(len(lot), LOT_RATE, CONFIDENCE, level=level_after(annotator.lots))
        verdicts: list[str] = []
        for item in draw_sample(lot, plan.sample_size, annotator.name):
            misses, rejects = source.choice(reviewers)
            is_rejected = source.random() < (1 - misses if lot[item] else rejects)
            verdicts.append("returned" if is_rejected else "accepted")
            if lot_verdict(plan, verdicts).state != "inspecting":
                break
        found = lot_verdict(plan, verdicts)
        annotator.inspected += found.inspected
        annotator.defects += found.defects
        annotator.lots.append(found.state == "passed")


def main() -> None:
    """Fifty teams, how the product judges them, and how it judges error rates in between."""
    begun = time.process_time()
    outcomes = [simulate(seed) for seed in SEEDS]
    spent = (time.process_time() - begun) / len(outcomes)
    looks = [_with_looks(seed, outcome) for seed, outcome in zip(SEEDS, outcomes, strict=True)]
    by_gold = [replace(outcome, careless=outcome.paused) for outcome in outcomes]
    report(
        "simulated_team",
        [
            *_shares("", outcomes, ("≥ 90", "≤ 5")),
            *_shares("at any of four looks: ", looks, ("≥ 90", "≤ 5")),
            *_shares("by gold items alone: ", by_gold, ("", "≤ 5")),
            *(_alpha(outcomes, *span) for span in (("careful", CAREFUL), ("careless", CARELESS))),
            *(
                figure
                for what, world in HARDER.items()
                for teams in [[simulate(seed, world=world) for seed in SEEDS]]
                for figure in _shares(f"{what}: ", teams, ("", ""))
            ),
            *_between(),
            Figure("one team simulated and judged", spent, "CPU s", "no promise"),
        ],
    )


def _with_looks(seed: int, last: Outcome) -> Outcome:
    """Whom the product accuses when it is asked after each quarter of the work."""
    rates = list(last.rates.values())
    quarters = [simulate(seed, rates, items).careless for items in (500, 1_000, 1_500)]
    return replace(last, careless=last.careless.union(*quarters))


def _between() -> list[Figure]:
    """How often each error rate is judged careless: four of twenty, in teams of their own."""
    figures: list[Figure] = []
    for rate in (0.05, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3):
        teams = [simulate(seed, [rate] * 4 + [0.03] * 16) for seed in range(1_000, 1_025)]
        what = f"judged careless at an error rate of {rate:.0%}".replace("%", " %")
        figures.append(_share(what, teams, (rate, rate), ""))
    return figures


def _shares(what: str, outcomes: Sequence[Outcome], targets: tuple[str, str]) -> list[Figure]:
    return [
        _share(f"{what}careless (20–40 %) found", outcomes, CARELESS, targets[0]),
        _share(f"{what}careful (0–5 %) accused", outcomes, CAREFUL, targets[1]),
    ]


def _share(
    what: str, outcomes: Sequence[Outcome], rates: tuple[float, float], target: str
) -> Figure:
    count, total = share_judged(outcomes, rates)
    return Figure(f"{what} ({count} of {total})", 100 * count / total, "%", target or "no promise")


def _alpha(outcomes: Sequence[Outcome], name: str, rates: tuple[float, float]) -> Figure:
    found = [
        judged.record.alpha
        for outcome in outcomes
        for person, judged in outcome.judgements.items()
        if rates[0] <= outcome.rates[person] <= rates[1] and judged.record.alpha is not None
    ]
    return Figure(f"mean α of the {name} against the others", fmean(found), "", "no promise")


if __name__ == "__main__":
    main()
