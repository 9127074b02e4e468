"""Completions of every attempt and every node stand in one list, and each can go to people."""

import shutil
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
import pytest

from db.engine import Database
from exports.training.rollout_sources import Place
from exports.training.rollout_work import (
    Listing,
    ask_for_another_look,
    get_rollout,
    list_rollouts,
)
from exports.training.rollouts import RolloutChoice
from labeling import commenting
from labeling.ui.i18n import Words
from labeling.ui.rollouts import RolloutHandlers
from labeling.ui.session import Services, request_of
from schemas.errors import NotFound
from schemas.people import Actor
from schemas.settings import Settings
from tests.bundles import a_bundle
from tests.factories import a_project
from tests.training_files import (
    a_chain,
    a_completion,
    a_decided_query,
    a_line_of,
    a_run_folder,
    an_attempt,
    write_advantages,
    write_completions,
)

TEXT = "<answer>\n{}\n</answer>"


class Site(NamedTuple):
    """A chain the first attempt of which trained here, and the second on the nodes a and b."""

    settings: Settings
    database: Database
    who: Actor
    chain_id: str
    first: str
    second: str
    query_id: str
    members: Path

    def list(self, **choice: object) -> Listing:
        """The list that a page shows."""
        chosen = RolloutChoice.model_validate(choice)
        return list_rollouts(self.database, self.settings, self.who, self.chain_id, chosen)


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    settings, who = Settings(home=tmp_path), a_project(database)
    bundle_id = a_bundle(database, settings, who)
    query_id = a_decided_query(database, who, "上周的流量怎么样")
    a_line_of(database, settings, who, bundle_id, query_id)
    chain_id, first = a_chain(database, settings, who, bundle_id, steps=3)
    write_completions(tmp_path / "runs" / first, [a_completion(1, query_id, TEXT)])
    second, inside = an_attempt(database, first, nodes=("a", "b"))
    folder = a_run_folder(tmp_path / inside, 3)
    write_completions(folder, [a_completion(2, query_id, TEXT, ExpertValidationReward=0.9)])
    member = folder / "members" / "1-b"
    member.mkdir(parents=True)
    bad = a_completion(2, query_id, f"{TEXT} b", ExpertValidationReward=0.1)
    write_completions(member, [bad])
    write_advantages(folder, 2, {TEXT: 1.25, f"{TEXT} b": -0.75})
    return Site(settings, database, who, chain_id, first, second, query_id, member)


def test_every_attempt_and_every_node_is_in_the_list(site: Site) -> None:
    listed = site.list(by="ExpertValidationReward")
    assert (listed.found, listed.written, listed.attempts, listed.nodes) == (3, 3, 2, 3)
    assert [(row.attempt, row.node, row.advantage, row.place) for row in listed.rows] == [
        (2, "b", -0.75, Place(site.second, 0, 1)),
        (1, "", None, Place(site.first, 0)),
        (2, "a", 1.25, Place(site.second, 0)),
    ]
    assert listed.rows[0].rollout.total == pytest.approx(0.7 * 0.5 + 0.3 * 0.1, abs=1e-6)
    assert listed.out_of_reach == ()


def test_a_node_whose_folder_is_not_here_is_named(site: Site) -> None:
    shutil.rmtree(site.members)
    listed = site.list()
    assert (listed.written, listed.out_of_reach) == (2, ((2, "b"),))
    with pytest.raises(NotFound):
        get_rollout(site.database, site.settings, site.who, Place(site.second, 0, 1))


def test_a_completion_of_another_node_goes_to_people_with_where_it_came_from(site: Site) -> None:
    place = Place(site.second, 0, 1)
    found = get_rollout(site.database, site.settings, site.who, place)
    assert (found.attempt, found.node, found.advantage) == (2, "b", -0.75)
    for each in (place, place, Place(site.second, 0)):  # asked twice about one, once about another
        ask_for_another_look(site.database, site.settings, site.who, each, reason="专家选错了")
    (thread,) = commenting.list_of_query(site.database, site.who, site.query_id).values()
    links = [comment.text.rpartition("rollout=")[2].split()[0] for comment in thread]
    assert len(links) == 2
    assert links[0].startswith(f"{site.second}:1:0")
    assert links[1].startswith(f"{site.second}:0")


def test_the_page_says_attempt_node_and_advantage(site: Site) -> None:
    durable: Any = None  # nothing is started here
    handlers = RolloutHandlers(Services(site.settings, site.database, durable), Words("en"))
    asked = request_of(site.who)
    fields = ("ExpertValidationReward", False, "total", *[""] * 6)
    listed = str(handlers.on_filter(asked, site.chain_id, *fields).rows)
    for said in ("Attempt", "Node", "Advantage", "-0.750", "+1.250"):
        assert said in listed
    picked = gr.EventData(None, {"id": f"{site.second}:1:0"})
    detail = str(handlers.on_pick(picked, asked).detail)
    assert "-0.750" in detail
    shutil.rmtree(site.members)
    assert "node b (attempt 2) cannot be read" in str(
        handlers.on_filter(asked, site.chain_id, *fields).rows
    )
