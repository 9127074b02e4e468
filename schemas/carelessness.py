"""Who works carelessly: what gold items, inspected lots and colleagues say, weighed together.

Each source is a witness with its own eyesight. Gold items show errors in experts and stages alone.
A reviewer who inspects a lot sees every kind of defect, but misses some and rejects a good plan now
and then. A colleague who planned the same query differently shows only that one of the two may be
wrong; this is what α is made of, and α tells how much of it is more than chance. So each
observation is weighed by how much likelier it is from somebody who errs at the tolerated rate than
from a careful person, and the weights are added.
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from schemas.gold import GOOD_SHARE, MISSED
from schemas.intervals import wilson

Witness = Literal["gold", "lots", "agreement"]

MISSED_DEFECTS, REJECTED_GOOD = 0.05, 0.01
"""What a reviewer's eye is taken to do: defects missed, good plans rejected."""
PLAIN_SHARE = 0.7
"""How many of all errors are in experts and stages, which gold items and colleagues show."""
PRIOR_ERRORS, PRIOR_ITEMS = 1, 20
"""Before anything is known of somebody, they are taken to err in one of twenty items."""
UNKNOWN_RATE = PLAIN_SHARE * PRIOR_ERRORS / PRIOR_ITEMS
MOST_AMBIGUOUS = 0.9
"""However much people differ, a plan that a colleague shares still speaks for somebody."""
FALSE_ALARM = 0.05
LIMIT = math.log((1 - MISSED) / FALSE_ALARM)
"""Wald's limit; laxer than that of gold items alone, which pause somebody without being asked."""
FEWEST_OBSERVATIONS = 15
"""Nobody is called careless by fewer observations, of all three kinds together."""


class Shared(NamedTuple):
    """Queries that somebody planned as a colleague did, and in how many the experts differ.

    Differing is by experts and stages (`PlanAgreement.is_same_experts`), not by wording.
    """

    colleague_id: str
    queries: int
    differing: int


class WorkRecord(NamedTuple):
    """What is known of one annotator's work.

    `gold` are answers on gold items (right or not). `inspected` and `defects` count what reviewers
    looked at in samples of lots, `lots_failed` of `lots` the lots decided. `shared` is by
    colleague.
    """

    person_id: str
    gold: Sequence[bool] = ()
    inspected: int = 0
    defects: int = 0
    lots: int = 0
    lots_failed: int = 0
    shared: Sequence[Shared] = ()
    alpha: float | None = None
    """Agreement with the others, to be shown beside the judgement."""

    @property
    def wrong(self) -> int:
        """Wrong answers on gold items."""
        return sum(not right for right in self.gold)


class Judgement(NamedTuple):
    """How the witnesses speak of one annotator.

    `evidence` is the natural logarithm of how many times likelier the record is of somebody who
    errs at the tolerated rate than of a careful person; careless from `limit` on. `by_witness`
    holds its parts. `error_low` and `error_high` are Wilson's interval of the errors that were
    seen directly, on gold items and in lots.
    """

    person_id: str
    is_careless: bool
    evidence: float
    limit: float
    by_witness: Mapping[Witness, float]
    observations: int
    error_low: float
    error_high: float
    record: WorkRecord

    @property
    def reasons(self) -> tuple[Witness, ...]:
        """The witnesses who speak against the person, the loudest first."""
        against: list[tuple[float, Witness]] = [
            (weight, name) for name, weight in self.by_witness.items() if weight > 0
        ]
        return tuple(name for _, name in sorted(against, reverse=True))


def careless_annotators(
    records: Iterable[WorkRecord], *, tolerated_rate: float = 0.2
) -> tuple[Judgement, ...]:
    """Those of a team who work carelessly, the surest first; see `judge_annotators`."""
    judged = judge_annotators(records, tolerated_rate=tolerated_rate)
    careless = [each for each in judged if each.is_careless]
    return tuple(sorted(careless, key=lambda each: (-each.evidence, each.person_id)))


