"""Quality of the work: throughput and acceptance by week and person, agreement, effort by model.

Figures by week look at the last `WEEKS` weeks; those that read plans look at the newest
`LOOKED_AT` of them, so the page answers in the same time whatever the project's size.
"""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import orjson

from db import clock
from db.access import projects
from db.access import quality as access
from db.access.quality import Correction, Submission, Verdict
from db.engine import Database, Session
from labeling.queue import stats
from labeling.standing import Standing, standings
from labeling.team_agreement import read_shared, team_agreement
from schemas.agreement import plan_distance
from schemas.expert_changes import expert_changes
from schemas.intervals import wilson
from schemas.people import Actor
from schemas.quality import (
    Confusion,
    Estimate,
    ModelEffort,
    PersonQuality,
    ReasonCount,
    TeamFigures,
    Week,
)
from schemas.reasons import Reason

WEEKS = 12
LOOKED_AT = 2_000
MOST_CONFUSIONS = 400


def team_figures(database: Database, who: Actor) -> TeamFigures:
    """Everything on the Quality page below the counts of now.

    Where the project hides authors, reviewers see the team as a whole only.
    """
    who.require("reviewer")
    counts = stats(database, who)
    with database.reading() as session:
        settings = projects.read_settings(session, who.project_id)
        hides = settings.hide_author and who.role != "admin"
        since = _monday(clock.now()) - timedelta(weeks=WEEKS - 1)
        submissions = access.list_submissions(session, who.project_id, since)
        verdicts = access.list_verdicts(session, who.project_id, since)
        returned = access.list_reasons(session, who.project_id, since)
        corrections = access.list_corrections(session, who.project_id, LOOKED_AT)
        shared = read_shared(access.list_shared_plans(session, who.project_id, LOOKED_AT))
        agreement = team_agreement(session, who.project_id, shared, hide_names=hides)
        rate = settings.gold.tolerated_rate
        known = standings(session, who.project_id, verdicts, shared, tolerated_rate=rate)
        work = _work_of_each(since, submissions, verdicts)
        people = [] if hides else _people(session, who.project_id, work, known)
    plans = [
        (each, orjson.loads(each.suggested), orjson.loads(each.decided)) for each in corrections
    ]
    return TeamFigures(
        counts=counts,
        weeks=_weeks(since, submissions, verdicts),
        people=tuple(people),
        agreement=agreement,
        reasons=_reasons(returned),
        confusion=_confusion((suggested, decided) for _, suggested, decided in plans),
        efforts=_efforts(plans),
        looked_at=LOOKED_AT,
    )


def _monday(at: datetime) -> datetime:
    """The Monday, 0:00 UTC, of a time's week."""
    return datetime.combine(_week_of(at), datetime.min.time(), UTC)


def _week_of(at: datetime) -> date:
    return at.date() - timedelta(days=at.weekday())


def _weeks(
    since: datetime, submissions: Iterable[Submission], verdicts: Iterable[Verdict]
) -> tuple[Week, ...]:
    """Every week since a Monday, the quiet ones too."""
    seconds: defaultdict[date, list[float]] = defaultdict(list)
    said: defaultdict[date, Counter[str]] = defaultdict(Counter)
    for each in submissions:
        seconds[_week_of(each.at)].append(each.seconds)
    for each in verdicts:
        said[_week_of(each.at)][each.verdict] += 1
    mondays = [since.date() + timedelta(weeks=number) for number in range(WEEKS)]
    return tuple(
        Week(
            monday=monday,
            submitted=len(seconds[monday]),
            median_seconds=_median(seconds[monday]),
            verdicts=dict(said[monday]),
        )
        for monday in mondays
    )


def _median(seconds: Iterable[float]) -> float | None:
    """The median of what is known: 0 seconds are a time that nobody took."""
    known = [each for each in seconds if each > 0]
    return statistics.median(known) if known else None


