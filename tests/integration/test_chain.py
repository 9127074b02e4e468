"""One click trains for real: ms-swift's SFT and GRPO on a CPU, watched, stopped and resumed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import yaml

from exports import evaluations
from exports.training import launch
from exports.training.chain import resume_chain, start_chain, stop_chain
from exports.training.chain_view import list_chains, list_runs, log_since, run_view
from exports.training.follow import curves_of
from exports.training.live import Seen, live
from exports.training.process import processes_with, trainers
from exports.training.rollout_work import get_rollout, list_rollouts
from exports.training.rollouts import RolloutChoice, rollouts_of
from exports.training.stages import file_hash
from schemas.errors import NotAllowed, NotFound, TransitionRefused
from schemas.project import REWARDS
from schemas.sentences import LANGUAGES, sentence
from schemas.training import STAGES, ChainOrder, ChainView, Point, RunView
from schemas.training_stages import USUAL
from tests.bundles import a_bundle
from tests.chain_site import LIMIT_S, Site, a_site, is_over, logged, stage
from tests.factories import a_person, a_project

WEIGHTS = dict.fromkeys(REWARDS, 1.0) | {"ThinkLengthReward": 3.0}
pytestmark = pytest.mark.timeout(LIMIT_S)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with a_site(tmp_path_factory.mktemp("site") / "home") as site:
        yield site


@pytest.fixture(scope="module")
def trained(site: Site) -> ChainView:
    """The whole chain, once for this file, with weights of its own."""
    chain_id = site.start(ChainOrder(weights=WEIGHTS, evaluation_limit=2))
    return site.wait(chain_id, is_over)


def test_the_whole_chain_runs_to_its_end(trained: ChainView) -> None:
    told = {each.name: each.state for each in trained.stages}
    assert told == {each: "succeeded" if each in USUAL else "off" for each in STAGES}
    assert trained.state == "succeeded"


def test_every_stage_says_how_it_ended_in_both_languages(trained: ChainView) -> None:
    for each in (stage(trained, name) for name in USUAL):
        assert each.reason
        assert all(sentence(each.reason, each.values, language) for language in LANGUAGES)
        for check in each.checks:
            assert all(sentence(check.code, check.values, language) for language in LANGUAGES)


def test_grpo_begins_from_the_checkpoint_of_sft(site: Site, trained: ChainView) -> None:
    sft = run_view(site.database, site.settings, site.who, stage(trained, "sft").run_id)
    grpo = run_view(site.database, site.settings, site.who, stage(trained, "grpo").run_id)
    config = yaml.safe_load((Path(grpo.folder) / "config.yaml").read_text("utf-8"))
    assert config["model"] == sft.checkpoint
    assert sft.checkpoint != grpo.checkpoint


def test_grpo_makes_ten_steps_and_five_rewards_deviate(trained: ChainView) -> None:
    curves = trained.series["grpo"]
    assert len(curves["reward"]) >= 10
    deviating = [
        name for name in REWARDS if any(point.value > 0 for point in curves[f"rewards/{name}/std"])
    ]
    assert len(deviating) >= 5


@pytest.mark.parametrize("name", ["sft", "grpo"])
def test_each_point_on_the_page_is_the_trainers(site: Site, trained: ChainView, name: str) -> None:
    lines = logged(site, trained, name)
    assert len(lines) >= 10
    curves = trained.series[name]  # pyright: ignore[reportArgumentType]
    for metric in curves:
        said = [
            Point(step=int(line["global_step/max_steps"].split("/")[0]), value=line[metric])
            for line in lines
            if metric in line
        ]
        assert list(curves[metric]) == said
    wanted = {"loss", "learning_rate"} if name == "sft" else {"reward", "kl", "reward_std"}
    assert wanted <= curves.keys()


def test_the_weights_of_the_order_are_those_of_the_reward(site: Site, trained: ChainView) -> None:
    def weighted(line: dict[str, Any], weights: dict[str, float]) -> float:
        return sum(weight * line[f"rewards/{name}/mean"] for name, weight in weights.items())

    for line in logged(site, trained, "grpo"):
        assert line["reward"] == pytest.approx(weighted(line, WEIGHTS), abs=1e-5)
    equal = dict.fromkeys(REWARDS, 1.0)
    assert any(
        line["reward"] != pytest.approx(weighted(line, equal), abs=1e-3)
        for line in logged(site, trained, "grpo")
    )


def test_what_was_trained_on_is_what_the_manifest_names(site: Site, trained: ChainView) -> None:
    folder = site.settings.home / "bundles" / "first"
    files = json.loads((folder / "manifest.json").read_text("utf-8"))["files"]
    for name in ("sft", "grpo"):
        run = run_view(site.database, site.settings, site.who, stage(trained, name).run_id)
        config = yaml.safe_load((Path(run.folder) / "config.yaml").read_text("utf-8"))
        assert run.dataset_hash == files[f"{name}.jsonl"]["sha256"]
        assert file_hash(Path(config["dataset"][0])) == run.dataset_hash
        assert run.scoring_hash


def test_the_evaluations_are_rows_with_their_scoring_and_checkpoint(
    site: Site, trained: ChainView
) -> None:
    views = [
        each
        for each in evaluations.list_evaluations(site.database, site.who)
        if each.planner.name.startswith("cpu-smoke")
    ]
    assert len(views) == 2
    assert {each.state for each in views} == {"done"}
    assert len({each.planner.checkpoint_hash for each in views}) == 2
    for each in views:
        assert each.benchmark == "standard@1"
        assert each.figures
        assert each.figures.questions == each.answered == 2
        assert each.figures.failed == 0
        assert len(evaluations.list_answers(site.database, site.who, each.id)) == 2
    assert stage(trained, "compare").figures["after"]["questions"] == 2


def test_the_completions_of_a_step_earn_what_the_trainer_logged(
    site: Site, trained: ChainView
) -> None:
    """Each completion is found by offset, at its step, with the weighted sum of the trainer."""
    run_id = stage(trained, "grpo").run_id
    rollouts = rollouts_of(site.settings.home / "runs" / run_id)
    found = rollouts.some(range(len(rollouts.entries)))
    for point in trained.series["grpo"]["reward"]:
        totals = [each.total for each in found if each.step == point.step]
        assert len(totals) == 16
        assert fmean(totals) == pytest.approx(point.value, abs=1e-5)
    page = list_rollouts(
        site.database, site.settings, site.who, trained.id, RolloutChoice(is_descending=True)
    )
    assert (page.written, page.unreadable) == (len(found), 0)
    best = page.rows[0]
    assert all(row.advantage is not None for row in page.rows)
    detail = get_rollout(site.database, site.settings, site.who, best.place)
    assert detail.advantage == best.advantage
    assert detail.gold
    assert detail.query
    assert detail.reasons.keys() == {
        name for name, each in best.rollout.scores.items() if each < 0.9995
    }


def test_the_page_is_told_every_step_and_the_alarms_of_a_real_run(
    site: Site, trained: ChainView
) -> None:
    news = live(site.database, site.settings, site.who, [trained.id], Seen())
    told = {part.run_id: part for part in news.parts}
    for name in ("sft", "grpo"):
        part, curves = told[stage(trained, name).run_id], trained.series[name]
        for metric in part.values:
            drawn = zip(part.steps, part.values[metric], strict=True)
            points = [Point(step, value) for step, value in drawn if value is not None]
            assert points == list(curves[metric])
    grpo = told[stage(trained, "grpo").run_id]
    assert {"frac_reward_zero_std", "completions/clipped_ratio"} <= grpo.values.keys()
    assert news.log
    assert live(site.database, site.settings, site.who, [trained.id], news.seen).parts == ()
    for alarm in trained.alarms:
        for language in LANGUAGES:
            assert sentence(alarm.code, alarm.values, language)
            assert sentence(alarm.advice, {}, language)


def test_the_log_is_followed_from_an_offset(site: Site, trained: ChainView) -> None:
    run_id = stage(trained, "grpo").run_id
    text, offset = log_since(site.database, site.settings, site.who, run_id, 0)
    assert "train_dataset" in text or len(text) == 64 * 1024
    assert log_since(site.database, site.settings, site.who, run_id, offset) == ("", offset)
    assert trained.log_tail


def test_no_run_and_no_server_is_left_running(site: Site, trained: ChainView) -> None:
    for path in (site.settings.home / "runs").iterdir():
        order = json.loads((path / "order.json").read_text("utf-8"))
        assert launch.look(path).state in launch.OVER
        assert processes_with(order["token"]) == []
    assert is_over(trained)


def test_a_stopped_run_saves_and_goes_on_from_there(site: Site) -> None:
    """Two clicks are one chain; stop saves; resume goes on from the saved step, not from zero."""
    order = ChainOrder(stages=("sft",), overrides={"sft": {"max_steps": 400, "save_steps": 400}})
    chain_id = site.start(order)
    assert site.start(order) == chain_id
    site.wait(chain_id, lambda view: len(view.series.get("sft", {}).get("loss", ())) > 3)
    stop_chain(site.database, site.settings, site.who, chain_id)
    view = site.wait(chain_id, is_over)
    assert (view.state, stage(view, "sft").state) == ("stopped", "stopped")
    assert stage(view, "sft").reason == "training.stopped_saved"
    saved = int(stage(view, "sft").values["checkpoint"].rpartition("-")[2])
    assert 3 < saved < 400
    with pytest.raises(TransitionRefused):
        stop_chain(site.database, site.settings, site.who, chain_id)
    resume_chain(site.database, site.durable, site.settings, site.who, chain_id)
    first = stage(view, "sft").run_id
    view = site.wait(
        chain_id,
        lambda view: stage(view, "sft").run_id != first and len(view.series["sft"]["loss"]) > saved,
    )
    second = run_view(site.database, site.settings, site.who, stage(view, "sft").run_id)
    assert curves_of(Path(second.folder))["loss"][0].step == saved + 1
    _kill_the_trainer(site, stage(view, "sft").run_id)
    view = site.wait(chain_id, is_over)
    assert (view.state, stage(view, "sft").reason) == ("failed", "training.killed_by_signal")


def _kill_the_trainer(site: Site, run_id: str) -> None:
    run = run_view(site.database, site.settings, site.who, run_id)
    order = json.loads((Path(run.folder) / "order.json").read_text("utf-8"))
    os.kill(trainers(order["token"])[0], signal.SIGKILL)


@pytest.mark.parametrize("victim", ["app", "supervisor"])
def test_a_kill_at_any_moment_loses_no_run_and_starts_none_twice(site: Site, victim: str) -> None:
    bundle_id = a_bundle(site.database, site.settings, site.who, name=f"kill {victim}")
    app = _drive(site, victim, bundle_id)
    try:
        run = _first_run(site, bundle_id)
        folder = site.settings.home / run.folder
        _wait_until(lambda: launch.look(folder).state == "running")
        status = launch.look(folder).status
        assert status
        app.kill()
        app.wait()
        if victim == "supervisor":
            os.kill(status.supervisor.pid, signal.SIGKILL)
        else:
            assert launch.look(folder).state == "running"
        app = _drive(site, victim)
        view = site.wait(str(run.chain_id), is_over)
    finally:
        app.kill()
        app.wait()
    ended = stage(view, "sft")
    assert (
        ended.reason
        == {
            "app": "training.succeeded",
            "supervisor": "training.supervisor_lost",
        }[victim]
    )
    runs = list_runs(site.database, site.settings, site.who)
    assert len([each for each in runs if each.bundle_id == bundle_id]) == 1
    assert (folder / "log.txt").read_text("utf-8").count("run sh: ") <= 1
    assert processes_with(status.token) == []


def _drive(site: Site, executor: str, *bundle_id: str) -> "subprocess.Popen[bytes]":
    command = ["-m", "tests.chain_work", str(site.settings.home), f"worker-{executor}", *bundle_id]
    return subprocess.Popen([sys.executable, *command], cwd=Path(__file__).parents[2])


def _first_run(site: Site, bundle_id: str) -> RunView:
    found: list[RunView] = []

    def is_there() -> bool:
        runs = list_runs(site.database, site.settings, site.who)
        found[:] = [each for each in runs if each.bundle_id == bundle_id]
        return bool(found)

    _wait_until(is_there)
    return found[0]


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_file_that_was_changed_is_not_trained_on(site: Site) -> None:
    other = a_bundle(site.database, site.settings, site.who, name="changed")
    with (site.settings.home / "bundles" / "changed" / "sft.jsonl").open("a") as file:
        file.write("{}\n")
    chain_id = start_chain(
        site.database,
        site.durable,
        site.settings,
        site.who,
        other,
        "cpu-smoke",
        ChainOrder(stages=("freeze", "sft")),
    )
    view = site.wait(chain_id, is_over)
    assert (view.state, stage(view, "freeze").reason) == ("failed", "training.file_changed")
    assert stage(view, "freeze").values == {"file": "sft.jsonl"}
    assert stage(view, "sft").state == "waiting"


def test_training_is_for_admins_and_stays_in_its_project(site: Site) -> None:
    annotator = a_person(site.database, site.who.project_id, "annotator")
    with pytest.raises(NotAllowed):
        start_chain(
            site.database, site.durable, site.settings, annotator, site.bundle_id, "cpu-smoke"
        )
    with pytest.raises(NotAllowed):
        list_runs(site.database, site.settings, annotator)
    stranger = a_project(site.database, name="other")
    with pytest.raises(NotFound):
        start_chain(
            site.database, site.durable, site.settings, stranger, site.bundle_id, "cpu-smoke"
        )
    assert list_chains(site.database, stranger) == []
