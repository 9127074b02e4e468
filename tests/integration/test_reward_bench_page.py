"""The reward bench on the Datasets page, called without a server."""

import json
from typing import Any

import pytest

from db.access.bundles import add_bundle
from db.engine import Database
from db.tables import Bundle
from db.tables.base import new_id
from labeling.ui.i18n import Words
from labeling.ui.reward_bench import RewardBenchHandlers
from labeling.ui.session import Services, request_of
from schemas.people import Actor
from schemas.project import DEFAULT_WEIGHTS, REWARDS
from schemas.reward_bench import TOTAL, Agreement, RewardBench
from schemas.reward_judgement import ProbedRow, figure_of, forecast, judge_probes
from schemas.reward_probes import PROBES, probe_row, read_asked
from schemas.sentences import LANGUAGES, sentence
from schemas.settings import Settings
from tests.exporting import a_recipe
from tests.factories import a_person, a_project
from tests.unit.test_reward_probes import ROWS

WEIGHTS = dict(zip(REWARDS, DEFAULT_WEIGHTS, strict=True))
HOSTILE = "<img src=x>"


@pytest.fixture
def admin(sqlite_database: Database) -> Actor:
    return a_project(sqlite_database)


@pytest.fixture
def services(sqlite_database: Database, settings: Settings) -> Services:
    return Services(settings, sqlite_database, durable=None)  # pyright: ignore[reportArgumentType]


def a_bench(total: float, *, verdicts: int = 0, answers: int = 0) -> RewardBench:
    """What a bench may have found: every probe earns this much, and every honest attempt 0.9."""
    asked = read_asked(ROWS["chinese"])
    assert asked is not None
    probed = probe_row(asked)
    totals = [0.9 if each.probe is None else total for each in probed]
    scores = [[{"JSONValidReward": 1.0}, {"JSONValidReward": 0.0}]] * answers
    none: dict[str, Any] = {"reward": TOTAL, "figure": None, "low": None, "high": None}
    told: dict[str, Any] = none | {"figure": 0.83, "low": 0.7, "high": 1.0}
    agreed = [
        Agreement(question="submissions", good=7, bad=3, **told),
        Agreement(question="corrections", good=4, bad=4, **none),
        Agreement(question="suggestions", good=0, bad=2, **none),
    ]
    return RewardBench(
        bundle_id=None,
        name=f"first {HOSTILE}",
        measured_at="2026-11-25T12:00:00Z",  # pyright: ignore[reportArgumentType]
        scoring_hash="0" * 64,
        weights=WEIGHTS,
        scaling="none",
        rows=1_234,
        used=400,
        answers=answers,
        figures=(figure_of("JSONValidReward", [0.0, 1.0], 2_500.0), figure_of(TOTAL, [0.5], None)),
        per_second=3_210,
        agreement=tuple(agreed) if verdicts else (),
        verdicts=verdicts,
        independent=verdicts,
        probes=judge_probes([ProbedRow(HOSTILE, probed, totals)]),
        forecast=forecast(scores, {"JSONValidReward": 1.0}, 8),
    )


def a_benched_bundle(database: Database, who: Actor, **held: Any) -> str:
    bundle_id, recipe = new_id(), a_recipe().model_dump(mode="json")
    with database.transaction() as session:
        add_bundle(
            session,
            who.project_id,
            bundle_id,
            name="first",
            recipe=recipe,
            folder=f"bundles/{bundle_id}",
            created_by=who.person_id,
        )
        row = session.get_one(Bundle, bundle_id)
        row.state, row.counts = "ready", {"reward_bench": held} if held else {}
    return bundle_id


