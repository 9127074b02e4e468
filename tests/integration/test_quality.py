"""The figures of the work say what the rows say."""

from collections.abc import Mapping
from typing import Any

import pytest

from db.engine import Database
from labeling import annotate, review
from labeling.quality import team_figures
from schemas.errors import NotAllowed
from schemas.people import Actor
from schemas.quality import PersonQuality
from tests.factories import (
    A_PLAN,
    EXPERTS,
    a_label_query,
    a_person,
    a_project,
    a_suggestion,
    decide,
)


def hand_in(
    database: Database,
    who: Actor,
    query_id: str,
    *,
    plan: Mapping[str, Any] = A_PLAN,
    seconds: float = 10,
) -> None:
    item = annotate.open_item(database, who, query_id)
    annotate.submit(
        database, who, item.annotation_id, number=item.draft_number, content=plan, seconds=seconds
    )


def with_expert(expert: str) -> dict[str, Any]:
    return {**A_PLAN, "steps": [{**A_PLAN["steps"][0], "expert": expert}]}


def give_verdict(database: Database, reviewer: Actor, verdict: str) -> None:
    item = review.take_next(database, reviewer)
    assert item
    where = (database, reviewer, item.annotation_id, item.revision_id)
    match verdict:
        case "accepted":
            review.accept(*where)
        case "fixed":
            review.fix_and_accept(*where, with_expert(EXPERTS[0]))
        case "returned":
            review.return_to_author(*where, reasons=[{"code": "other", "remark": "why"}])
        case _:
            review.discard(*where, reason="no plan can answer this")


def test_each_verdict_counts_for_the_author_whose_plan_it_was(
    database: Database, admin: Actor, li: Actor, wang: Actor, chen: Actor
) -> None:
    for who, seconds in ((li, 10), (li, 30), (li, 200), (wang, 40)):
        hand_in(database, who, a_label_query(database, admin), seconds=seconds)
    for verdict in ("accepted", "returned", "fixed", "accepted"):
        give_verdict(database, chen, verdict)
    found = team_figures(database, chen)
    assert found.acceptance == pytest.approx(2 / 4)
    people = {each.name: each for each in found.people}
    assert people["Li"].verdicts == {"accepted": 1, "returned": 1, "fixed": 1}
    assert people["Li"].median_seconds == 30
    assert people["Li"].returned_share == pytest.approx(1 / 3)
    assert people["Wang"].verdicts == {"accepted": 1}
    assert (found.weeks[-1].submitted, found.weeks[-1].decided) == (4, 4)
    assert sum(each.submitted for each in found.weeks) == 4
    assert len(found.weeks) == 12


