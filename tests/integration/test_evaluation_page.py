"""The Evaluation page over HTTP: what its events answer, and what it sends as files."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from db.engine import Database, sqlite_url
from labeling import accounts
from labeling.ui.comparison import ComparisonHandlers
from labeling.ui.evaluation import EvaluationHandlers
from labeling.ui.i18n import Words
from labeling.ui.session import Services, request_of
from schemas.people import Actor
from schemas.settings import Settings
from tests.doors import PASSWORD, add_team, opened_door
from tests.evaluating import made_up
from tests.factories import a_label_query, a_project

QUESTIONS = 60


class Site(NamedTuple):
    """Two evaluated planners, and the admin of their project."""

    database: Database
    who: Actor
    pair: list[str]

    @property
    def services(self) -> Services:
        return Services(Settings(), self.database, None)  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Site]:
    path = tmp_path_factory.mktemp("site") / "planwright.db"
    shutil.copy(migrated_sqlite, path)
    database = Database(sqlite_url(path), is_synced=False)
    who = a_project(database, "shop")
    yield Site(database, who, made_up(database, who, QUESTIONS))
    database.close()


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


def test_regressions_are_narrowed_by_expert_and_by_kind(site: Site) -> None:
    handlers, request = ComparisonHandlers(site.services, Words("en")), request_of(site.who)
    mended = handlers.on_kind(*site.pair, "mended", request)
    assert mended.expert.choices[0] == ("all experts", "")
    name = mended.expert.choices[1][1]
    narrowed = told(handlers.on_expert(*site.pair, "mended", name, request).changes)
    whole = told(mended.changes)
    assert 0 < narrowed.count("pw-changed") <= whole.count("pw-changed")
    assert whole != narrowed
    assert name in narrowed


def test_a_project_without_evaluations_says_so(site: Site) -> None:
    empty = a_project(site.database, "empty")
    found = ComparisonHandlers(site.services, Words("en")).on_load(request_of(empty))
    assert "Pick two finished evaluations" in told(found.comparison)


def test_a_wrong_answer_brings_queries_forward_in_one_click(site: Site) -> None:
    a_label_query(site.database, site.who, "店铺上周的流量怎么样，有什么办法")
    handlers = ComparisonHandlers(site.services, Words("en"))
    question = told(handlers.on_load(request_of(site.who)).changes).partition('"pick": "')[2]
    event = type("Event", (), {"_data": {"id": question.partition('"')[0]}})()
    found = handlers.on_send(site.pair[1], event, request_of(site.who))
    assert "店铺上周的流量怎么样，有什么办法" in told(found.sent)
    assert "benchmarks are never labelled for training" in told(found.sent)


def test_a_comparison_is_downloaded_by_admins_of_its_project(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    with opened_door(tmp_path / "home", migrated_sqlite) as door:
        add_team(door)
        who = a_project(door.database, "shop")
        before, after = made_up(door.database, who, 12)
        accounts.add_person(door.database, who, "Wang", PASSWORD, "admin")
        door.tokens["lead"] = accounts.sign_in(door.database, "Wang", PASSWORD, "1.1.1.1")
        path = f"/download/comparison/{before}/{after}"
        for form, said in (("md", "qwq-32b-grpo"), ("csv", "question_id")):
            answer = door.be("lead").get(f"{path}.{form}")
            assert answer.status_code == 200
            named = answer.headers["content-disposition"]
            assert named == f'attachment; filename="comparison.{form}"'
            assert said in answer.text
        assert door.be("admin").get(f"{path}.md").status_code == 404
        assert door.be("annotator").get(f"{path}.md").status_code == 403
        assert door.be("lead").get(f"{path}.exe").status_code == 404
