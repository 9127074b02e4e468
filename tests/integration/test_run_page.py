"""What the page of a run is told: news only; and a bad completion goes back to people."""

import argparse
import json
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
import pytest

from db.engine import Database
from exports.training.alarms import alarms_of
from exports.training.columns import columns_of, joined
from exports.training.commands import add_commands
from exports.training.live import MOST_STEPS, Live, Seen, live
from exports.training.overlay import differences
from exports.training.rollout_sources import Place
from exports.training.rollout_work import ask_for_another_look, get_rollout, list_rollouts
from exports.training.rollouts import RolloutChoice
from labeling import commenting, gold, queue
from labeling.command_line import CommandContext
from labeling.ui.i18n import Words
from labeling.ui.rollouts import RolloutHandlers
from labeling.ui.session import Services, request_of
from labeling.ui.training import TrainingHandlers
from schemas.errors import InvalidInput, NotAllowed, NotFound, TransitionRefused
from schemas.people import Actor
from schemas.settings import Settings
from tests.bundles import a_bundle
from tests.factories import a_person, a_project
from tests.training_files import (
    a_chain,
    a_completion,
    a_decided_query,
    a_line_of,
    a_run_folder,
    log_steps,
    plan_ids,
    write_completions,
)


class Site(NamedTuple):
    """A project with a chain that has made some steps."""

    settings: Settings
    database: Database
    who: Actor
    chain_id: str
    run_id: str

    @property
    def folder(self) -> Path:
        return self.settings.home / "runs" / self.run_id

    def live(self, seen: Seen | None = None, *others: str) -> Live:
        ids = [self.chain_id, *others]
        return live(self.database, self.settings, self.who, ids, seen or Seen())


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    settings = Settings(home=tmp_path)
    who = a_project(database)
    bundle_id = a_bundle(database, settings, who)
    ids = a_chain(database, settings, who, bundle_id, steps=40)
    return Site(settings, database, who, *ids)


def test_a_page_is_told_only_of_steps_it_has_not_seen(site: Site) -> None:
    first = site.live()
    assert first.parts[0].steps == list(range(1, 41))
    assert site.live(first.seen).parts == ()
    assert site.live(first.seen).log is None
    log_steps(site.folder, range(41, 43))
    later = site.live(first.seen)
    assert [(part.first, part.steps) for part in later.parts] == [(40, [41, 42])]
    assert len(later.parts[0].values["kl"]) == 2


def test_a_long_run_is_thinned_and_stays_in_bounds(site: Site) -> None:
    log_steps(site.folder, range(41, MOST_STEPS + 1))
    first = site.live()
    assert (len(first.parts[0].steps), first.parts[0].every) == (MOST_STEPS, 1)
    log_steps(site.folder, range(MOST_STEPS + 1, MOST_STEPS + 4))
    later = site.live(first.seen)
    assert (later.parts[0].first, later.parts[0].every) == (0, 2)
    assert later.parts[0].steps[:3] == [1, 3, 5]
    assert len(later.parts[0].steps) == MOST_STEPS // 2 + 2


def test_of_the_log_only_the_end_is_told_and_then_what_comes_after(site: Site) -> None:
    first = site.live()
    assert first.log
    assert first.log.text.startswith("train_dataset")
    with (site.folder / "log.txt").open("a") as log:
        log.write("saved\n")
    later = site.live(first.seen)
    assert later.log
    assert (later.log.first, later.log.text) == (first.log.next, "saved\n")


@pytest.fixture
def handlers(site: Site) -> TrainingHandlers:
    durable: Any = None  # nothing is started here
    return TrainingHandlers(Services(site.settings, site.database, durable), Words("en"))


def size(answer: tuple[object, ...]) -> int:
    return len(json.dumps(answer, default=lambda each: {"__type__": "update"}))


def test_a_tick_costs_nothing_where_nothing_is_new(site: Site, handlers: TrainingHandlers) -> None:
    request = request_of(site.who)
    first = handlers.on_tick(site.chain_id, [], "", request)
    assert first.curves["parts"]
    same = handlers.on_tick(site.chain_id, [], first.seen, request)
    assert all(each == gr.skip() for each in same)
    assert size(same) < 300
    log_steps(site.folder, range(41, 42))
    later = handlers.on_tick(site.chain_id, [], first.seen, request)
    assert later.chains == gr.skip()
    assert later.curves["parts"][0]["steps"] == [41]
    assert size((later.curves,)) < 3_000
    assert len(str(later.seen)) < 600


