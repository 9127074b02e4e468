"""A full disk, hostile text, two at once: one clear sentence, nothing half written."""

import json
import os
import resource
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from db.engine import Database
from db.tables import ListVersion, Project
from exports.bundle import begin_bundle, bundle_folder, bundle_zip, get_bundle, write_rows
from exports.folder import copy_folder, new_folder, require_writable
from schemas.errors import ExportRefused, InvalidInput, PlanwrightError, TransitionRefused
from schemas.experts import Expert, ExpertList
from schemas.people import Actor
from schemas.scoring.answer import has_strict_form
from schemas.settings import Settings
from tests.exporting import (
    ACCEPTED,
    SUGGESTED,
    a_full_project,
    a_historical_chat,
    a_pinned_query,
    a_plan,
    a_recipe,
    a_suggestion,
    a_zh_answer,
    an_acceptance,
    an_accepted_query,
    bytes_of,
    exclusions,
    rows_of,
    written,
)
from tests.factories import EXPERTS, a_project

LIMIT = 4 << 20


@contextmanager
def a_full_disk(folder: Path, kind: str) -> Iterator[None]:
    """Room for no more than `LIMIT` in a folder, refused by the kernel.

    A file system of that size where this process may mount one, else a limit on file sizes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mount = ("mount", "-t", "tmpfs", "-o", f"size={LIMIT}", "tmpfs", str(folder))
    if kind == "small file system" and _succeeds(*mount):
        try:
            yield
        finally:
            subprocess.run(("umount", "-l", str(folder)), check=True)
        return
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _succeeds(*command: str) -> bool:
    if os.geteuid() != 0:
        return False
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def a_wordy_project(database: Database) -> Actor:
    """A project of few small rows that become a file of more than `LIMIT`: its prompt is long."""
    who = a_project(database)
    wordy = ExpertList(
        name="merchant",
        version=1,
        experts=tuple(Expert(name=each, description="说明" * 8000) for each in EXPERTS),
    )
    with database.transaction() as session:
        settings = session.get_one(Project, who.project_id).settings
        version = session.get_one(ListVersion, settings["current_list_version_id"])
        version.content = wordy.model_dump(mode="json")
    a_full_project(database, who, accepted=24)
    return who


@pytest.mark.parametrize("kind", ["small file system", "file size limit"])
def test_a_full_disk_is_one_sentence_and_leaves_earlier_bundles_alone(
    sqlite_database: Database, settings: Settings, kind: str
) -> None:
    database, who = sqlite_database, a_wordy_project(sqlite_database)
    one = a_recipe(formats=["grpo"], grpo={"sources": [{"kind": "accepted", "count": 1}]})
    with a_full_disk(settings.home / "bundles", kind):
        _, earlier = written(database, settings, who, one)
        before = bytes_of(earlier)
        bundle_id = begin_bundle(database, who, a_recipe())
        with pytest.raises(ExportRefused) as refused:
            write_rows(database, settings, who, bundle_id)
        assert refused.value.code == "export.disk_full"
        assert "The disk is full" in refused.value.sentence("en")
        assert "磁盘已满" in refused.value.sentence("zh")
        assert [path.name for path in earlier.parent.iterdir()] == [earlier.name]
        assert bytes_of(earlier) == before
        bundle = get_bundle(database, who, bundle_id)
        assert bundle.state == "refused"
        assert bundle.refusal is not None
        assert bundle.refusal["code"] == "export.disk_full"
        with pytest.raises(TransitionRefused, match="refused"):
            bundle_zip(database, settings, who, bundle_id)


def test_a_copy_to_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "sft.jsonl").write_bytes(b"x" * (2 * LIMIT))
    with (
        a_full_disk(tmp_path / "small", "small file system"),
        pytest.raises(ExportRefused, match="The disk is full"),
    ):
        copy_folder(source, tmp_path / "small" / "out")
    assert list((tmp_path / "small").iterdir()) == []


def test_a_taken_folder_is_not_written_into(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with (
        pytest.raises(ExportRefused, match="already holds something"),
        new_folder(tmp_path / "out"),
    ):
        pass
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "mine.txt"]


def test_a_folder_that_cannot_be_written_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportRefused, match="cannot be written"):
        require_writable(tmp_path / "file" / "bundles")


def test_a_failure_in_the_middle_leaves_no_folder(tmp_path: Path) -> None:
    class Broken(Exception):
        pass

    def lines() -> Iterator[bytes]:
        yield b"one\n"
        raise Broken

    with pytest.raises(Broken), new_folder(tmp_path / "out") as writer:
        writer.write("sft.jsonl", lines())
    assert list(tmp_path.iterdir()) == []


def test_hostile_text_stays_text(database: Database, settings: Settings) -> None:
    who = a_project(database)
    question = "</answer><script>alert(1)</script>\n</think> ${x} {{y}} \u2028"
    query_id = a_pinned_query(database, who, question)
    plan = a_plan(question)
    own = a_suggestion(database, who, query_id, plan, "想 </think><answer>{}</answer> 完")
    an_acceptance(database, who, query_id, plan, own)
    recipe = a_recipe(
        sft={"sources": [{"kind": "accepted"}]}, grpo={"sources": [{"kind": "accepted"}]}
    )
    _, folder = written(database, settings, who, recipe)
    (sft,), (grpo,) = rows_of(folder, "sft.jsonl"), rows_of(folder, "grpo.jsonl")
    assert has_strict_form(sft["messages"][-1]["content"], with_thinking=True)
    assert sft["messages"][1]["content"] == question
    answer = json.loads(grpo["solution"])
    assert answer["补全后的问题"] == question
    assert "<" not in grpo["solution"]
    assert "<script>" not in (folder / "CARD.md").read_text("utf-8")


def test_a_trace_of_200000_characters_is_one_row(
    sqlite_database: Database, settings: Settings
) -> None:
    who = a_project(sqlite_database)
    an_accepted_query(sqlite_database, who, "很长", trace="思" * 200_000)
    recipe = a_recipe(formats=["sft"], sft={"sources": [{"kind": "accepted"}]})
    _, folder = written(sqlite_database, settings, who, recipe)
    (row,) = rows_of(folder, "sft.jsonl")
    assert len(row["messages"][-1]["content"]) > 200_000


def test_broken_history_is_counted_and_left_out(database: Database, settings: Settings) -> None:
    who = a_project(database)
    good = a_zh_answer("好的", trace="想过了")
    a_historical_chat(database, who, "好的", good)
    a_historical_chat(database, who, "不是 JSON", "随便说说")
    a_historical_chat(database, who, "键重复", '<answer>{"plan": [], "plan": []}</answer>')
    a_historical_chat(database, who, "没有改写", '<answer>{"plan": []}</answer>')
    a_historical_chat(database, who, "陌生专家", a_zh_answer("查", "没有的专家", "想"))
    history = a_recipe(formats=["sft"], sft={"sources": [{"kind": "history"}]})
    _, folder = written(database, settings, who, history)
    assert len(rows_of(folder, "sft.jsonl")) == 1
    assert exclusions(database, who, history, "sft") == {
        "breaks_list": 1,
        "incomplete": 1,
        "unreadable": 2,
    }


def test_two_exports_at_once_do_not_meet(database: Database, settings: Settings) -> None:
    who = a_project(database)
    a_full_project(database, who)
    ids = [begin_bundle(database, who, a_recipe(**each)) for each in (ACCEPTED, SUGGESTED)]
    failures: list[Exception] = []

    def write(bundle_id: str) -> None:
        try:
            write_rows(database, settings, who, bundle_id)
        except PlanwrightError as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(each,)) for each in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    views = [get_bundle(database, who, each) for each in ids]
    assert [view.state for view in views] == ["verifying", "verifying"]
    alone = [
        written(database, settings, who, a_recipe(**each))[1] for each in (ACCEPTED, SUGGESTED)
    ]
    assert [bytes_of(bundle_folder(settings, view)) for view in views] == [
        bytes_of(each) for each in alone
    ]


def test_an_interrupted_export_begins_again(sqlite_database: Database, settings: Settings) -> None:
    database, who = sqlite_database, a_project(sqlite_database)
    a_full_project(database, who)
    _, folder = written(database, settings, who, a_recipe())
    bundle_id = begin_bundle(database, who, a_recipe())
    target = settings.home / "bundles" / bundle_id
    for path in (target, target.with_name(f".{target.name}.writing-x")):
        path.mkdir(parents=True)
        (path / "sft.jsonl").write_text("half")
    write_rows(database, settings, who, bundle_id)
    assert bytes_of(target) == bytes_of(folder)
    assert not list(target.parent.glob(".*"))
    write_rows(database, settings, who, bundle_id)
    assert get_bundle(database, who, bundle_id).state == "verifying"


def test_a_selection_of_nothing_is_the_bundle_s_refusal(
    sqlite_database: Database, settings: Settings
) -> None:
    who = a_project(sqlite_database)
    bundle_id = begin_bundle(sqlite_database, who, a_recipe(**ACCEPTED))
    with pytest.raises(InvalidInput):
        write_rows(sqlite_database, settings, who, bundle_id)
    refusal = get_bundle(sqlite_database, who, bundle_id).refusal
    assert refusal == {
        "code": "export.nothing_selected",
        "values": {"file": "grpo.jsonl"},
        "problems": [{"path": "grpo · accepted", "code": "export.no_candidates", "values": {}}],
    }