def test_a_share_of_acceptance_comes_with_how_sure_it_is(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    for _ in range(4):
        hand_in(database, li, a_label_query(database, admin))
        give_verdict(database, chen, "accepted")
    acceptance = person(team_figures(database, chen).people, "Li").acceptance
    assert acceptance
    assert (acceptance.value, acceptance.high) == (1.0, 1.0)
    assert acceptance.low == pytest.approx(0.51, abs=0.01)


def person(people: tuple[PersonQuality, ...], name: str) -> PersonQuality:
    return next(each for each in people if each.name == name)


def test_people_who_agree_have_an_alpha_near_one_and_the_others_are_named_first(
    database: Database, admin: Actor, li: Actor, wang: Actor, chen: Actor
) -> None:
    zhao = a_person(database, admin.project_id, "annotator", name="Zhao")
    for number in range(12):
        query_id = a_label_query(database, admin, f"问题{number}", slots=3)
        right = with_expert(EXPERTS[number % 4])
        hand_in(database, li, query_id, plan=right)
        hand_in(database, wang, query_id, plan=right)
        hand_in(database, zhao, query_id, plan=with_expert(EXPERTS[(number + 1) % 4]))
    found = team_figures(database, chen).agreement
    assert found
    assert (found.queries, found.plans) == (12, 36)
    assert found.parts["exact"] == pytest.approx(1 / 3)
    by_pair = {frozenset(each.names): each for each in found.pairs}
    assert by_pair[frozenset(("Li", "Wang"))].alpha.value == 1.0
    assert found.pairs[-1].names == ("Li", "Wang")
    assert by_pair[frozenset(("Li", "Zhao"))].alpha.value < 0.1
    assert [each.name for each in found.lists] == ["merchant@1"]
    assert {each.name for each in found.experts} == set(EXPERTS[:4])


def test_agreement_reads_what_people_handed_in_before_a_reviewer_spoke(
    database: Database, admin: Actor, li: Actor, wang: Actor, chen: Actor
) -> None:
    for number in range(5):
        query_id = a_label_query(database, admin, f"问题{number}", slots=2)
        for who in (li, wang):
            hand_in(database, who, query_id, plan=with_expert(EXPERTS[number % 2]))
            give_verdict(database, chen, "fixed" if who is wang else "accepted")
    found = team_figures(database, chen).agreement
    assert found
    assert found.alpha.value == 1.0


def test_who_errs_often_is_to_be_looked_at_and_who_errs_seldom_is_not(
    database: Database, admin: Actor, li: Actor, wang: Actor, chen: Actor
) -> None:
    for number in range(20):
        for who in (li, wang):
            hand_in(database, who, a_label_query(database, admin))
            is_wrong = who is wang and number % 2
            give_verdict(database, chen, "returned" if is_wrong else "accepted")
    people = team_figures(database, chen).people
    assert (person(people, "Li").is_careless, person(people, "Li").against) == (False, ())
    assert (person(people, "Wang").is_careless, person(people, "Wang").against) == (True, ("lots",))


def test_what_came_back_once_stays_a_defect_of_its_author(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    for number in range(16):
        query_id = a_label_query(database, admin)
        hand_in(database, li, query_id)
        give_verdict(database, chen, "returned")
        hand_in(database, li, query_id, plan=with_expert(EXPERTS[number % 5]))
        give_verdict(database, chen, "accepted")
    assert person(team_figures(database, chen).people, "Li").is_careless


def test_what_people_make_of_the_models_experts_and_what_it_costs_them(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    for expert in (EXPERTS[3], EXPERTS[3], EXPERTS[2]):
        query_id = a_label_query(database, admin)
        a_suggestion(database, admin, query_id, plan=A_PLAN)
        hand_in(database, li, query_id, plan=with_expert(expert))
        give_verdict(database, chen, "accepted")
    found = team_figures(database, chen)
    assert {(each.model, each.human): each.count for each in found.confusion} == {
        (EXPERTS[3], EXPERTS[3]): 2,
        (EXPERTS[3], EXPERTS[2]): 1,
    }
    (effort,) = found.efforts
    assert (effort.model, effort.plans) == ("deepseek-r1", 3)
    assert effort.untouched.value == pytest.approx(2 / 3)
    assert effort.distance > 0


def test_names_are_hidden_from_reviewers_where_the_project_hides_them(
    database: Database, admin: Actor, li: Actor, wang: Actor, chen: Actor
) -> None:
    decide(database, admin, hide_author=True)
    for number in range(5):
        query_id = a_label_query(database, admin, f"问题{number}", slots=2)
        for who in (li, wang):
            hand_in(database, who, query_id, plan=with_expert(EXPERTS[number % 2]))
    hidden = team_figures(database, chen)
    assert hidden.people == ()
    assert hidden.weeks[-1].submitted == 10
    assert hidden.agreement
    assert hidden.agreement.pairs == ()
    shown = team_figures(database, admin)
    assert [each.name for each in shown.people] == ["Li", "Wang"]
    assert shown.agreement
    assert [each.names for each in shown.agreement.pairs] == [("Li", "Wang")]


def test_figures_are_for_reviewers_and_of_their_own_project(
    database: Database, admin: Actor, li: Actor
) -> None:
    hand_in(database, li, a_label_query(database, admin))
    with pytest.raises(NotAllowed):
        team_figures(database, li)
    other = team_figures(database, a_project(database, "other"))
    assert other.people == ()
    assert other.agreement is None
    assert sum(each.submitted for each in other.weeks) == 0


def test_every_reason_of_a_return_is_counted_once(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    wrong, unclear = {"code": "wrong_expert"}, {"code": "sub_questions"}
    elsewhere = {"code": "wrong_expert", "path": "$.steps[0]"}
    for reasons in ([wrong, elsewhere, unclear], [wrong]):
        hand_in(database, li, a_label_query(database, admin))
        item = review.take_next(database, chen)
        assert item
        review.return_to_author(
            database, chen, item.annotation_id, item.revision_id, reasons=reasons
        )
    found = team_figures(database, chen).reasons
    assert [(each.code, each.count, each.share) for each in found] == [
        ("wrong_expert", 2, 1.0),
        ("sub_questions", 1, 0.5),
    ]