def looked(services: Services, who: Actor, bundle_id: str, language: Any = "en") -> str:
    handlers = RewardBenchHandlers(services, Words(language))
    return json.dumps(handlers.on_look(bundle_id, request_of(who)).bench, ensure_ascii=False)


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_that_a_bench_found_is_drawn(services: Services, admin: Actor, language: Any) -> None:
    found = a_bench(0.5, verdicts=12, answers=3).model_dump(mode="json")
    bundle_id = a_benched_bundle(services.database, admin, state="done", found=found)
    drawn = looked(services, admin, bundle_id, language)
    words = Words(language)
    for probe in PROBES:
        assert sentence(f"rewards.probe_{probe.name}", {}, language) in drawn
    for said in ("0.83 (0.70–1.00)", "3,210", "2,500", "gdpo", words("bench.green")):
        assert said in drawn
    assert words("bench.cases", good=4, bad=4) in drawn
    assert words("bench.no_difference") in drawn
    assert words("bench.smaller", wanted=8) in drawn


def test_a_trick_that_pays_is_red_and_one_for_nothing_is_told(
    services: Services, admin: Actor
) -> None:
    words = Words("en")
    for total, verdict in ((0.95, "red"), (0.5, "green")):
        found = a_bench(total).model_dump(mode="json")
        bundle_id = a_benched_bundle(services.database, admin, state="done", found=found)
        assert words(f"bench.{verdict}") in looked(services, admin, bundle_id)
    found = a_bench(0.9).model_dump(mode="json")
    bundle_id = a_benched_bundle(services.database, admin, state="done", found=found)
    drawn = looked(services, admin, bundle_id)
    assert "not below" in drawn
    assert "for nothing" in drawn


def test_where_there_are_no_people_and_no_models_the_page_says_so(
    services: Services, admin: Actor
) -> None:
    found = a_bench(0.5).model_dump(mode="json")
    bundle_id = a_benched_bundle(services.database, admin, state="done", found=found)
    drawn, words = looked(services, admin, bundle_id), Words("en")
    for said in ("no_verdicts", "no_forecast", "figures_honest"):
        assert words(f"bench.{said}") in drawn


def test_a_bench_under_way_or_refused_says_so_beside_what_was_found(
    services: Services, admin: Actor
) -> None:
    words = Words("en")
    nothing = a_benched_bundle(services.database, admin)
    assert words("bench.none") in looked(services, admin, nothing)
    running = a_benched_bundle(services.database, admin, state="running", work="w")
    assert words("bench.running") in looked(services, admin, running)
    values = {"line": "NameError: x"}
    held = {"state": "failed", "reason": "training.plugin_broken", "values": values}
    failed = a_benched_bundle(services.database, admin, **held)
    assert "NameError: x" in looked(services, admin, failed)


def test_a_bundle_brings_its_own_terms(services: Services, admin: Actor) -> None:
    handlers = RewardBenchHandlers(services, Words("en"))
    bundle_id = a_benched_bundle(services.database, admin)
    picked = handlers.on_picked(bundle_id, request_of(admin))
    assert picked == ["group", 4, *DEFAULT_WEIGHTS]
    for stranger in ("", "nowhere"):
        assert len(handlers.on_picked(stranger, request_of(admin))) == 2 + len(REWARDS)
        assert not handlers.on_look(stranger, request_of(admin)).notice.get("text")


def test_what_cannot_be_begun_is_told_in_words(services: Services, admin: Actor) -> None:
    handlers = RewardBenchHandlers(services, Words("en"))
    told = handlers.on_start(request_of(admin), "", "group", 4, *DEFAULT_WEIGHTS).notice
    assert told["kind"] == "error"
    bundle_id = a_benched_bundle(services.database, admin)
    told = handlers.on_start(request_of(admin), bundle_id, "group", 99, *DEFAULT_WEIGHTS).notice
    assert told["kind"] == "error"
    reviewer = a_person(services.database, admin.project_id, "reviewer")
    told = handlers.on_start(request_of(reviewer), bundle_id, "group", 4, *DEFAULT_WEIGHTS).notice
    assert told["kind"] == "refused"
    assert handlers.on_look(bundle_id, request_of(reviewer)).notice["kind"] == "refused"
