"""Who works carelessly: what gold items, inspected lots and colleagues say, weighed together.

Each source is a witness with its own eyesight. Gold items show errors in experts and stages as they
are. A reviewer who inspects a lot sees every kind of defect, but misses some and rejects a good
plan now and then. A colleague who planned the same query differently shows only that one of the two
may be wrong; this is what α is made of, and α tells how much of it is more than chance. So each
observation is weighed by how much likelier it is from somebody who errs at the tolerated rate than
from a careful person, and the weights are added.
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from schemas.gold import GOOD_SHARE, LIMIT
from schemas.intervals import wilson

Witness = Literal["gold", "lots", "agreement"]

MISSED_DEFECTS, REJECTED_GOOD = 0.05, 0.01
"""What a reviewer's eye is taken to do: defects missed, good plans rejected."""
PRIOR_ERRORS, PRIOR_ITEMS = 1, 20
"""Before anything is known of somebody, they are taken to err in one of twenty items."""
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

    Somebody is careless when all observations together are at least 90 times likelier from an
    error rate of `tolerated_rate` than from a quarter of it (Wald's limit with α = 1 %, β = 10 %),
    when there are 15 of them or more, and when what was seen directly, on gold items and in lots,
    also speaks against them: nobody is careless because others disagree.

    >>> record = WorkRecord("ann", gold=[True] * 6 + [False] * 4, inspected=20, defects=5)
    >>> [found] = judge_annotators([record])
    >>> found.is_careless, found.reasons
    (True, ('gold', 'lots'))
    """
    known = list(records)
    rates = {each.person_id: _seen_rate(each) for each in known}
    ambiguous = _ambiguous_share(known, tolerated_rate * GOOD_SHARE)
    return tuple(_judgement(each, rates, ambiguous, tolerated_rate) for each in known)


def _judgement(
    record: WorkRecord, rates: Mapping[str, float], ambiguous: float, tolerated_rate: float
) -> Judgement:
    both = tolerated_rate * GOOD_SHARE, tolerated_rate
    gold = _weight(record.wrong, len(record.gold), both[0], both[1])
    careful, careless = (p * (1 - MISSED_DEFECTS) + (1 - p) * REJECTED_GOOD for p in both)
    lots = _weight(record.defects, record.inspected, careful, careless)
    agreement = 0.0
    for each in record.shared:
        sound = (1 - rates.get(each.colleague_id, PRIOR_ERRORS / PRIOR_ITEMS)) * (1 - ambiguous)
        careful, careless = (1 - sound * (1 - p) for p in both)
        agreement += _weight(each.differing, each.queries, careful, careless)
    evidence = gold + lots + agreement
    seen = len(record.gold) + record.inspected
    observations = seen + sum(each.queries for each in record.shared)
    low, high = wilson(record.wrong + record.defects, seen)
    return Judgement(
        person_id=record.person_id,
        is_careless=evidence >= LIMIT and gold + lots > 0 and observations >= FEWEST_OBSERVATIONS,
        evidence=evidence,
        limit=LIMIT,
        by_witness={"gold": gold, "lots": lots, "agreement": agreement},
        observations=observations,
        error_low=low,
        error_high=high,
        record=record,
    )


def _weight(errors: int, total: int, careful: float, careless: float) -> float:
    """The log-likelihood ratio of so many errors in so many items."""
    return errors * math.log(careless / careful) + (total - errors) * math.log(
        (1 - careless) / (1 - careful)
    )


def _seen_rate(record: WorkRecord) -> float:
    """Somebody's error rate by what was seen directly, drawn towards one in twenty."""
    errors = record.wrong + record.defects
    return (PRIOR_ERRORS + errors) / (PRIOR_ITEMS + len(record.gold) + record.inspected)


def _ambiguous_share(records: Sequence[WorkRecord], careful_rate: float) -> float:
    """The share of queries in which careful people differ: it counts against nobody.

    What the median annotator differs in, as far as it is more than two careful people's errors.
    """
    shares = [
        sum(each.differing for each in record.shared) / queries
        for record in records
        if (queries := sum(each.queries for each in record.shared))
    ]
    if not shares:
        return 0.0
    return max(0.0, 1 - (1 - statistics.median(shares)) / (1 - careful_rate) ** 2)
