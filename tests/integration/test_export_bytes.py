"""The bytes of a bundle depend on its rows and its recipe alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from db.engine import Database
from db.tables import Bundle
from exports.bundle import bundle_zip, rebuild
from schemas.errors import InvalidInput
from schemas.people import Actor
from schemas.settings import Settings
from tests.exporting import (
    a_full_project,
    a_pinned_query,
    a_plan,
    a_recipe,
    a_suggestion,
    an_acceptance,
    an_accepted_query,
    bytes_of,
    written,
)
from tests.factories import EXPERTS, a_project


def test_the_same_recipe_gives_the_same_bytes(database: Database, settings: Settings) -> None:
    who = a_project(database)
    a_full_project(database, who)
    recipe = a_recipe(
        formats=["sft", "grpo", "dpo", "kto"], val_share=0.2, shortest_traces=0.5, pools="apart"
    )
    other = a_plan("别的问法", EXPERTS[3])
    for query_id in [an_accepted_query(database, who, f"退款{n}") for n in range(8)]:
        a_suggestion(database, who, query_id, other, candidate=2)
    one, first = written(database, settings, who, recipe)
    two, second = written(database, settings, who, recipe)
    assert one != two
    assert bytes_of(first) == bytes_of(second)
    zips = [bundle_zip_of(database, settings, who, each).read_bytes() for each in (one, two)]
    assert zips[0] == zips[1]


def bundle_zip_of(database: Database, settings: Settings, who: Actor, bundle_id: str) -> Path:
    with database.transaction() as session:
        session.get_one(Bundle, bundle_id).state = "ready"
    return bundle_zip(database, settings, who, bundle_id)


def test_no_file_holds_a_clock_path_or_host(
    sqlite_database: Database, settings: Settings, tmp_path: Path
) -> None:
    who = a_project(sqlite_database)
    a_full_project(sqlite_database, who)
    model = {"model": str(tmp_path / "model")}
    _, folder = written(sqlite_database, settings, who, a_recipe(verification=model))
    content = b"".join(bytes_of(folder).values())
    assert str(tmp_path).encode() not in content
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert not {"created_at", "host", "bundle_id"} & manifest.keys()


def test_a_rebuild_gives_identical_bytes(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    who = a_project(database)
    a_full_project(database, who)
    _, folder = written(database, settings, who, a_recipe(val_share=0.2, shortest_traces=0.5))
    an_accepted_query(database, who, "后来的问题")
    again = tmp_path / "again"
    rebuilt = rebuild(database, who, folder / "manifest.json", again)
    assert (rebuilt.differing, rebuilt.code_changed) == ((), False)
    assert bytes_of(again) == bytes_of(folder)


REVIEWED = [{"kind": "accepted"}, {"kind": "history"}]


@pytest.mark.parametrize(
    "changes",
    [
        {"pools": "apart"},
        {"pools": "apart", "grpo": {"sources": [{"kind": "accepted", "count": 3}]}},
        {
            "pools": "apart",
            "grpo": {"sources": [{**each, "share": 0.5} for each in REVIEWED], "size": 4},
        },
        {"pools": "apart", "stale_traces": "keep", "shortest_traces": 0.5, "val_share": 0.3},
        {"pools": "shared", "formats": ["grpo", "dpo", "kto"]},
        {"pools": "apart", "with_thinking": False, "history_answers": "verbatim"},
    ],
)
def test_lines_made_while_choosing_are_those_rendered_by_their_ids(
    sqlite_database: Database, settings: Settings, tmp_path: Path, changes: dict[str, Any]
) -> None:
    database, who = sqlite_database, a_project(sqlite_database)
    a_full_project(database, who, accepted=20)
    for number in range(20):
        query_id = an_accepted_query(database, who, f"第{number}周的流量，怎么样？")
        a_suggestion(database, who, query_id, a_plan("别的问法", EXPERTS[3]), candidate=2)
        stale = a_pinned_query(database, who, f"改了专家{number}")
        own = a_suggestion(database, who, stale, a_plan("改", EXPERTS[1]))
        an_acceptance(database, who, stale, a_plan("改", EXPERTS[2]), own)
    _, folder = written(database, settings, who, a_recipe(**changes))
    rebuilt = rebuild(database, who, folder / "manifest.json", tmp_path / "again")
    assert rebuilt.differing == ()
    assert bytes_of(tmp_path / "again") == bytes_of(folder)


def test_a_rebuild_tells_rows_that_are_not_here(
    sqlite_database: Database, settings: Settings, tmp_path: Path
) -> None:
    who = a_project(sqlite_database)
    a_full_project(sqlite_database, who)
    _, folder = written(sqlite_database, settings, who, a_recipe())
    stranger = a_project(sqlite_database, "elsewhere")
    with pytest.raises(InvalidInput, match="not here as they were") as refused:
        rebuild(sqlite_database, stranger, folder, tmp_path / "again")
    rows = json.loads((folder / "manifest.json").read_bytes())["rows"]
    assert refused.value.values["count"] == len(refused.value.problems)
    assert {each.path for each in refused.value.problems} == {
        origin[1] for origins in rows.values() for origin in origins
    }
    assert not list(tmp_path.glob("*again*"))
    changed = json.loads((folder / "manifest.json").read_bytes())
    changed["rows"]["grpo.jsonl"][0][5] = "0" * 16
    (tmp_path / "manifest.json").write_text(json.dumps(changed), "utf-8")
    with pytest.raises(InvalidInput) as refused:
        rebuild(sqlite_database, who, tmp_path / "manifest.json", tmp_path / "again")
    assert refused.value.problem_lines("en") == [
        f"{changed['rows']['grpo.jsonl'][0][1]}: "
        "it does not have the content that the manifest was made from"
    ]
    assert not list(tmp_path.glob("*again*"))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "planwright-bundle@1"}'])
def test_what_is_no_manifest_is_told_so(
    sqlite_database: Database, tmp_path: Path, content: str
) -> None:
    who = a_project(sqlite_database)
    path = tmp_path / "manifest.json"
    path.write_text(content)
    with pytest.raises(InvalidInput, match="not a manifest"):
        rebuild(sqlite_database, who, path, tmp_path / "again")
    with pytest.raises(InvalidInput, match="not a manifest"):
        rebuild(sqlite_database, who, tmp_path / "nowhere", tmp_path / "again")