class _Work(NamedTuple):
    """One person's weeks, and what they handed in."""

    weeks: tuple[Week, ...]
    submissions: Sequence[Submission]


def _work_of_each(
    since: datetime, submissions: Iterable[Submission], verdicts: Iterable[Verdict]
) -> dict[str, _Work]:
    handed_in: defaultdict[str, list[Submission]] = defaultdict(list)
    said: defaultdict[str, list[Verdict]] = defaultdict(list)
    for each in submissions:
        handed_in[each.author_id].append(each)
    for each in verdicts:
        said[each.author_id].append(each)
    return {
        person: _Work(_weeks(since, handed_in[person], said[person]), handed_in[person])
        for person in handed_in.keys() | said.keys()
    }


def _people(
    session: Session,
    project_id: str,
    work: Mapping[str, _Work],
    known: Mapping[str, Standing],
) -> list[PersonQuality]:
    """Everybody who worked in these weeks, by name."""
    paused = access.list_paused(session, project_id)
    names = access.names_of(session, set(work))
    return [
        _person(person, name, work[person], known.get(person), is_paused=person in paused)
        for person, name in sorted(names.items(), key=lambda each: each[1])
    ]


def _person(
    person_id: str, name: str, work: _Work, standing: Standing | None, *, is_paused: bool
) -> PersonQuality:
    verdicts = sum((Counter(each.verdicts) for each in work.weeks), Counter[str]())
    total = verdicts.total()
    gold = standing.gold if standing else ()
    return PersonQuality(
        person_id=person_id,
        name=name,
        weeks=work.weeks,
        submitted=len(work.submissions),
        median_seconds=_median(each.seconds for each in work.submissions),
        verdicts=dict(verdicts),
        acceptance=_share_of(verdicts["accepted"], total) if total else None,
        returned_share=verdicts["returned"] / total if total else None,
        gold_right=sum(gold),
        gold_answered=len(gold),
        alpha=standing.alpha if standing else None,
        is_paused=is_paused,
        is_careless=bool(standing and standing.judgement.is_careless),
        against=standing.judgement.reasons if standing else (),
    )


def _share_of(count: int, total: int) -> Estimate:
    low, high = wilson(count, total)
    return Estimate(value=count / total, low=low, high=high)


def _reasons(returned: Sequence[Sequence[Reason]]) -> tuple[ReasonCount, ...]:
    """What plans came back for, the most frequent first."""
    counts = Counter(
        code for reasons in returned for code in {each.code or "other" for each in reasons}
    )
    return tuple(
        ReasonCount(code=code, count=count, share=count / len(returned))
        for code, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    )


def _confusion(
    plans: Iterable[tuple[Mapping[str, object], Mapping[str, object]]],
) -> tuple[Confusion, ...]:
    counts = Counter(
        change for suggested, decided in plans for change in expert_changes(suggested, decided)
    )
    return tuple(
        Confusion(model=change.model, human=change.human, count=count)
        for change, count in counts.most_common(MOST_CONFUSIONS)
    )


def _efforts(
    plans: Iterable[tuple[Correction, Mapping[str, object], Mapping[str, object]]],
) -> tuple[ModelEffort, ...]:
    """By model, the one that was first decided on last first."""
    by_model: defaultdict[str, list[tuple[Correction, float]]] = defaultdict(list)
    for each, suggested, decided in plans:
        by_model[each.model].append((each, plan_distance(suggested, decided)))
    efforts = [
        ModelEffort(
            model=model,
            plans=len(found),
            first_day=min(each.day for each, _ in found),
            untouched=_share_of(sum(distance == 0 for _, distance in found), len(found)),
            distance=statistics.fmean(distance for _, distance in found),
            median_seconds=_median(each.seconds for each, _ in found),
        )
        for model, found in by_model.items()
    ]
    return tuple(sorted(efforts, key=lambda each: (each.first_day, each.model), reverse=True))
