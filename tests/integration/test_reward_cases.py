"""Whose verdict may stand against which gold plan: nobody judges in their own cause."""

import pytest

from db.engine import Database
from exports.formats import RowForm
from exports.reward_cases import Case, find_cases
from schemas.people import Actor
from schemas.recipe import BundleRecipe
from schemas.scoring.answer import has_strict_form
from tests.exporting import a_pinned_query, a_plan, a_recipe, a_suggestion
from tests.factories import EXPERTS, a_person
from tests.reviewing_plans import a_gold_item, a_verdict

RIGHT = a_plan("上周流量为什么下降", EXPERTS[0], EXPERTS[3])
OTHER = a_plan("上周的流量为何下降了", EXPERTS[0], EXPERTS[3])
WRONG = a_plan("看看流量", EXPERTS[2])


@pytest.fixture
def recipe() -> BundleRecipe:
    return a_recipe()


@pytest.fixture
def ma(database: Database, admin: Actor) -> Actor:
    return a_person(database, admin.project_id, "reviewer", name="Ma")


@pytest.fixture
def query(database: Database, admin: Actor) -> str:
    return a_pinned_query(database, admin, "上周流量怎么掉了")


def cases_of(database: Database, admin: Actor, recipe: BundleRecipe) -> list[Case]:
    with database.reading() as session:
        found = find_cases(session, admin.project_id, RowForm.of(recipe))
    for each in found:
        for text in each.line.completions:
            assert has_strict_form(text, with_thinking=True)
        assert len(each.line.completions) == len(each.case.plans)
    return [each.case for each in found]


def of(cases: list[Case], question: str) -> list[Case]:
    return [each for each in cases if each.question == question]


def test_a_plan_is_held_against_the_accepted_plan_of_somebody_else(
    database: Database,
    admin: Actor,
    li: Actor,
    wang: Actor,
    chen: Actor,
    query: str,
    recipe: BundleRecipe,
) -> None:
    a_verdict(database, query, li, chen, RIGHT)
    a_verdict(database, query, wang, chen, WRONG, "returned", final=OTHER)
    cases = of(cases_of(database, admin, recipe), "submissions")
    held = {(case.plans[0]["rewritten_query"], case.is_good): case.gold for case in cases}
    assert held == {
        (RIGHT["rewritten_query"], True): OTHER,
        (WRONG["rewritten_query"], False): RIGHT,
        (OTHER["rewritten_query"], True): RIGHT,
    }


def test_where_only_one_has_decided_there_is_no_gold(
    database: Database, admin: Actor, li: Actor, chen: Actor, query: str, recipe: BundleRecipe
) -> None:
    a_verdict(database, query, li, chen, RIGHT)
    assert [case.gold for case in cases_of(database, admin, recipe)] == [None]


def test_a_plan_that_the_reviewer_wrote_is_no_gold_for_what_the_reviewer_judges(
    database: Database,
    admin: Actor,
    li: Actor,
    wang: Actor,
    chen: Actor,
    ma: Actor,
    query: str,
    recipe: BundleRecipe,
) -> None:
    a_verdict(database, query, li, chen, RIGHT)
    a_verdict(database, query, wang, chen, WRONG, "fixed", final=OTHER)
    cases = of(cases_of(database, admin, recipe), "submissions")
    by_plan = {case.plans[0]["rewritten_query"]: case.gold for case in cases}
    # Chen judged Li's plan and wrote the other one; Li's own is fair to what Wang handed in.
    assert by_plan[RIGHT["rewritten_query"]] is None
    assert by_plan[WRONG["rewritten_query"]] == RIGHT
    second = a_pinned_query(database, admin, "上周流量又掉了")
    a_verdict(database, second, li, ma, RIGHT)
    a_verdict(database, second, wang, chen, WRONG, "fixed", final=OTHER)
    cases = of(cases_of(database, admin, recipe), "submissions")
    assert [c.gold for c in cases if c.query_id == second and c.is_good] == [OTHER]


def test_a_correction_is_the_models_plan_or_a_returned_one_and_what_became_of_it(
    database: Database,
    admin: Actor,
    li: Actor,
    wang: Actor,
    chen: Actor,
    query: str,
    recipe: BundleRecipe,
) -> None:
    suggestion = a_suggestion(database, admin, query, WRONG)
    a_verdict(database, query, li, chen, RIGHT, suggestion_id=suggestion)
    a_verdict(database, query, wang, chen, WRONG, "returned", final=OTHER)
    corrections = of(cases_of(database, admin, recipe), "corrections")
    assert {(each.plans, each.gold) == ((RIGHT, WRONG), OTHER) for each in corrections} == {
        True,
        False,
    }
    assert [each.plans for each in corrections if each.gold == RIGHT] == [(OTHER, WRONG)]


def test_a_models_answer_was_kept_or_corrected(
    database: Database, admin: Actor, li: Actor, wang: Actor, chen: Actor, query: str,
    recipe: BundleRecipe,
) -> None:  # fmt: skip
    kept = a_suggestion(database, admin, query, RIGHT)
    a_verdict(database, query, li, chen, RIGHT, suggestion_id=kept)
    a_verdict(database, query, wang, chen, OTHER, suggestion_id=kept)
    found = of(cases_of(database, admin, recipe), "suggestions")
    assert {(each.is_good, each.gold == OTHER) for each in found} == {(True, True), (False, False)}


def test_gold_items_and_verdicts_on_whole_lots_are_left_out(
    database: Database, admin: Actor, li: Actor, wang: Actor, chen: Actor, query: str,
    recipe: BundleRecipe,
) -> None:  # fmt: skip
    a_verdict(database, query, li, chen, RIGHT, mode="lot")
    assert of(cases_of(database, admin, recipe), "submissions") == []
    known = a_pinned_query(database, admin, "本月流量怎么样")
    a_verdict(database, known, li, chen, RIGHT)
    a_verdict(database, known, wang, chen, OTHER)
    assert len(of(cases_of(database, admin, recipe), "submissions")) == 2
    a_gold_item(database, admin, known, RIGHT)
    assert of(cases_of(database, admin, recipe), "submissions") == []


def test_a_project_in_which_nobody_decided_has_no_case(
    database: Database, admin: Actor, query: str, recipe: BundleRecipe
) -> None:
    a_suggestion(database, admin, query, RIGHT)
    assert cases_of(database, admin, recipe) == []
