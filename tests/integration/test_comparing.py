"""Two evaluations side by side: what people read, download, and send back to annotation."""

import csv
import io
import time

import pytest
from sqlmodel import select

from db.engine import Database
from db.tables import BenchmarkQuestion, Query
from exports import alike, evaluations
from exports.comparison_report import comparison_csv, comparison_markdown, planners_table
from labeling.duplicates import load_guard
from labeling.work_batches import list_batches
from schemas.errors import NotAllowed, NotFound
from schemas.people import Actor
from tests.evaluating import made_up
from tests.factories import EXPERTS, a_label_query, a_person, a_project

QUESTIONS = 80


@pytest.fixture
def who(database: Database) -> Actor:
    return a_project(database)


@pytest.fixture
def pair(database: Database, who: Actor) -> tuple[str, str]:
    before, after = made_up(database, who, QUESTIONS)
    return before, after


def test_the_changed_questions_are_those_that_the_comparison_counts(
    database: Database, who: Actor, pair: tuple[str, str]
) -> None:
    compared = evaluations.compare_evaluations(database, who.project_id, *pair)
    kinds = {
        kind: evaluations.find_changes(database, who, *pair, kind)
        for kind in ("broken", "mended", "wrong", "right")
    }
    assert kinds["broken"].total == compared.broken > 0
    assert kinds["mended"].total == compared.mended > 0
    assert sum(each.total for each in kinds.values()) == QUESTIONS
    for each in kinds["broken"].shown:
        assert each.before.fault is None
        assert each.after.fault
        assert each.before.plan == each.gold.model_copy(
            update={"rewritten_query": each.before.plan and each.before.plan.rewritten_query}
        )


def test_each_fault_is_what_the_answer_shows(
    database: Database, who: Actor, pair: tuple[str, str]
) -> None:
    for each in evaluations.find_changes(database, who, *pair, "broken").shown:
        gold = sorted(step.expert for step in each.gold.steps)
        if each.after.plan is None or each.after.fault in ("form", "cut_off"):
            assert each.after.fault in ("form", "invalid", "cut_off")
        else:
            said = sorted(step.expert for step in each.after.plan.steps)
            assert each.after.fault == ("order" if said == gold else "experts")


def test_changes_are_filtered_by_expert(
    database: Database, who: Actor, pair: tuple[str, str]
) -> None:
    whole = evaluations.find_changes(database, who, *pair, "mended")
    some = evaluations.find_changes(database, who, *pair, "mended", expert=EXPERTS[0])
    assert set(whole.experts) <= set(EXPERTS)
    assert 0 < some.total < whole.total
    one = evaluations.find_changes(database, who, *pair, "mended", most=1)
    assert (one.total, len(one.shown)) == (whole.total, 1)


def test_the_confusion_counts_every_step_of_the_accepted_plans_once(
    database: Database, who: Actor, pair: tuple[str, str]
) -> None:
    answers = evaluations.list_answers(database, who, pair[0])
    confused = evaluations.find_confusion(database, who, pair[0])
    with database.reading() as session:
        steps = {
            each.question_id: len(
                session.get_one(BenchmarkQuestion, each.question_id).plan["steps"]
            )  # pyright: ignore
            for each in answers
            if "<answer>" in each.completion
        }
    assert sum(each.count for each in confused if each.gold) == sum(steps.values())
    assert any(each.gold != each.answered for each in confused)


def test_an_evaluation_beside_itself_does_not_differ(
    database: Database, who: Actor, pair: tuple[str, str]
) -> None:
    found = evaluations.compare_evaluations(database, who.project_id, pair[0], pair[0])
    assert (found.mended, found.broken, found.p_value) == (0, 0, 1.0)
    accuracy = found.find_difference("accuracy")
    assert accuracy
    assert (accuracy.change, accuracy.low, accuracy.high) == (0.0, 0.0, 0.0)


def test_the_second_look_is_remembered(
    database: Database, who: Actor, pair: tuple[str, str]
) -> None:
    first = evaluations.compare_evaluations(database, who.project_id, *pair)
    began = time.process_time()
    assert evaluations.compare_evaluations(database, who.project_id, *pair) is first
    assert time.process_time() - began < 0.1


def test_other_benchmarks_and_other_projects_are_refused(
    database: Database, who: Actor, pair: tuple[str, str]
) -> None:
    stranger = a_project(database, "other")
    (theirs,) = made_up(database, stranger, 3)[:1]
    with pytest.raises(NotFound):
        evaluations.compare_evaluations(database, who.project_id, pair[0], theirs)
    with pytest.raises(NotFound):
        comparison_csv(database, who, pair[0], theirs)
    with pytest.raises(NotAllowed):
        evaluations.find_changes(
            database, a_person(database, who.project_id, "annotator"), *pair, "broken"
        )


