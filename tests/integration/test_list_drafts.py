"""Drafts of an expert list: several admins at one, nothing lost, published with its changes."""

import threading
from typing import Any

import pytest
from sqlmodel import select

from db.engine import Database
from db.tables import RefusedListDraft
from labeling.experts import get_list, publish
from labeling.list_changes import changes_between
from labeling.list_drafts import (
    drop_draft,
    get_draft,
    list_drafts,
    open_draft,
    publish_draft,
    rebase_draft,
    save_draft,
)
from labeling.projects import get_settings
from schemas.errors import EditConflict, InvalidInput, NotAllowed, NotFound, TransitionRefused
from schemas.list_changes import ListChange
from schemas.list_drafts import ListDraftView, SavedListDraft
from schemas.people import Actor
from tests.factories import EXPERTS, a_person

CROWD = {
    "name": "人群运营专家",
    "description": "圈选老客、会员，发放优惠券",
    "aliases": [],
    "inputs": [],
}
SPLIT = ListChange(kind="split", before=(EXPERTS[2],), after=(EXPERTS[2], "人群运营专家"))
ADD = ListChange(kind="add", after=("人群运营专家",))


@pytest.fixture
def other(database: Database, admin: Actor) -> Actor:
    """A second admin."""
    return a_person(database, admin.project_id, "admin", name="Zhao")


def with_crowd(draft: ListDraftView) -> dict[str, Any]:
    experts: Any = draft.content["experts"]
    return {**draft.content, "experts": [*experts, CROWD]}


def save(
    database: Database, who: Actor, draft: ListDraftView, changes: list[ListChange] | None = None
) -> SavedListDraft:
    content = with_crowd(draft)
    return save_draft(
        database, who, draft.id, number=draft.number, content=content, changes=changes
    )


def test_a_draft_begins_from_the_newest_version_and_all_admins_share_it(
    database: Database, admin: Actor, other: Actor
) -> None:
    draft = open_draft(database, admin, "merchant")
    assert (draft.base, draft.number, draft.problems, draft.proposed) == ("merchant@1", 0, (), ())
    assert open_draft(database, other, "merchant").id == draft.id
    assert [each.name for each in list_drafts(database, other)] == ["merchant"]


def test_a_save_tells_what_is_wrong_and_what_seems_to_have_changed(
    database: Database, admin: Actor
) -> None:
    draft = open_draft(database, admin, "merchant")
    save(database, admin, draft)
    found = get_draft(database, admin, draft.id)
    assert found.proposed[0].after == ("人群运营专家",)
    content = {**found.content, "experts": [CROWD, CROWD]}
    save_draft(database, admin, draft.id, number=1, content=content, changes=None)
    found = get_draft(database, admin, draft.id)
    assert [each.code for each in found.problems] == ["experts.doubled_name"]
    assert found.proposed == ()


def test_a_save_against_an_older_draft_is_refused_with_who_and_kept(
    database: Database, admin: Actor, other: Actor
) -> None:
    draft = open_draft(database, admin, "merchant")
    save(database, other, draft)
    mine: dict[str, Any] = {**draft.content, "tools": [{"name": "mine"}]}
    with pytest.raises(EditConflict) as refused:
        save_draft(database, admin, draft.id, number=0, content=mine, changes=None)
    assert (refused.value.values["who"], refused.value.values["number"]) == ("Zhao", 1)
    assert get_draft(database, admin, draft.id).content == with_crowd(draft)
    with database.reading() as session:
        (kept,) = session.exec(select(RefusedListDraft)).all()
    assert (kept.content["tools"], kept.saved_by, kept.based_on) == (
        [{"name": "mine"}],
        admin.person_id,
        0,
    )


def test_the_same_save_twice_is_one_save(database: Database, admin: Actor) -> None:
    draft = open_draft(database, admin, "merchant")
    assert save(database, admin, draft).number == 1
    assert save(database, admin, draft).number == 1


