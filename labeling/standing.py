"""How each annotator stands: what gold items, reviewers and colleagues say, weighed together."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from db.access import quality as access
from db.access.quality import Verdict
from db.engine import Session
from labeling.team_agreement import SharedQuery
from schemas.carelessness import Judgement, WorkRecord, judge_annotators
from schemas.colleagues import AmongColleagues, among_colleagues
from schemas.quality import Estimate
from schemas.sampling import is_defect

_DRAWS = 200


class Standing(NamedTuple):
    """One person's gold answers, agreement with the others, and the judgement of both."""

    gold: Sequence[bool]
    alpha: Estimate | None
    judgement: Judgement


def standings(
    session: Session,
    project_id: str,
    verdicts: Iterable[Verdict],
    shared: Iterable[SharedQuery],
    *,
    tolerated_rate: float,
) -> dict[str, Standing]:
    """Everybody who is known by a gold answer, a verdict or a shared query."""
    gold = access.list_gold_answers(session, project_id)
    lots = access.count_lots(session, project_id)
    inspected = _inspected(verdicts)
    among = among_colleagues([each.opinions for each in shared], draws=_DRAWS)
    records = [
        _record(person, gold.get(person, []), inspected[person], lots.get(person, {}), among)
        for person in sorted(gold.keys() | inspected.keys() | among.keys())
    ]
    return {
        judged.person_id: Standing(judged.record.gold, _alpha(among.get(judged.person_id)), judged)
        for judged in judge_annotators(records, tolerated_rate=tolerated_rate)
    }


def _inspected(verdicts: Iterable[Verdict]) -> defaultdict[str, Counter[bool]]:
    """By author, how many plans reviewers looked at and found defective (True) or not.

    Only what somebody looked at counts, and only its first verdict: what came back once is a
    defect, however good it is afterwards.
    """
    seen: set[str] = set()
    found: defaultdict[str, Counter[bool]] = defaultdict(Counter)
    for each in verdicts:
        if each.mode == "single" and each.annotation_id not in seen:
            seen.add(each.annotation_id)
            found[each.author_id][is_defect(each.verdict)] += 1
    return found


def _record(
    person_id: str,
    gold: Sequence[bool],
    inspected: Counter[bool],
    lots: Mapping[str, int],
    among: Mapping[str, AmongColleagues],
) -> WorkRecord:
    colleagues = among.get(person_id)
    return WorkRecord(
        person_id,
        gold=gold,
        inspected=inspected.total(),
        defects=inspected[True],
        lots=sum(lots.values()),
        lots_failed=lots.get("failed", 0),
        shared=colleagues.shared if colleagues else (),
        alpha=colleagues.alpha if colleagues else None,
    )


def _alpha(among: AmongColleagues | None) -> Estimate | None:
    if among is None or among.alpha is None:
        return None
    return Estimate(value=among.alpha, low=among.low, high=among.high)