def test_what_differs_between_runs_is_listed(site: Site) -> None:
    other_bundle = a_bundle(site.database, site.settings, site.who, name="second")
    other, _ = a_chain(
        site.database, site.settings, site.who, other_bundle, steps=3, beta=0.1,
        reward_weights=[0.1, 0.1, 0.1, 0.1, 0.2, 0.4, 0.0],
    )  # fmt: skip
    found = differences(site.database, site.settings, site.who, [site.chain_id, other])
    told = {each.name: each.values for each in found}
    assert told["bundle"] == ("first", "second")
    assert told["grpo.beta"] == ("0.04", "0.1")
    assert told["weight.ExpertValidationReward"] == ("0.3", "0.4")
    assert "grpo.learning_rate" not in told
    news = site.live(None, other)
    assert [len(part.steps) for part in news.parts] == [40, 3]
    with pytest.raises(NotFound):
        differences(site.database, site.settings, a_project(site.database, "else"), [other])


def test_completions_are_listed_with_their_query_and_judged_beside_the_accepted_plan(
    site: Site,
) -> None:
    ids = plan_ids(site.settings.home / "bundles" / "first")
    write_completions(site.folder, [a_completion(1, ids[2], "<answer>\n{}\n</answer>")])
    listed = list_rollouts(site.database, site.settings, site.who, site.chain_id, RolloutChoice())
    assert (listed.written, listed.pages, len(listed.rows)) == (1, 1, 1)
    assert listed.rows[0].query
    found = get_rollout(site.database, site.settings, site.who, Place(site.run_id, 0))
    assert found.gold
    assert found.gold["steps"]
    assert found.reasons["ExpertValidationReward"].code == "rewards.why_no_steps"
    assert found.query.endswith(listed.rows[0].query)
    with pytest.raises(NotFound):
        get_rollout(site.database, site.settings, site.who, Place(site.run_id, 1))
    with pytest.raises(TransitionRefused) as refused:
        ask(site, 0)
    assert refused.value.code == "training.look_unknown"
    annotator = a_person(site.database, site.who.project_id, "annotator")
    with pytest.raises(NotAllowed):
        get_rollout(site.database, site.settings, annotator, Place(site.run_id, 0))


def ask(site: Site, line: int, reason: str = "专家选错了") -> str:
    return ask_for_another_look(
        site.database, site.settings, site.who, Place(site.run_id, line), reason=reason
    )


@pytest.fixture
def accepted(database: Database, tmp_path: Path) -> Site:
    """A run on a bundle one row of which comes from an accepted plan, with one completion of it."""
    settings = Settings(home=tmp_path)
    who = a_project(database)
    bundle_id = a_bundle(database, settings, who)
    query_id = a_decided_query(database, who, "上周的流量怎么样")
    a_line_of(database, settings, who, bundle_id, query_id)
    site = Site(settings, database, who, *a_chain(database, settings, who, bundle_id, steps=3))
    write_completions(site.folder, [a_completion(2, query_id, "<answer>\n{}\n</answer>")])
    return site


def test_a_bad_completion_asks_for_another_look_and_overwrites_nothing(accepted: Site) -> None:
    before = queue.query_detail(accepted.database, accepted.who, ask(accepted, 0))
    query_id = ask(accepted, 0)  # a second click
    after = queue.query_detail(accepted.database, accepted.who, query_id)
    assert after.annotations == before.annotations
    assert after.state == "decided"
    (thread,) = commenting.list_of_query(accepted.database, accepted.who, query_id).values()
    (comment,) = thread
    assert "专家选错了" in comment.text
    assert f"/training?run={accepted.chain_id}&rollout={accepted.run_id}:0" in comment.text


def test_the_reason_that_costs_most_is_offered(accepted: Site) -> None:
    durable: Any = None  # nothing is started here
    handlers = RolloutHandlers(Services(accepted.settings, accepted.database, durable), Words("en"))
    picked = gr.EventData(None, {"id": f"{accepted.run_id}:0"})
    told = handlers.on_pick(picked, request_of(accepted.who))
    assert told.reason == "Experts: There are no steps that could be read."


def test_another_look_needs_a_reason(accepted: Site) -> None:
    with pytest.raises(InvalidInput) as refused:
        ask(accepted, 0, " ")
    assert refused.value.code == "training.look_without_reason"


def test_a_gold_item_is_sent_back_to_nobody(accepted: Site) -> None:
    found = get_rollout(
        accepted.database, accepted.settings, accepted.who, Place(accepted.run_id, 0)
    )
    gold.set_gold(accepted.database, accepted.who, found.rollout.plan_id, found.gold)
    with pytest.raises(TransitionRefused) as refused:
        ask(accepted, 0)
    assert refused.value.code == "training.look_gold"