def test_two_admins_who_save_at_once_are_one_saved_and_one_told(
    database: Database, admin: Actor, other: Actor
) -> None:
    draft = open_draft(database, admin, "merchant")
    told: list[str] = []
    ready = threading.Barrier(2)

    def work(who: Actor) -> None:
        content: dict[str, Any] = {**draft.content, "tools": [{"name": who.name}]}
        ready.wait()
        try:
            save_draft(database, who, draft.id, number=0, content=content, changes=None)
            told.append("saved")
        except EditConflict:
            told.append("refused")

    threads = [threading.Thread(target=work, args=(who,)) for who in (admin, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["refused", "saved"]
    assert get_draft(database, admin, draft.id).number == 1


def test_a_draft_is_published_with_its_confirmed_changes(database: Database, admin: Actor) -> None:
    draft = open_draft(database, admin, "merchant")
    save(database, admin, draft)
    with pytest.raises(InvalidInput) as refused:
        publish_draft(database, admin, draft.id, number=1, note="")
    assert refused.value.code == "experts.changes_unconfirmed"
    content = with_crowd(draft)
    changes = [SPLIT]
    save_draft(database, admin, draft.id, number=1, content=content, changes=changes)
    published = publish_draft(database, admin, draft.id, number=2, note="拆分")
    assert published.list.reference == "merchant@2"
    found = changes_between(database, admin, "merchant@1", "merchant@2")
    assert (found.source, [each.key for each in found.changes]) == ("recorded", [SPLIT.key])
    assert get_settings(database, admin).current_list_version_id == published.version_id
    assert list_drafts(database, admin) == []
    with pytest.raises(NotFound):
        get_draft(database, admin, draft.id)


def test_changes_that_contradict_the_lists_stop_the_publishing(
    database: Database, admin: Actor
) -> None:
    draft = open_draft(database, admin, "merchant")
    wrong = ListChange(kind="rename", before=(EXPERTS[0],), after=("人群运营专家",))
    save(database, admin, draft, [wrong, wrong])
    assert get_draft(database, admin, draft.id).problems
    with pytest.raises(InvalidInput) as refused:
        publish_draft(database, admin, draft.id, number=1, note="")
    assert refused.value.code == "experts.changes_refused"
    with pytest.raises(NotFound):
        get_list(database, admin, "merchant@2")


def test_two_who_publish_at_once_publish_one_version(
    database: Database, admin: Actor, other: Actor
) -> None:
    draft = open_draft(database, admin, "merchant")
    save(database, admin, draft, [ADD])
    told: list[str] = []

    def work(who: Actor) -> None:
        try:
            told.append(publish_draft(database, who, draft.id, number=1, note="").list.reference)
        except NotFound as error:
            told.append(error.code)

    threads = [threading.Thread(target=work, args=(who,)) for who in (admin, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["experts.draft_not_found", "merchant@2"]


def test_a_version_published_meanwhile_is_told_and_the_draft_can_follow_it(
    database: Database, admin: Actor
) -> None:
    draft = open_draft(database, admin, "merchant")
    save(database, admin, draft, [ADD])
    _, first = get_list(database, admin, "merchant@1")
    less = {"name": "merchant", "experts": [e.model_dump(mode="json") for e in first.experts[:4]]}
    publish(database, admin, less)
    assert get_draft(database, admin, draft.id).newest == "merchant@2"
    with pytest.raises(TransitionRefused) as refused:
        publish_draft(database, admin, draft.id, number=1, note="")
    assert refused.value.code == "experts.base_outdated"
    found = rebase_draft(database, admin, draft.id)
    assert (found.base, found.number, found.changes) == ("merchant@2", 2, None)
    assert {name for each in found.proposed for name in each.after} == {EXPERTS[4], CROWD["name"]}


def test_a_new_list_is_drafted_and_published_too(database: Database, admin: Actor) -> None:
    draft = open_draft(database, admin, "travel")
    assert (draft.base, draft.content["experts"]) == (None, [])
    save(database, admin, draft)
    published = publish_draft(database, admin, draft.id, number=1, note="")
    assert published.list.reference == "travel@1"


def test_a_draft_that_says_the_same_is_not_published(database: Database, admin: Actor) -> None:
    draft = open_draft(database, admin, "merchant")
    save_draft(database, admin, draft.id, number=0, content=dict(draft.content), changes=[])
    with pytest.raises(InvalidInput) as refused:
        publish_draft(database, admin, draft.id, number=1, note="")
    assert refused.value.code == "experts.nothing_changed"


def test_a_dropped_draft_is_gone_and_another_can_be_begun(database: Database, admin: Actor) -> None:
    draft = open_draft(database, admin, "merchant")
    drop_draft(database, admin, draft.id)
    assert open_draft(database, admin, "merchant").id != draft.id


def test_drafts_are_edited_by_admins_and_read_by_reviewers(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    draft = open_draft(database, admin, "merchant")
    assert get_draft(database, chen, draft.id).id == draft.id
    for who in (li, chen):
        with pytest.raises(NotAllowed):
            open_draft(database, who, "merchant")
        with pytest.raises(NotAllowed):
            save(database, who, draft)
        with pytest.raises(NotAllowed):
            publish_draft(database, who, draft.id, number=0, note="")
        with pytest.raises(NotAllowed):
            drop_draft(database, who, draft.id)
        with pytest.raises(NotAllowed):
            rebase_draft(database, who, draft.id)
    with pytest.raises(NotAllowed):
        get_draft(database, li, draft.id)


@pytest.mark.parametrize("name", ["", "a@1", "a\nb", "\x00"])
def test_a_name_that_no_list_can_have_begins_no_draft(
    database: Database, admin: Actor, name: str
) -> None:
    with pytest.raises(InvalidInput):
        open_draft(database, admin, name)


def test_changes_given_with_a_file_are_recorded_and_others_are_proposals(
    database: Database, admin: Actor
) -> None:
    _, first = get_list(database, admin, "merchant")
    content = {
        "name": "merchant",
        "experts": [*(e.model_dump(mode="json") for e in first.experts), CROWD],
    }
    publish(database, admin, content, changes=[SPLIT])  # pyright: ignore[reportArgumentType]
    assert changes_between(database, admin, "merchant@1", "merchant@2").source == "recorded"
    content["tools"] = [{"name": "x"}]
    content["experts"] = content["experts"][1:]
    publish(database, admin, content)  # pyright: ignore[reportArgumentType]
    found = changes_between(database, admin, "merchant@2", "merchant@3")
    assert (found.source, [each.kind for each in found.changes]) == ("proposed", ["retire"])


def test_what_was_recorded_over_several_versions_is_put_together(
    database: Database, admin: Actor
) -> None:
    _, first = get_list(database, admin, "merchant")
    plain = [each.model_dump(mode="json") for each in first.experts]
    renamed = {**CROWD, "name": "会员专家", "aliases": []}
    rename = ListChange(kind="rename", before=(CROWD["name"],), after=(renamed["name"],))
    for crowd, change in ((CROWD, SPLIT), (renamed, rename)):
        content: Any = {"name": "merchant", "experts": [*plain, crowd]}
        publish(database, admin, content, changes=[change])
    found = changes_between(database, admin, "merchant@1", "merchant@3")
    assert found.source == "recorded"
    (split,) = found.changes
    assert (split.kind, split.after) == ("split", (SPLIT.after[0], renamed["name"]))
    backwards = changes_between(database, admin, "merchant@3", "merchant@1")
    assert backwards.source == "proposed"


def test_a_step_that_nobody_recorded_makes_the_whole_a_proposal(
    database: Database, admin: Actor
) -> None:
    _, first = get_list(database, admin, "merchant")
    experts: list[Any] = [*(e.model_dump(mode="json") for e in first.experts), CROWD]
    content: Any = {"name": "merchant", "experts": experts}
    publish(database, admin, content, changes=[SPLIT])
    publish(database, admin, content | {"experts": experts[1:]})
    found = changes_between(database, admin, "merchant@1", "merchant@3")
    assert found.source == "proposed"
    assert {each.kind for each in found.changes} == {"split", "retire"}