def judge_annotators(
    records: Iterable[WorkRecord], *, tolerated_rate: float = 0.2
) -> tuple[Judgement, ...]:
    """Weigh everybody's record, in the order given.

    Somebody is careless when all observations together are at least 18 times likelier from an
    error rate of `tolerated_rate` than from a quarter of it (Wald's limit with α = 5 %, β = 10 %),
    when there are 15 of them or more, and when what was seen directly, on gold items and in lots,
    also speaks against them: nobody is careless because others disagree.

    >>> record = WorkRecord("ann", gold=[True] * 6 + [False] * 4, inspected=20, defects=5)
    >>> [found] = judge_annotators([record])
    >>> found.is_careless, found.reasons
    (True, ('gold', 'lots'))
    """
    known = list(records)
    rates = {each.person_id: _shown_rate(each) for each in known}
    ambiguous = _ambiguous_share(known, rates)
    return tuple(_judgement(each, rates, ambiguous, tolerated_rate) for each in known)


def _judgement(
    record: WorkRecord, rates: Mapping[str, float], ambiguous: float, tolerated_rate: float
) -> Judgement:
    by_witness: dict[Witness, float] = {
        "gold": _gold_weight(record, tolerated_rate),
        "lots": _lots_weight(record, tolerated_rate),
        "agreement": _agreement_weight(record, rates, ambiguous, tolerated_rate),
    }
    evidence = sum(by_witness.values())
    seen = len(record.gold) + record.inspected
    observations = seen + sum(each.queries for each in record.shared)
    low, high = wilson(record.wrong + record.defects, seen)
    return Judgement(
        person_id=record.person_id,
        is_careless=evidence >= LIMIT
        and by_witness["gold"] + by_witness["lots"] > 0
        and observations >= FEWEST_OBSERVATIONS,
        evidence=evidence,
        limit=LIMIT,
        by_witness=by_witness,
        observations=observations,
        error_low=low,
        error_high=high,
        record=record,
    )


def _gold_weight(record: WorkRecord, tolerated_rate: float) -> float:
    shown = tolerated_rate * PLAIN_SHARE
    return _weight(record.wrong, len(record.gold), shown * GOOD_SHARE, shown)


def _lots_weight(record: WorkRecord, tolerated_rate: float) -> float:
    def found(rate: float) -> float:
        return rate * (1 - MISSED_DEFECTS) + (1 - rate) * REJECTED_GOOD

    careful, careless = found(tolerated_rate * GOOD_SHARE), found(tolerated_rate)
    return _weight(record.defects, record.inspected, careful, careless)


def _agreement_weight(
    record: WorkRecord, rates: Mapping[str, float], ambiguous: float, tolerated_rate: float
) -> float:
    """What each colleague's differing says, less the more that colleague errs."""
    shown = tolerated_rate * PLAIN_SHARE
    weight = 0.0
    for each in record.shared:
        theirs = rates.get(each.colleague_id, UNKNOWN_RATE)
        alike = (1 - theirs) * (1 - ambiguous)
        careful, careless = 1 - alike * (1 - shown * GOOD_SHARE), 1 - alike * (1 - shown)
        weight += _weight(each.differing, each.queries, careful, careless)
    return weight


def _weight(errors: int, total: int, careful: float, careless: float) -> float:
    """The log-likelihood ratio of so many errors in so many items."""
    return errors * math.log(careless / careful) + (total - errors) * math.log(
        (1 - careless) / (1 - careful)
    )


def _shown_rate(record: WorkRecord) -> float:
    """How often somebody errs in experts and stages, by what was seen directly.

    Drawn towards one error in twenty items, and by the share of errors that show.
    """
    errors = PRIOR_ERRORS + record.wrong + record.defects
    return PLAIN_SHARE * errors / (PRIOR_ITEMS + len(record.gold) + record.inspected)


def _ambiguous_share(records: Sequence[WorkRecord], rates: Mapping[str, float]) -> float:
    """The share of queries in which good people differ: it counts against nobody.

    For each person, what they and their colleagues differ in beyond the errors known of both; the
    median over the people.
    """
    shares: list[float] = []
    for record in records:
        queries = sum(each.queries for each in record.shared)
        if queries:
            sound = sum(
                each.queries * (1 - rates.get(each.colleague_id, UNKNOWN_RATE))
                for each in record.shared
            )
            alike = queries - sum(each.differing for each in record.shared)
            shares.append(1 - alike / (sound * (1 - rates[record.person_id])))
    return min(MOST_AMBIGUOUS, max(0.0, statistics.median(shares))) if shares else 0.0
