"""Every function that a page can reach asks the role and the project first."""

from collections.abc import Callable

import pytest

from db.engine import Database
from labeling import annotate, queue, review
from schemas.errors import NotAllowed, NotFound
from schemas.people import Actor
from tests.factories import A_PLAN, a_label_query, a_project

Call = Callable[[Database, Actor, str, str], object]

FOR_ANNOTATORS: dict[str, Call] = {
    "save_draft": lambda d, who, a, _: annotate.save_draft(d, who, a, number=0, content=A_PLAN),
    "submit": lambda d, who, a, _: annotate.submit(d, who, a, number=0, content=A_PLAN, seconds=1),
    "submit_and_next": lambda d, who, a, _: annotate.submit_and_next(
        d, who, a, number=0, content=A_PLAN, seconds=1
    ),
    "skip": lambda d, who, a, _: annotate.skip(d, who, a),
    "postpone": lambda d, who, a, _: annotate.postpone(d, who, a),
    "release": lambda d, who, a, _: annotate.release(d, who, a),
    "flag": lambda d, who, a, _: annotate.flag(d, who, a, reason="x"),
    "withdraw": lambda d, who, a, _: annotate.withdraw(d, who, a),
    "renew_lease": lambda d, who, a, _: annotate.renew_lease(d, who, a),
}
FOR_REVIEWERS: dict[str, Call] = {
    "open_item": lambda d, who, a, _: review.open_item(d, who, a),
    "accept": review.accept,
    "fix_and_accept": lambda d, who, a, r: review.fix_and_accept(d, who, a, r, A_PLAN),
    "return_to_author": lambda d, who, a, r: review.return_to_author(
        d, who, a, r, reasons=[{"code": "other", "remark": "x"}]
    ),
    "discard": lambda d, who, a, r: review.discard(d, who, a, r, reason="x"),
    "renew_lease": lambda d, who, a, _: review.renew_lease(d, who, a),
    "release": lambda d, who, a, _: review.release(d, who, a),
    "skip": lambda d, who, a, _: review.skip(d, who, a),
}
REVIEWERS_LISTS: dict[str, Callable[[Database, Actor], object]] = {
    "take_next": review.take_next,
    "list_queries": queue.list_queries,
    "query_detail": lambda d, who: queue.query_detail(d, who, "x"),
}


@pytest.fixture
def handed_in(database: Database, admin: Actor, li: Actor) -> tuple[str, str, str]:
    query_id = a_label_query(database, admin)
    item = annotate.open_item(database, li, query_id)
    annotate.submit(database, li, item.annotation_id, number=0, content=A_PLAN, seconds=1)
    detail = queue.query_detail(database, admin, query_id)
    return query_id, item.annotation_id, detail.annotations[0].revisions[0].id


@pytest.mark.parametrize("name", FOR_ANNOTATORS)
def test_an_annotation_of_another_project_is_not_there(
    database: Database, handed_in: tuple[str, str, str], name: str
) -> None:
    stranger = a_project(database, "other")
    with pytest.raises(NotFound):
        FOR_ANNOTATORS[name](database, stranger, handed_in[1], handed_in[2])


@pytest.mark.parametrize("name", FOR_REVIEWERS)
def test_a_submission_of_another_project_is_not_there(
    database: Database, handed_in: tuple[str, str, str], name: str
) -> None:
    stranger = a_project(database, "other")
    with pytest.raises(NotFound):
        FOR_REVIEWERS[name](database, stranger, handed_in[1], handed_in[2])


@pytest.mark.parametrize("name", FOR_REVIEWERS)
def test_an_annotator_may_not_review(
    database: Database, wang: Actor, handed_in: tuple[str, str, str], name: str
) -> None:
    with pytest.raises(NotAllowed) as refused:
        FOR_REVIEWERS[name](database, wang, handed_in[1], handed_in[2])
    assert refused.value.code == "accounts.role_needed"


@pytest.mark.parametrize("name", REVIEWERS_LISTS)
def test_an_annotator_may_not_see_the_work_of_others(
    database: Database, wang: Actor, name: str
) -> None:
    with pytest.raises(NotAllowed):
        REVIEWERS_LISTS[name](database, wang)


def test_queries_of_another_project_are_not_there(
    database: Database, handed_in: tuple[str, str, str]
) -> None:
    stranger = a_project(database, "other")
    with pytest.raises(NotFound):
        annotate.open_item(database, stranger, handed_in[0])
    with pytest.raises(NotFound):
        queue.query_detail(database, stranger, handed_in[0])
    assert queue.list_queries(database, stranger).rows == ()
    assert queue.stats(database, stranger).queries["in_review"] == 0
    assert annotate.list_mine(database, stranger) == ()


def test_only_an_admin_frees_the_tasks_of_others(
    database: Database, chen: Actor, li: Actor
) -> None:
    with pytest.raises(NotAllowed):
        queue.free_tasks_of(database, chen, li.person_id)
