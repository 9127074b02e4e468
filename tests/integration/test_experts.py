"""Publishing expert lists: immutable versions known by their content."""

import json
import threading
from typing import Any

import pytest

from db.engine import Database
from labeling.experts import compare, get_list, list_versions, publish, publish_file
from labeling.projects import get_settings
from schemas.errors import InvalidInput, NotAllowed, NotFound
from tests.factories import a_person, a_project


def a_list(*names: str, name: str = "desk") -> dict[str, Any]:
    return {"name": name, "experts": [{"name": each, "description": each} for each in names]}


def test_the_same_content_is_published_once(database: Database) -> None:
    who = a_project(database)
    first = publish(database, who, a_list("a"))
    again = publish(database, who, json.dumps(a_list("a"), indent=2).encode())
    assert (first.is_new, again.is_new) == (True, False)
    assert first.version_id == again.version_id


def test_other_content_is_the_next_version_and_changes_no_older_one(database: Database) -> None:
    who = a_project(database)
    publish(database, who, a_list("a"))
    second = publish(database, who, a_list("a", "b"), note="b joins")
    assert second.list.reference == "desk@2"
    assert get_list(database, who, "desk@1")[1].names == {"a"}
    assert get_list(database, who, "desk") == (second.version_id, second.list)
    assert get_settings(database, who).current_list_version_id == second.version_id
    newest = next(each for each in list_versions(database, who) if each.is_current)
    assert (newest.reference, newest.note, newest.published_by) == ("desk@2", "b joins", who.name)


@pytest.mark.parametrize("reference", ["other", "desk@2", "desk@0", "desk@x", "@1", "", "a@1@2"])
def test_a_list_that_was_never_published_is_not_found(database: Database, reference: str) -> None:
    who = a_project(database)
    publish(database, who, a_list("a"))
    with pytest.raises(NotFound, match="no expert list"):
        get_list(database, who, reference)


def test_a_list_belongs_to_its_project(database: Database) -> None:
    who, stranger = a_project(database), a_project(database, "other")
    publish(database, who, a_list("a"))
    with pytest.raises(NotFound):
        get_list(database, stranger, "desk")


def test_only_an_admin_publishes(database: Database) -> None:
    who = a_project(database)
    annotator = a_person(database, who.project_id, "annotator")
    with pytest.raises(NotAllowed):
        publish(database, annotator, a_list("a"))


def test_a_file_of_many_lists_is_published_whole_or_not_at_all(database: Database) -> None:
    who = a_project(database)
    lines = [json.dumps(a_list("a", name=name)) for name in ("one", "two")]
    with pytest.raises(InvalidInput):
        publish_file(database, who, "\n".join([*lines, json.dumps(a_list())]).encode())
    assert [each.name for each in list_versions(database, who)] == ["merchant"]
    current = get_settings(database, who).current_list_version_id
    published = publish_file(database, who, "\n".join(lines).encode())
    assert [each.list.reference for each in published] == ["one@1", "two@1"]
    assert get_settings(database, who).current_list_version_id == current


def test_publishing_at_once_numbers_versions_without_a_gap(database: Database) -> None:
    who = a_project(database)
    failures: list[Exception] = []

    def work(number: int) -> None:
        try:
            publish(database, who, a_list(f"expert {number}"))
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    found = [each.version for each in list_versions(database, who) if each.name == "desk"]
    assert found == [8, 7, 6, 5, 4, 3, 2, 1]


def test_two_versions_are_compared_by_reference(database: Database) -> None:
    who = a_project(database)
    publish(database, who, a_list("a", "b"))
    publish(database, who, a_list("b", "c"))
    found = compare(database, who, "desk@1", "desk@2")
    assert [each.name for each in (*found.added, *found.retired)] == ["c", "a"]
