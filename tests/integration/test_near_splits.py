"""No row changes its split, and near-duplicates are on one side of it, whatever comes when."""

import json
import shutil
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlmodel import select

from db.access import near_clusters as access
from db.access.near_clusters import ClusterKey
from db.engine import Database
from db.tables import NearCluster, Query
from exports import choose as choosing
from exports.bundle import bundle_folder, create_bundle, get_bundle, rebuild
from exports.choose import choose
from exports.facts import load_judge
from exports.preview import preview_recipe
from labeling.near_clusters import compare_queries
from schemas.clusters import asked_text, cluster_key
from schemas.errors import InvalidInput
from schemas.leaks import NEAR
from schemas.likeness import grams_of
from schemas.people import Actor
from schemas.settings import Settings
from tests.at_once import at_once
from tests.exporting import (
    SUGGESTED,
    a_pinned_query,
    a_plan,
    a_recipe,
    a_suggestion,
    written,
)
from tests.factories import a_project

THINGS = ("退款率", "客单价", "复购率", "物流超时的订单", "直播间的成交额", "会员日的访客")
FORMS = (
    "上个月华东地区的{}是多少",
    "请问上个月华东地区的{}是多少",
    "上个月华东地区的{}是多少呢谢谢",
    "上个月华南地区的{}是多少呢谢谢",
    "看看上个月华南地区的{}是多少呢谢谢啦",
    "为什么{}掉了这么多应该怎么办",
)
QUESTIONS = [form.format(thing) for form in FORMS for thing in THINGS]
SPLIT = SUGGESTED | {"val_share": 0.4}


def a_suggested_query(
    database: Database, who: Actor, text: str, history: list[dict[str, str]] | None = None
) -> str:
    query_id = a_pinned_query(database, who, text, history=history)
    a_suggestion(database, who, query_id, a_plan(text))
    return query_id


def sides(folder: Path) -> dict[str, str]:
    """Which file of a bundle each query is in."""
    rows = json.loads((folder / "manifest.json").read_bytes())["rows"]
    return {origin[1]: file for file, origins in rows.items() for origin in origins}


def likeness(one: str, other: str) -> float:
    left, right = grams_of(one), grams_of(other)
    return 2 * len(left & right) / (len(left) + len(right))


def bridges(database: Database, who: Actor) -> set[str]:
    with database.reading() as session:
        return set(access.list_bridges(session, who.project_id))


@examples(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(QUESTIONS),
    cuts=st.lists(st.integers(1, len(QUESTIONS) - 1), max_size=4),
    seed=st.integers(0, 3),
)
def test_whatever_is_imported_when_no_exported_row_moves_and_no_near_pair_is_split(
    sqlite_database: Database, settings: Settings, order: list[str], cuts: list[int], seed: int
) -> None:
    with sqlite_database.reading() as session:
        count = session.connection().execute(sa.text("SELECT count(*) FROM project")).scalar()
    who = a_project(sqlite_database, f"p{count}")
    recipe = a_recipe(**SPLIT | {"seed": seed})
    texts: dict[str, str] = {}
    before: dict[str, str] = {}
    ends = [*sorted(set(cuts)), len(order)]
    for start, end in zip([0, *ends], ends, strict=False):
        for text in order[start:end]:
            texts[a_suggested_query(sqlite_database, who, text)] = text
        try:
            _, folder = written(sqlite_database, settings, who, recipe)
        except InvalidInput:  # all of what there is so far validates
            continue
        now = sides(folder)
        assert now.keys() == texts.keys()
        assert {query_id: now[query_id] for query_id in before} == before
        between = bridges(sqlite_database, who)
        for one, other in combinations(now, 2):
            if now[one] != now[other] and likeness(texts[one], texts[other]) >= NEAR:
                assert {cluster_key(texts[one]), cluster_key(texts[other])} & between
        before = now


