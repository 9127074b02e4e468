"""How many rows of each source go in, and into which pool and part."""

from itertools import pairwise

from db.engine import Database
from exports.preview import preview_recipe
from schemas.settings import Settings
from tests.exporting import (
    ACCEPTED,
    SUGGESTED,
    a_full_project,
    a_pinned_query,
    a_plan,
    a_recipe,
    a_suggestion,
    a_trace,
    an_accepted_query,
    rows_of,
    written,
)
from tests.factories import EXPERTS, a_project


def test_short_traces_are_chosen_within_each_plan_size(
    database: Database, settings: Settings
) -> None:
    who = a_project(database)
    for number in range(20):
        size = 1 + number % 2
        query_id = a_pinned_query(database, who, f"问题{number}")
        plan = a_plan(f"问题{number}", *EXPERTS[:size])
        a_suggestion(database, who, query_id, plan, a_trace(60 + number + 300 * (size - 1)))
    preview = preview_recipe(database, who, a_recipe(**SUGGESTED, shortest_traces=0.5))
    (pool,) = preview.pools
    assert pool.before.by_size == {1: 10, 2: 10}
    assert pool.spread.by_size == {1: 5, 2: 5}
    assert pool.before.mean_trace_length is not None
    assert pool.spread.mean_trace_length is not None
    assert pool.spread.mean_trace_length < pool.before.mean_trace_length
    assert pool.sources[0].exclusions == {"long_trace": 10}


def test_shares_are_kept_by_the_scarcer_source(database: Database, settings: Settings) -> None:
    who = a_project(database)
    a_full_project(database, who, accepted=20)
    shares = [{"kind": "accepted", "share": 0.75}, {"kind": "history", "share": 0.25}]
    recipe = a_recipe(formats=["grpo"], grpo={"sources": shares})
    (pool,) = preview_recipe(database, who, recipe).pools
    assert [(each.kind, each.taken, each.share) for each in pool.sources] == [
        ("accepted", 20, 0.7692),
        ("history", 6, 0.2308),
    ]
    smaller = a_recipe(formats=["grpo"], grpo={"sources": shares, "size": 8})
    (pool,) = preview_recipe(database, who, smaller).pools
    assert [each.taken for each in pool.sources] == [6, 2]
    counted = a_recipe(formats=["grpo"], grpo={"sources": [{"kind": "accepted", "count": 3}]})
    (pool,) = preview_recipe(database, who, counted).pools
    assert (pool.train, pool.sources[0].exclusions) == (3, {"over_share": 17})


def test_no_cluster_is_in_both_pools(database: Database, settings: Settings) -> None:
    who = a_project(database)
    a_full_project(database, who, accepted=30)
    for number in range(30):
        an_accepted_query(database, who, f"第{number}周的流量，怎么样？")
    _, folder = written(database, settings, who, a_recipe(pools="apart"))
    asked = [
        {row["messages"][1]["content"].replace("，", "").replace("？", "") for row in rows}
        for rows in (rows_of(folder, "sft.jsonl"), rows_of(folder, "grpo.jsonl"))
    ]
    assert asked[0] and asked[1]
    assert not asked[0] & asked[1]
    shared = preview_recipe(database, who, a_recipe())
    assert all("other_pool" not in each.exclusions for p in shared.pools for each in p.sources)


def test_growth_moves_no_row_across_the_split(database: Database, settings: Settings) -> None:
    who = a_project(database)
    a_full_project(database, who, accepted=30)
    recipe = a_recipe(**ACCEPTED, val_share=0.3)
    parts: list[dict[str, str]] = []
    for _ in range(2):
        _, folder = written(database, settings, who, recipe)
        parts.append(
            {
                row["plan_id"]: file
                for file in ("grpo.jsonl", "grpo_val.jsonl")
                for row in rows_of(folder, file)
            }
        )
        for number in range(10):
            an_accepted_query(database, who, f"新来的问题{number}")
    before, after = parts
    assert set(before.values()) == {"grpo.jsonl", "grpo_val.jsonl"}
    assert len(after) == len(before) + 10
    assert {query: after[query] for query in before} == before


def test_near_duplicates_that_come_later_move_no_older_row(
    sqlite_database: Database, settings: Settings
) -> None:
    """Neither over a split nor into another pool, though they are like rows on either side."""
    database, who = sqlite_database, a_project(sqlite_database)
    a_full_project(database, who, accepted=30)
    recipe = a_recipe(pools="apart", val_share=0.3)
    places: list[dict[str, str]] = []
    for clothes in ("请问{}", "{}呢", "{}！", "{}？ "):
        _, folder = written(database, settings, who, recipe)
        places.append(
            {
                row["messages"][1]["content"]: path.name
                for path in folder.glob("*.jsonl")
                for row in rows_of(folder, path.name)
            }
        )
        for number in range(30):
            an_accepted_query(database, who, clothes.format(f"第{number}周的流量怎么样"))
    assert len(set(places[0].values())) == 4
    assert len(places[-1]) > len(places[0]) + 60
    for earlier, later in pairwise(places):
        assert {text: later[text] for text in earlier} == earlier
