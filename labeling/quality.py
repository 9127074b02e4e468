"""Quality of the work: throughput and acceptance by week and person, agreement, effort by model.

Figures by week look at the last `WEEKS` weeks; those that read plans look at the newest
`LOOKED_AT` of them, so the page answers in the same time whatever the project's size.
"""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import orjson

from db import clock
from db.access import projects
from db.access import quality as access
from db.access.quality import Correction, Submission, Verdict
from db.engine import Database, Session
from labeling.queue import stats
from labeling.team_agreement import team_agreement
from schemas.agreement import plan_distance
from schemas.expert_changes import expert_changes
from schemas.intervals import wilson
from schemas.people import Actor
from schemas.quality import Confusion, Estimate, ModelEffort, PersonQuality, TeamFigures, Week

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
        is_hidden = projects.read_settings(session, who.project_id).hide_author
        hides = is_hidden and who.role != "admin"
        since = _monday(clock.now()) - timedelta(weeks=WEEKS - 1)
        submissions = access.list_submissions(session, who.project_id, since)
        verdicts = access.list_verdicts(session, who.project_id, since)
        corrections = access.list_corrections(session, who.project_id, LOOKED_AT)
        shared = access.list_shared_plans(session, who.project_id, LOOKED_AT)
        agreement = team_agreement(session, who.project_id, shared, hide_names=hides)
        people = [] if hides else _people(session, who.project_id, since, submissions, verdicts)
    plans = [
        (each, orjson.loads(each.suggested), orjson.loads(each.decided)) for each in corrections
    ]
    return TeamFigures(
        counts=counts,
        weeks=_weeks(since, submissions, verdicts),
        people=tuple(people),
        agreement=agreement,
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


def _people(
    session: Session,
    project_id: str,
    since: datetime,
    submissions: Sequence[Submission],
    verdicts: Sequence[Verdict],
) -> list[PersonQuality]:
    handed_in: defaultdict[str, list[Submission]] = defaultdict(list)
    said: defaultdict[str, list[Verdict]] = defaultdict(list)
    for each in submissions:
        handed_in[each.author_id].append(each)
    for each in verdicts:
        said[each.author_id].append(each)
    gold = access.count_gold(session, project_id)
    paused = access.list_paused(session, project_id)
    names = access.names_of(session, handed_in.keys() | said.keys() | gold.keys())
    return [
        _person(
            person_id,
            name,
            _weeks(since, handed_in[person_id], said[person_id]),
            handed_in[person_id],
            gold=gold.get(person_id, (0, 0)),
            is_paused=person_id in paused,
        )
        for person_id, name in sorted(names.items(), key=lambda each: each[1])
    ]


def _person(
    person_id: str,
    name: str,
    weeks: tuple[Week, ...],
    submissions: Sequence[Submission],
    *,
    gold: tuple[int, int],
    is_paused: bool,
) -> PersonQuality:
    verdicts = sum((Counter(each.verdicts) for each in weeks), Counter[str]())
    total = verdicts.total()
    return PersonQuality(
        person_id=person_id,
        name=name,
        weeks=weeks,
        submitted=len(submissions),
        median_seconds=_median(each.seconds for each in submissions),
        verdicts=dict(verdicts),
        acceptance=_share_of(verdicts["accepted"], total) if total else None,
        returned_share=verdicts["returned"] / total if total else None,
        gold_right=gold[0],
        gold_answered=gold[1],
        is_paused=is_paused,
    )


def _share_of(count: int, total: int) -> Estimate:
    low, high = wilson(count, total)
    return Estimate(value=count / total, low=low, high=high)


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