def test_the_table_in_markdown_has_a_row_for_each_planner(
    database: Database, who: Actor, pair: tuple[str, str]
) -> None:
    done = evaluations.list_evaluations(database, who)
    lines = planners_table(done, "en")
    assert len(lines) == 2 + len(pair)
    assert lines[0].startswith("| Planner | Accuracy (95 %) | Valid JSON | Experts (F1) | Order |")
    assert {each.planner.name for each in done} == {
        line.split("|")[1].strip().replace("\\", "") for line in lines[2:]
    }


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_report_names_every_regression_and_both_checkpoints(
    database: Database, who: Actor, pair: tuple[str, str], language: str
) -> None:
    text = comparison_markdown(database, who, *pair, language)  # pyright: ignore[reportArgumentType]
    assert "1" * 64 in text
    assert "2" * 64 in text
    broken = evaluations.find_changes(database, who, *pair, "broken", most=999)
    assert all(f"**{each.question}**" in text for each in broken.shown)
    assert "McNemar" in text


def test_the_csv_has_a_line_for_each_question_and_no_formula(
    database: Database, who: Actor, pair: tuple[str, str]
) -> None:
    with database.transaction() as session:
        first = evaluations.list_answers(database, who, pair[0])[0].question_id
        session.get_one(BenchmarkQuestion, first).text = '=cmd("rm"),"x"'
    rows = list(csv.DictReader(io.StringIO(comparison_csv(database, who, *pair))))
    assert len(rows) == QUESTIONS
    assert {row["became"] for row in rows} == {"broken", "mended", "wrong", "right"}
    assert [row["question"] for row in rows if row["question_id"] == first] == ['\'=cmd("rm"),"x"']
    assert all(not row["after_fault"] for row in rows if row["became"] in ("mended", "right"))


def test_what_is_brought_forward_is_like_the_question_and_no_benchmarks(
    database: Database, who: Actor, pair: tuple[str, str]
) -> None:
    question = evaluations.list_answers(database, who, pair[1])[5]
    near = a_label_query(database, who, "店铺上周的退款怎么样，有什么办法")
    far = a_label_query(database, who, "如何报名平台的大促活动？")
    leak = a_label_query(database, who, question.question)
    sent = alike.send_alike(database, who, pair[1], question.question_id)
    ids = [each.query_id for each in sent.queries]
    assert near in ids
    assert far not in ids
    assert leak not in ids
    guard = load_guard(database, who)
    assert all(guard.find_leak(each.text) is None for each in sent.queries)
    (batch,) = list_batches(database, who)
    assert (batch.name, batch.total) == (sent.batch, sent.labels)
    with database.reading() as session:
        assert session.get_one(Query, near).priority == alike.FIRST
        assert session.get_one(Query, far).priority == 0
        queries = session.exec(select(Query)).all()
    assert {each.id for each in queries} == {near, far, leak}, "no question became a query"


def test_a_second_question_goes_into_the_same_batch(
    database: Database, who: Actor, pair: tuple[str, str]
) -> None:
    a_label_query(database, who, "店铺上周的退款怎么样，有什么办法")
    answers = evaluations.list_answers(database, who, pair[1])
    for each in answers[:2]:
        alike.send_alike(database, who, pair[1], each.question_id)
    assert len(list_batches(database, who)) == 1


def test_where_nothing_is_alike_it_is_said(
    database: Database, who: Actor, pair: tuple[str, str]
) -> None:
    question = evaluations.list_answers(database, who, pair[1])[0]
    with pytest.raises(NotFound) as refused:
        alike.send_alike(database, who, pair[1], question.question_id)
    assert refused.value.code == "evaluate.nothing_alike"
    assert "never to train" in refused.value.sentence("en")
    with pytest.raises(NotFound):
        alike.send_alike(database, who, pair[1], "no question")


def test_of_a_few_answers_the_wrong_ones_come_first(
    database: Database, who: Actor, pair: tuple[str, str]
) -> None:
    whole = evaluations.list_answers(database, who, pair[0])
    wrong = [each for each in whole if not each.scores["right"]]
    few = evaluations.list_answers(database, who, pair[0], most=len(wrong) + 2)
    assert few[: len(wrong)] == wrong
    assert all(each.scores["right"] for each in few[len(wrong) :])
