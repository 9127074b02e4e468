"""The figures of the work say what the rows say."""

import pytest

from db.engine import Database
from labeling import annotate, review
from labeling.quality import work_figures
from schemas.errors import NotAllowed
from schemas.people import Actor
from tests.factories import A_PLAN, a_label_query, a_project, decide


def _hand_in(database: Database, admin: Actor, who: Actor, seconds: float) -> None:
    item = annotate.open_item(database, who, a_label_query(database, admin))
    annotate.submit(database, who, item.annotation_id, number=0, content=A_PLAN, seconds=seconds)


def test_each_verdict_counts_for_the_author_whose_plan_it_was(
    database: Database, admin: Actor, li: Actor, wang: Actor, chen: Actor
) -> None:
    for who, seconds in ((li, 10), (li, 30), (wang, 40)):
        _hand_in(database, admin, who, seconds)
    for verdict in ("accept", "return", "accept"):
        item = review.take_next(database, chen)
        assert item
        if verdict == "accept":
            review.accept(database, chen, item.annotation_id, item.revision_id)
        else:
            review.return_to_author(
                database,
                chen,
                item.annotation_id,
                item.revision_id,
                reason_code="other",
                reason="why",
            )
    found = work_figures(database, chen)
    assert found.verdicts == {"accepted": 2, "returned": 1}
    assert found.acceptance == pytest.approx(2 / 3)
    assert {each.name: (each.submitted, each.mean_seconds) for each in found.people} == {
        "Li": (2, 20.0),
        "Wang": (1, 40.0),
    }
    assert [(each.submitted, each.decided) for each in found.days] == [(3, 3)]
    assert found.counts.queries["decided"] == 2


def test_names_are_hidden_from_reviewers_where_the_project_hides_them(
    database: Database, admin: Actor, li: Actor, wang: Actor, chen: Actor
) -> None:
    decide(database, admin, hide_author=True)
    for who in (li, wang):
        _hand_in(database, admin, who, 10)
    assert [(each.name, each.submitted) for each in work_figures(database, chen).people] == [
        ("", 2)
    ]
    assert [each.name for each in work_figures(database, admin).people] == ["Li", "Wang"]


def test_figures_are_for_reviewers_and_of_their_own_project(
    database: Database, admin: Actor, li: Actor
) -> None:
    _hand_in(database, admin, li, 10)
    with pytest.raises(NotAllowed):
        work_figures(database, li)
    assert work_figures(database, a_project(database, "other")).people == ()