def test_of_questions_that_come_together_none_is_a_bridge(
    database: Database, settings: Settings
) -> None:
    who = a_project(database)
    texts = {a_suggested_query(database, who, text): text for text in QUESTIONS}
    recipe = a_recipe(**SPLIT)
    preview = preview_recipe(database, who, recipe)
    (pool,) = preview.pools
    assert pool.near is not None
    pairs = [pair for pair in combinations(QUESTIONS, 2) if likeness(*pair) >= NEAR]
    rows = len({each for pair in pairs for each in pair})
    assert (pool.near.rows, pool.near.bridges) == (rows, 0)
    assert preview.not_compared == 0
    bundle_id, folder = written(database, settings, who, recipe)
    assert get_bundle(database, who, bundle_id).pools == preview.pools
    now = sides(folder)
    assert set(now.values()) == {"sft.jsonl", "sft_val.jsonl"}
    for one, other in combinations(now, 2):
        if likeness(texts[one], texts[other]) >= NEAR:
            assert now[one] == now[other]
    card = (folder / "CARD.md").read_text("utf-8")
    assert f"{rows} of these rows ask what another asks, or nearly" in card
    assert "also nearly the same" not in card


def test_a_bridge_is_counted_in_preview_bundle_and_card(
    database: Database, settings: Settings
) -> None:
    who = a_project(database)
    for text in (QUESTIONS[0], "上个月华南地区的退款率是多少啊多谢"):
        a_suggested_query(database, who, text)
    assert compare_queries(database, who.project_id) == 2
    assert compare_queries(database, who.project_id) == 0
    a_suggested_query(database, who, "上个月华南地区的退款率是多少")
    for thing in ("物流", "直播", "库存"):
        a_suggested_query(database, who, f"{thing}那边到底出了什么毛病")
    preview = preview_recipe(database, who, a_recipe(**SPLIT))
    (pool,) = preview.pools
    assert pool.near is not None
    assert pool.near.bridges == 1
    _, folder = written(database, settings, who, a_recipe(**SPLIT))
    card = (folder / "CARD.md").read_text("utf-8")
    assert "1 rows are also nearly the same as rows of another group" in card


def test_the_same_question_after_another_dialogue_is_another(database: Database) -> None:
    who = a_project(database)
    turns = [[{"role": "user", "content": thing}] for thing in ("看看周报", "退货规则有哪些变化")]
    for history in turns:
        a_suggested_query(database, who, "那流量呢？", history)
    a_suggested_query(
        database, who, "那流量呢", [*turns[0], {"role": "assistant", "content": "好"}]
    )
    compare_queries(database, who.project_id)
    with database.reading() as session:
        keys = {
            each.cluster: each.key
            for each in session.exec(
                select(NearCluster).where(NearCluster.project_id == who.project_id)
            )
        }
        rows = session.exec(select(Query).where(Query.project_id == who.project_id)).all()
    by_text = {asked_text(row.text, row.history): keys[row.cluster] for row in rows}
    assert len(keys) == 3
    assert len(set(by_text.values())) == len(by_text) == 2


def test_what_was_split_before_there_were_keys_stays_where_it_was(
    database: Database, settings: Settings
) -> None:
    who, recipe = a_project(database), a_recipe(**SPLIT)
    for text in QUESTIONS:
        a_suggested_query(database, who, text)
    # As an older version did it: every cluster by its own hash.
    with database.transaction() as session:
        own = [ClusterKey(key, key, is_bridge=False) for key in map(cluster_key, QUESTIONS)]
        assert access.add_keys(session, who.project_id, known=0, added=own, bridges=())
    _, folder = written(database, settings, who, recipe)
    before = sides(folder)
    with database.transaction() as session:
        session.connection().execute(sa.delete(NearCluster))
    later = a_suggested_query(database, who, f"麻烦{QUESTIONS[0]}")
    _, folder = written(database, settings, who, recipe)
    now = sides(folder)
    assert {query_id: now[query_id] for query_id in before} == before
    assert now.keys() == before.keys() | {later}
    assert len(bridges(database, who)) > 3


def test_a_query_that_was_not_compared_waits_for_the_next_bundle(database: Database) -> None:
    who, recipe = a_project(database), a_recipe(**SPLIT)
    kept = {a_suggested_query(database, who, text) for text in QUESTIONS[:12]}
    compare_queries(database, who.project_id)
    a_suggested_query(database, who, "来得太晚的问题")
    with database.reading() as session:
        judge = load_judge(session, who.project_id, recipe)
        pool = choose(session, who.project_id, recipe, judge).pools["sft"]
    assert {*pool.train.query_ids, *pool.val.query_ids} == kept
    assert [dict(each.exclusions) for each in pool.figures.sources] == [{"not_compared": 1}]


