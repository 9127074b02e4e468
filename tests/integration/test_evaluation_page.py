"""The Evaluation page over HTTP: what its events answer, and what it sends as files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from labeling import accounts
from labeling.ui.comparison import ComparisonHandlers
from labeling.ui.evaluation import EvaluationHandlers
from labeling.ui.i18n import Words
from labeling.ui.session import Services, request_of
from schemas.people import Actor
from schemas.settings import Settings
from tests.doors import PASSWORD, Door, add_team, opened_door
from tests.evaluating import made_up
from tests.factories import a_label_query, a_project

QUESTIONS = 60


class Site(NamedTuple):
    """An application with two evaluated planners, and its admin."""

    door: Door
    who: Actor
    pair: list[str]

    @property
    def services(self) -> Services:
        return Services(Settings(), self.door.database, None)  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Site]:
    with opened_door(tmp_path_factory.mktemp("door") / "home", migrated_sqlite) as door:
        add_team(door)
        who = a_project(door.database, "shop")
        pair = made_up(door.database, who, QUESTIONS)
        accounts.add_person(door.database, who, "Wang", PASSWORD, "admin")
        door.tokens["lead"] = accounts.sign_in(door.database, "Wang", PASSWORD, "1.1.1.1")
        yield Site(door, who, pair)


def told(value: Any) -> str:
    """All that a view says, as one text."""
    return json.dumps(value, ensure_ascii=False, default=str)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_opens_on_the_two_newest_planners(site: Site, language: Any) -> None:
    handlers = ComparisonHandlers(site.services, Words(language))
    found = handlers.on_load(request_of(site.who))
    assert (found.before.value, found.after.value) == tuple(site.pair)
    said = told(found.comparison)
    assert "distributions" in said
    assert "bars" in said
    assert f"/download/comparison/{site.pair[0]}/{site.pair[1]}.md" in said
    assert "pw-changed" in told(found.changes)
    assert told(found.confusion).count("pw-matrix") == 2


def test_the_table_has_a_row_for_each_planner_with_its_interval(site: Site) -> None:
    handlers = EvaluationHandlers(site.services, Words("en"))
    said = told(handlers.on_tick(request_of(site.who)).evaluations)
    assert said.count('"interval"') == 2
    assert "Planners on standard@1" in said
    assert "±" in said


def test_a_project_without_evaluations_says_so(site: Site) -> None:
    empty = a_project(site.door.database, "empty")
    found = ComparisonHandlers(site.services, Words("en")).on_load(request_of(empty))
    assert "Pick two finished evaluations" in told(found.comparison)


def test_a_wrong_answer_brings_queries_forward_in_one_click(site: Site) -> None:
    a_label_query(site.door.database, site.who, "店铺上周的流量怎么样，有什么办法")
    handlers = ComparisonHandlers(site.services, Words("en"))
    question = told(handlers.on_load(request_of(site.who)).changes).partition('"pick": "')[2]
    event = type("Event", (), {"_data": {"id": question.partition('"')[0]}})()
    found = handlers.on_send(site.pair[1], event, request_of(site.who))
    assert "店铺上周的流量怎么样，有什么办法" in told(found.sent)
    assert "benchmarks are never labelled for training" in told(found.sent)


@pytest.mark.parametrize("form", ["md", "csv"])
def test_a_comparison_is_downloaded_by_admins_of_its_project(site: Site, form: str) -> None:
    path = f"/download/comparison/{site.pair[0]}/{site.pair[1]}.{form}"
    answer = site.door.be("lead").get(path)
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="comparison.{form}"'
    assert ("qwq-32b-grpo" if form == "md" else "question_id") in answer.text
    assert site.door.be("admin").get(path).status_code == 404
    assert site.door.be("annotator").get(path).status_code == 403
    assert site.door.be("lead").get(path.replace(form, "exe")).status_code == 404
