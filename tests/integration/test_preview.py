"""A preview counts from facts what an export would choose from the rows themselves."""

import random
from typing import Any

import pytest

from db.access import facts
from db.engine import Database
from db.tables import Project
from exports.choose import choose
from exports.facts import load_judge
from exports.preview import preview_recipe
from schemas.bundle import PoolFigures
from schemas.people import Actor
from schemas.project import ProjectSettings
from schemas.recipe import BundleRecipe
from tests.exporting import (
    a_full_project,
    a_historical_chat,
    a_pinned_query,
    a_plan,
    a_recipe,
    a_rederived_trace,
    a_suggestion,
    a_trace,
    a_zh_answer,
    an_acceptance,
)
from tests.factories import EXPERTS, a_project

SFT = {"sources": [{"kind": kind} for kind in ("suggestions", "accepted", "history")]}
GRPO = {"sources": [{"kind": "accepted"}, {"kind": "history"}]}
RECIPES: dict[str, dict[str, Any]] = {
    "everything": {},
    "apart": {"sft": SFT, "grpo": GRPO, "pools": "apart"},
    "validated": {"val_share": 0.3, "pools": "apart"},
    "short": {"sft": SFT, "shortest_traces": 0.4, "shift_alarm": 0.05},
    "quota": {"sft": SFT, "shortest_traces": 0.3, "expert_quota": 6},
    "mixed": {"sft": SFT, "plain_share": 0.4, "shortest_traces": 0.5},
    "plain": {"with_thinking": False},
    "stale kept": {"stale_traces": "keep"},
    "rederived": {"stale_traces": "rederived"},
    "rederived, short": {"sft": SFT, "stale_traces": "rederived", "shortest_traces": 0.5},
    "shares": {
        "pools": "apart",
        "val_share": 0.2,
        "sft": {
            "sources": [{"kind": "suggestions", "share": 0.7}, {"kind": "history", "share": 0.3}]
        },
    },
    "counted": {"sft": {"sources": [{"kind": "suggestions", "count": 7}, {"kind": "accepted"}]}},
    "best": {"sft": SFT, "prefer": "reward"},
    "best, short": {"sft": SFT, "prefer": "reward", "plain_share": 0.4, "shortest_traces": 0.5},
    "best of one model": {
        "prefer": "reward",
        "sft": {"sources": [{"kind": "suggestions", "models": ["deepseek-r1"]}]},
    },
    "labels": {"grpo": {"sources": [{"kind": "accepted", "labels": ["accepted"]}]}},
    "models": {"sft": {"sources": [{"kind": "suggestions", "models": ["deepseek-r1"]}]}},
    "lists": {"grpo": {"sources": [{"kind": "accepted", "lists": ["merchant@1"]}]}},
    "days": {"grpo": {"sources": [{"kind": "accepted", "until": "2026-11-01"}]}},
    "another seed": {"seed": 7, "pools": "apart", "shortest_traces": 0.5, "val_share": 0.1},
}


def _a_varied_project(database: Database, who: Actor, seed: int = 1) -> None:
    """Accepted, corrected, rescued, unread, repaired and broken rows, some of them alike."""
    chance = random.Random(seed)
    a_full_project(database, who)
    for number in range(60):
        subject, end = chance.choice(["流量", "转化", "退款"]), "？" * (number % 2)
        text = f"第{chance.randrange(40)}家店的{subject}怎么样{end}"
        query_id = a_pinned_query(database, who, text)
        plans = [a_plan(text, *chance.sample(EXPERTS, chance.randint(1, 3))) for _ in range(3)]
        ids = [
            a_suggestion(
                database,
                who,
                query_id,
                plan if chance.random() < 0.9 else None,
                a_trace(chance.randint(0, 220)),
                candidate=place,
                model=chance.choice(["deepseek-r1", "other"]),
                is_repaired=chance.random() < 0.1,
            )
            for place, plan in enumerate(plans, start=1)
        ]
        if chance.random() < 0.6:
            plan = chance.choice([*plans, a_plan(text, chance.choice(EXPERTS))])
            revision_id = an_acceptance(database, who, query_id, plan, chance.choice([*ids, None]))
            if chance.random() < 0.5:
                a_rederived_trace(database, who, query_id, revision_id)
    for number in range(6):
        answer = a_zh_answer(f"旧{number}", "没有的专家" if number % 2 else EXPERTS[0], a_trace(90))
        a_historical_chat(database, who, f"旧问题{number}", answer)


def _chosen(database: Database, who: Actor, recipe: BundleRecipe) -> tuple[PoolFigures, ...]:
    with database.reading() as session:
        judge = load_judge(session, who.project_id, recipe)
        selection = choose(session, who.project_id, recipe, judge)
    return tuple(pool.figures for pool in selection.pools.values())


def _resolved(database: Database, who: Actor, **changes: Any) -> BundleRecipe:
    with database.reading() as session:
        project = session.get_one(Project, who.project_id)
        return a_recipe(**changes).resolved(ProjectSettings.model_validate(project.settings))


def test_every_figure_is_the_one_that_an_export_finds(database: Database) -> None:
    who = a_project(database)
    _a_varied_project(database, who)
    for name, changes in RECIPES.items():
        recipe = _resolved(database, who, **changes)
        preview = preview_recipe(database, who, recipe)
        assert preview.pools == _chosen(database, who, recipe), name
        assert preview.waiting == 0


@pytest.mark.parametrize("seed", range(4))
def test_the_figures_agree_whatever_the_rows(sqlite_database: Database, seed: int) -> None:
    who = a_project(sqlite_database)
    _a_varied_project(sqlite_database, who, seed)
    for name in ("apart", "mixed", "quota", "shares", "best"):
        recipe = _resolved(sqlite_database, who, seed=seed, **RECIPES[name])
        assert preview_recipe(sqlite_database, who, recipe).pools == _chosen(
            sqlite_database, who, recipe
        ), name


def test_a_query_that_changed_often_is_looked_at_once(database: Database) -> None:
    who = a_project(database)
    _a_varied_project(database, who)
    with database.transaction() as session:
        queries = session.connection().exec_driver_sql("SELECT count(*) FROM query").scalar_one()
        assert facts.count_changes(session, who.project_id) > queries
        taken = facts.take_changes(session, who.project_id, 10_000)
        assert len(taken.query_ids) == len(set(taken.query_ids)) == queries
        assert facts.count_changes(session, who.project_id) == 0