def test_a_query_that_comes_while_an_export_reads_is_in_no_pool_of_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, recipe = a_project(database), a_recipe(**SPLIT)
    kept = {a_suggested_query(database, who, text) for text in QUESTIONS[:12]}
    compare_queries(database, who.project_id)
    filling = choosing.fill

    def late(*given: Any, **more: Any) -> None:
        text = f"{QUESTIONS[0]}呀"  # near to one that is there, and compared at once
        early = "00000000-0000-7000-8000-000000000000"
        a_suggestion(database, who, a_pinned_query(database, who, text, id=early), a_plan(text))
        compare_queries(database, who.project_id)
        filling(*given, **more)

    monkeypatch.setattr(choosing, "fill", late)
    with database.reading() as session:
        judge = load_judge(session, who.project_id, recipe)
        pool = choose(session, who.project_id, recipe, judge).pools["sft"]
    assert {*pool.train.query_ids, *pool.val.query_ids} == kept


def test_a_large_project_is_compared_by_the_export_and_the_preview_says_so(
    database: Database,
) -> None:
    who = a_project(database)
    for text in QUESTIONS[:3]:
        a_suggested_query(database, who, text)
    assert compare_queries(database, who.project_id, most=2) == 0
    with database.reading() as session:
        assert len(access.list_unknown(session, who.project_id)) == 3
    assert compare_queries(database, who.project_id, most=3) == 3


def test_two_that_compare_at_once_agree(database: Database) -> None:
    who = a_project(database)
    for text in QUESTIONS:
        a_suggested_query(database, who, text)
    done = at_once(*[lambda: compare_queries(database, who.project_id)] * 3)
    assert sorted(done) == [0, 0, len(QUESTIONS)]
    with database.transaction() as session:
        late = [ClusterKey("late", "late", is_bridge=False)]
        assert not access.add_keys(session, who.project_id, known=0, added=late, bridges=())
    with database.reading() as session:
        assert access.count_known(session, who.project_id) == len(QUESTIONS)


def test_other_projects_are_not_compared_with(database: Database) -> None:
    who, other = a_project(database), a_project(database, "other")
    for person in (who, other):
        a_suggested_query(database, person, QUESTIONS[0])
    a_suggested_query(database, who, QUESTIONS[6])
    assert compare_queries(database, who.project_id) == 2
    with database.reading() as session:
        assert access.count_known(session, other.project_id) == 0
        joined = access.list_joined(session, who.project_id)
        assert list(joined.values()) == [cluster_key(QUESTIONS[0])]


@pytest.mark.parametrize("has_rule", [True, False])
def test_a_rebuild_follows_the_rule_of_its_manifest(
    database: Database, settings: Settings, tmp_path: Path, has_rule: bool
) -> None:
    who = a_project(database)
    for text in QUESTIONS:
        a_suggested_query(database, who, text)
    bundle_id = create_bundle(
        database, settings, who, a_recipe(**SPLIT | {"verification": {"model": "tiny"}})
    )
    folder = bundle_folder(settings, get_bundle(database, who, bundle_id))
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    assert manifest["split"] == "near@1"
    out = tmp_path / "again"
    if has_rule:
        assert rebuild(database, who, folder / "manifest.json", out).differing == ()
        assert (out / "manifest.json").read_bytes() == (folder / "manifest.json").read_bytes()
        return
    # A manifest of an older version, which knew of no near-duplicates.
    older = tmp_path / "older"
    shutil.copytree(folder, older)
    del manifest["split"]
    for pool in manifest["pools"]:
        del pool["near"]
    (older / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    assert rebuild(database, who, older / "manifest.json", out).differing == ("CARD.md",)
    assert "ask what another asks" not in (out / "CARD.md").read_text("utf-8")
    twice = tmp_path / "twice"
    assert rebuild(database, who, out / "manifest.json", twice).differing == ()
    assert (out / "manifest.json").read_bytes() == (twice / "manifest.json").read_bytes()