def test_runs_show_tells_each_alarm_with_its_figures_and_what_to_do(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    log_steps(site.folder, range(41, 61), frac_reward_zero_std=0.75)
    for named in (site.chain_id, site.run_id):
        for as_json in (True, False):
            context = CommandContext(site.settings, site.database, "main", "en", as_json)
            parser = argparse.ArgumentParser()
            add_commands(parser.add_subparsers())
            asked = parser.parse_args(["runs", "show", named])
            assert asked.run(context, asked) == 0
            said = capsys.readouterr().out
            assert "75 % of the groups" in said
            if as_json:
                (alarm,) = json.loads(said)["alarms"]
                assert (alarm["name"], alarm["values"]["now"]) == ("no_deviation", 75)
                assert "num_generations" in alarm["advice"]


def test_a_phrase_that_spreads_is_found_in_the_completions_of_a_run(site: Site) -> None:
    bundle = site.settings.home / "bundles" / "first"
    ids = plan_ids(bundle)
    phrase = "综合以上所有信息我认为这个问题非常重要"
    lines = [
        a_completion(step, ids[(step + n) % 8], f"<think>\n{step}号{n}回答。{phrase * (step > 30)}")
        for step in range(1, 41)
        for n in range(8)
    ]
    write_completions(site.folder, lines)
    found = {each.name: each.values for each in alarms_of([site.folder], bundle, "grpo")}
    assert str(found["phrase"]["phrase"]) in phrase
    assert (found["phrase"]["now"], found["phrase"]["before"]) == (100, 0)


@pytest.mark.parametrize(("paid", "names"), [(0.9, set[str]()), (0.2, {"length_collapse"})])
def test_thinking_that_gets_shorter_alarms_only_where_its_reward_falls(
    tmp_path: Path, paid: float, names: set[str]
) -> None:
    folder = a_run_folder(tmp_path / "run")
    for step in range(1, 81):
        far = step / 80
        shorter = {
            "completions/mean_length": 240 - 180 * far,
            "rewards/ThinkLengthReward/mean": 0.5 + (paid - 0.5) * far,
        }
        log_steps(folder, range(step, step + 1), most=80, **shorter)
    assert {each.name for each in alarms_of([folder], tmp_path, "grpo")} == names


def test_an_alarm_looks_over_all_attempts_of_a_run(tmp_path: Path) -> None:
    first, second = (a_run_folder(tmp_path / name) for name in ("first", "second"))
    for folder, steps in ((first, range(1, 51)), (second, range(41, 81))):
        for step in steps:
            far = step / 80
            shorter = {
                "completions/mean_length": 240 - 180 * far,
                "rewards/ThinkLengthReward/mean": 0.5 - 0.3 * far,
            }
            log_steps(folder, range(step, step + 1), most=80, **shorter)
    whole = joined([columns_of(first), columns_of(second)])
    assert whole.steps == list(range(1, 81))
    assert whole.column("completions/mean_length") == [240 - 180 * (s / 80) for s in whole.steps]
    (alarm,) = alarms_of([first, second], tmp_path, "grpo")
    alone = {each.name: each.values for each in alarms_of([second], tmp_path, "grpo")}
    assert (alarm.name, alarm.step) == ("length_collapse", 80)
    assert alone.get("length_collapse") != alarm.values


def test_what_was_said_before_a_run_went_on_is_compared_with_the_end(site: Site) -> None:
    bundle = site.settings.home / "bundles" / "first"
    ids = plan_ids(bundle)
    phrase = "综合以上所有信息我认为这个问题非常重要"
    later = a_run_folder(site.settings.home / "runs" / "later")
    for folder, steps, said in ((site.folder, range(1, 26), ""), (later, range(21, 41), phrase)):
        lines = [
            a_completion(step, ids[(step + n) % 8], f"<think>\n{step}号{n}回答。{said}")
            for step in steps
            for n in range(8)
        ]
        write_completions(folder, lines)
    assert "phrase" not in {each.name for each in alarms_of([later], bundle, "grpo")}
    found = {each.name for each in alarms_of([site.folder, later], bundle, "grpo")}
    assert "phrase" in found


def test_a_project_without_a_bundle_is_told_where_one_is_made(
    site: Site, handlers: TrainingHandlers
) -> None:
    empty = a_project(site.database, "empty")
    assert "Datasets" in str(handlers.on_load(request_of(empty)).bundle.info)
    assert handlers.on_load(request_of(site.who)).bundle.info is None
