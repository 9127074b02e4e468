"""The reward bench on bundles: by its own plugin, in the trainer's interpreter, from real rows."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app import main  # noqa: TID251  (a test comes in by the front door)
from db.access.bundles import find_begun
from db.durable import Durable
from db.engine import Database, sqlite_url
from exports.bundle import bundle_folder, create_bundle, get_bundle
from exports.reward_bench import bench_bundle, bench_folder
from exports.reward_bench_work import bench_now, find_bench, start_bench
from labeling.accounts import command_line_actor
from labeling.demo import load_demo
from schemas.errors import InvalidInput, NotFound, TrainingError
from schemas.people import Actor
from schemas.project import REWARDS
from schemas.reward_bench import BenchTerms, RewardBench
from schemas.reward_judgement import forecast
from schemas.reward_probes import PROBES
from schemas.scoring.source import source_hash
from schemas.settings import Settings
from tests.bundles import a_bundle_folder
from tests.exporting import a_pinned_query, a_plan, a_recipe, a_suggestion, a_trace
from tests.factories import EXPERTS, a_person, a_project
from tests.reviewing_plans import a_verdict
from tests.unit.test_rewards_page import table_rows

QUERIES = 6
WITHOUT_ANSWERS = BenchTerms(rows=2)
STRICT_ONLY = BenchTerms(weights={"StrictFormatReward": 1.0})


class Site(NamedTuple):
    """An installation with a bundle, in which two people decided on most queries."""

    database: Database
    settings: Settings
    admin: Actor
    bundle_id: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("bench") / "home"
    home.mkdir()
    (home / "planwright.db").write_bytes(migrated_sqlite.read_bytes())
    settings, database = Settings(home=home), Database(sqlite_url(home / "planwright.db"))
    admin = a_project(database)
    people = [a_person(database, admin.project_id, "annotator") for _ in range(2)]
    reviewer = a_person(database, admin.project_id, "reviewer")
    for number in range(QUERIES):
        _decide(database, admin, number, people, reviewer)
    recipe = a_recipe(formats=["grpo"], grpo={"sources": [{"kind": "accepted"}]})
    bundle_id = create_bundle(database, settings, admin, recipe)
    yield Site(database, settings, admin, bundle_id)
    database.close()


def _decide(
    database: Database, admin: Actor, number: int, people: list[Actor], reviewer: Actor
) -> None:
    """A query with three answers of a model; both people correct it, one after a return."""
    text = f"第{number}号店上周的流量怎么掉了"
    right = a_plan(f"查看第{number}号店上周流量下降的原因", *EXPERTS[:2])
    other = a_plan(f"第{number}号店上周的流量为什么下降", *EXPERTS[:2])
    wrong = a_plan(f"第{number}号店", EXPERTS[4])
    query_id = a_pinned_query(database, admin, text)
    held = [a_suggestion(database, admin, query_id, wrong, a_trace(100), candidate=1)]
    for candidate, plan in enumerate((right, wrong), start=2):
        a_suggestion(database, admin, query_id, plan, a_trace(100), candidate=candidate)
    a_suggestion(database, admin, query_id, None, a_trace(40), candidate=4)
    a_verdict(database, query_id, people[0], reviewer, right, suggestion_id=held[0])
    a_verdict(database, query_id, people[1], reviewer, wrong, "returned", final=other)


@pytest.fixture(scope="module")
def found(site: Site) -> RewardBench:
    return bench_bundle(site.database, site.settings, site.admin, site.bundle_id, BenchTerms())


def test_the_figures_are_of_the_models_answers_on_the_exact_file(found: RewardBench) -> None:
    assert (found.rows, found.used, found.answers) == (QUERIES, QUERIES, 4 * QUERIES)
    figures = {each.reward: each for each in found.figures}
    assert tuple(figures) == (*REWARDS, "total")
    # one of four answers to each query has no plan, one the accepted experts, two a wrong one
    assert figures["StrictFormatReward"].mean == pytest.approx(0.75)
    assert figures["ExpertValidationReward"].mean == pytest.approx(0.25)
    assert figures["ExpertValidationReward"].zeros == pytest.approx(0.75)
    assert figures["CorrectnessReward"].spread > 0
    assert 0 < figures["total"].mean < 1
    assert all(each.per_second and each.per_second > 0 for each in found.figures[:-1])
    assert found.per_second > 100
    assert found.scoring_hash == source_hash()


def test_rewards_agree_with_people_where_somebody_else_decided_too(found: RewardBench) -> None:
    held = {(each.question, each.reward): each for each in found.agreement}
    experts = held["submissions", "ExpertValidationReward"]
    # accepted: the right plan and the second hand-in, returned: the first hand-in
    assert (experts.good, experts.bad, experts.figure) == (2 * QUERIES, QUERIES, 1.0)
    corrected = held["corrections", "ExpertValidationReward"]
    assert (corrected.good, corrected.figure) == (2 * QUERIES, 1.0)
    assert held["submissions", "total"].figure == 1.0
    # a form that is ours in every case tells nothing
    assert held["submissions", "StrictFormatReward"].figure is None
    # every answer they began from was corrected: nothing to compare it with
    kept = held["suggestions", "ExpertValidationReward"]
    assert (kept.good, kept.bad, kept.figure) == (0, QUERIES, None)
    assert found.verdicts == found.independent > 0


def test_each_probe_stays_below_its_ceiling_under_the_weights_that_ship(
    found: RewardBench,
) -> None:
    assert {each.name for each in found.probes} == {each.name for each in PROBES}
    assert found.is_passed
    assert all(each.mean <= each.ceiling for each in found.probes)


def test_the_forecast_is_of_groups_of_the_models_answers(found: RewardBench) -> None:
    assert found.forecast is not None
    # four of four: one group for each query, and in none are all four alike
    assert (found.forecast.wanted, found.forecast.size) == (4, 4)
    assert (found.forecast.groups, found.forecast.without) == (QUERIES, 0)
    assert [each.silent for each in found.forecast.scalings] == [0.0] * 4


def test_pairs_of_equal_answers_are_forecast_as_silent(site: Site) -> None:
    terms = BenchTerms(group=2, scaling="none", weights={"ExpertValidationReward": 1.0})
    bench = bench_bundle(site.database, site.settings, site.admin, site.bundle_id, terms)
    assert bench.forecast is not None
    # of six pairs of a query three are alike: two wrong ones and the one without a plan
    assert bench.forecast.scalings[0].silent == pytest.approx(3 / 6)
    assert bench.scaling == "none"


def test_the_forecast_is_ms_swifts_own_share_of_groups_without_deviation() -> None:
    weights = {"JSONValidReward": 0.25, "CorrectnessReward": 0.75}
    answers = [
        [{"JSONValidReward": (number * group) % 3 / 2, "CorrectnessReward": number % 2 * 1.0}
         for number in range(4)]
        for group in range(5)
    ]  # fmt: skip
    ours = forecast(answers, weights, 4)
    assert ours is not None
    rows = [list(each.values()) for group in answers for each in group]
    code = (
        "import json, sys, torch\n"
        "from swift.rl_core.advantage import compute_advantages, compute_reward_metrics\n"
        "rows, weights = json.loads(sys.argv[1])\n"
        "rows, weights, said = torch.tensor(rows), torch.tensor(weights), {}\n"
        "for scaling in ('group', 'batch', 'none', 'gdpo'):\n"
        "    advantages, total = compute_advantages(rows, weights, 4, scale_rewards=scaling)\n"
        "    metrics = compute_reward_metrics(total, rows, ['a', 'b'], 4, scaling)\n"
        "    said[scaling] = [metrics.frac_reward_zero_std, advantages.abs().mean().item()]\n"
        "print(json.dumps(said))\n"
    )
    asked = json.dumps([rows, list(weights.values())])
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, asked], capture_output=True, text=True, check=True
    )
    theirs = json.loads(done.stdout.splitlines()[-1])
    for each in ours.scalings:
        assert each.strength == pytest.approx(theirs[each.scaling][1], abs=1e-5)
        if each.scaling != "gdpo":  # ms-swift counts totals there, not what is normalised
            assert each.silent == pytest.approx(theirs[each.scaling][0])


def test_weights_under_which_a_trick_pays_are_red(site: Site) -> None:
    bench = bench_bundle(site.database, site.settings, site.admin, site.bundle_id, STRICT_ONLY)
    assert not bench.is_passed
    paying = {each.name for each in bench.probes if not each.is_passed}
    assert {"every_expert", "unknown_expert", "doubled_expert"} <= paying
    assert "two_answers" not in paying


def test_a_folder_is_benched_by_itself_and_with_its_own_plugin(site: Site, tmp_path: Path) -> None:
    folder = a_bundle_folder(tmp_path / "bundle", rows=5)
    bench = bench_folder(site.settings, folder, WITHOUT_ANSWERS)
    assert (bench.used, bench.answers, bench.forecast, bench.verdicts) == (2, 0, None, 0)
    assert all(each.figure is None for each in bench.agreement)
    assert bench.is_passed
    rewards = folder / "planwright_scoring" / "rewards.py"
    cheated = "\nREWARD_FUNCTIONS |= {'ExpertValidationReward': lambda text, _: len(text) / 1e4}\n"
    rewards.write_text(rewards.read_text("utf-8") + cheated, "utf-8")
    changed = bench_folder(site.settings, folder, WITHOUT_ANSWERS)
    assert not changed.is_passed
    assert changed.scoring_hash != bench.scoring_hash
    assert "unknown_expert" in {each.name for each in changed.probes if not each.is_passed}


def test_a_bundle_without_rows_or_with_a_broken_plugin_is_told(site: Site, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refusal:
        bench_folder(site.settings, tmp_path, BenchTerms())
    assert refusal.value.code == "rewards.bench_no_rows"
    folder = a_bundle_folder(tmp_path / "bundle", rows=2)
    (folder / "reward_plugin.py").write_text("import schemas.plan\n", "utf-8")
    with pytest.raises(TrainingError) as broken:
        bench_folder(site.settings, folder, BenchTerms())
    assert broken.value.code == "training.plugin_broken"


def test_thinking_is_neither_weighed_nor_probed_where_the_recipe_has_none(
    site: Site, tmp_path: Path
) -> None:
    folder = a_bundle_folder(tmp_path / "bundle", rows=3, with_thinking=False)
    bench = bench_folder(site.settings, folder, BenchTerms())
    assert not [name for name in bench.weights if name.startswith("Think")]
    assert [each.reward for each in bench.figures if each.reward.startswith("Think")] == []
    assert bench.is_passed


def test_a_bench_in_the_background_is_followed_and_kept(site: Site) -> None:
    durable = Durable(site.settings, site.database, "serve")
    durable.launch()
    try:
        start_bench(site.database, durable, site.admin, site.bundle_id, BenchTerms())
        view = find_bench(site.database, site.admin, site.bundle_id)
        assert view is not None
        work = _work(site)
        durable.wait(work)
        start_bench(site.database, durable, site.admin, site.bundle_id, STRICT_ONLY)
        assert _work(site) != work
        durable.wait(_work(site))
    finally:
        durable.close()
    view = find_bench(site.database, site.admin, site.bundle_id)
    assert view is not None
    assert view.state == "done"
    assert view.found is not None
    assert not view.found.is_passed
    with pytest.raises(NotFound):
        find_bench(site.database, site.admin, "nowhere")


def _work(site: Site) -> str:
    with site.database.reading() as session:
        row = find_begun(session, site.bundle_id)
        held: Any = row.counts["reward_bench"] if row else {}
        return str(held.get("work"))


@pytest.fixture
def by_command(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("PLANWRIGHT_HOME", str(site.settings.home))
    monkeypatch.setenv("PLANWRIGHT_LANGUAGE", "en")
    return site


def test_the_command_says_everything_and_leaves_with_1_where_a_trick_pays(
    by_command: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rewards", "all", "--bench"]) == 0
    said = capsys.readouterr().out
    assert "No trick pays with these weights." in said
    assert "6 of 6 rows, 24 answers of models" in said
    for probe in PROBES:
        assert f" {probe.name} " in said
    assert "scale_rewards group" in said
    assert main(["rewards", "all", "--bench", "--json", "--weights", "StrictFormatReward=1"]) == 1
    told = RewardBench.model_validate_json(capsys.readouterr().out)
    assert told.weights == {"StrictFormatReward": 1.0}
    assert main(["rewards", "all", "--bench", "--weights", "StrictFormatReward=1"]) == 1
    assert "training is not launched" in capsys.readouterr().out


@pytest.mark.parametrize(
    "wrong", ["--weights Nice=1", "--weights JSONValidReward=x", "--group 1", "--rows 0"]
)
def test_an_option_that_cannot_be_read_is_one_sentence(
    by_command: Site, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rewards", "all", "--bench", *wrong.split()]) == 1
    said = capsys.readouterr().err
    assert said.strip()
    assert "Traceback" not in said
    assert main(["rewards", "nowhere", "--bench"]) == 1


def test_the_demo_gives_the_probes_that_the_page_on_rewards_tells(
    sqlite_database: Database, settings: Settings
) -> None:
    load_demo(sqlite_database, settings)
    admin = command_line_actor(sqlite_database, "demo")
    recipe = a_recipe(formats=["grpo"], grpo={"sources": [{"kind": "history"}]})
    bundle_id = create_bundle(sqlite_database, settings, admin, recipe)
    bench = bench_now(sqlite_database, settings, admin, bundle_id, BenchTerms())
    assert bench.is_passed
    assert bench.used == 14
    told = {row[0]: row[2:] for row in table_rows("probe")}
    for each in bench.probes:
        counts = [str(number) for number in (each.count, each.reached, each.free)]
        assert told[each.name] == [f"{each.mean:.3f}", f"{each.ceiling:.3f}", *counts]
    folder = bundle_folder(settings, get_bundle(sqlite_database, admin, bundle_id))
    assert not list(folder.rglob("__pycache__"))
