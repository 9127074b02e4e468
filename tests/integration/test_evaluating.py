"""An evaluation asks what is missing and nothing else, whatever became of it before."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from db.engine import Database
from exports import evaluations
from exports.evaluate import fail_evaluation
from exports.thinking_units import find_unit
from exports.training.examine import evaluate_now
from schemas.errors import ModelServiceError, NotFound
from schemas.evaluation import EvaluationView
from schemas.people import Actor
from schemas.settings import Settings
from tests.bundles import a_benchmark
from tests.evaluating import MANNER, an_order, begin, run
from tests.factories import a_project
from tests.fakes.endpoint_process import RunningEndpoint, running_endpoint

QUESTIONS = 24
ROOT = Path(__file__).parents[2]


@pytest.fixture
def endpoint() -> Iterator[RunningEndpoint]:
    with running_endpoint() as started:
        yield started


@pytest.fixture
def who(database: Database) -> Actor:
    found = a_project(database)
    a_benchmark(database, found, QUESTIONS)
    return found


def view(database: Database, who: Actor, evaluation_id: str) -> EvaluationView:
    found = evaluations.list_evaluations(database, who)
    return next(each for each in found if each.id == evaluation_id)


def test_every_question_is_asked_once_and_summed_up(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    evaluation_id = begin(database, who, endpoint.url)
    found = run(database, evaluation_id, endpoint.url)
    asked = endpoint.counts()["asked"]
    assert (len(asked), set(asked.values())) == (QUESTIONS, {1})
    assert (found.questions, found.failed, found.thinking) == (QUESTIONS, 0, QUESTIONS)
    shown = view(database, who, evaluation_id)
    assert (shown.state, shown.answered, shown.asked) == ("done", QUESTIONS, QUESTIONS)
    assert shown.figures == found
    assert shown.prompt == "planner@1"
    assert shown.terms
    assert shown.terms.max_tokens == MANNER.max_tokens


def test_killed_in_the_middle_and_started_again_it_asks_what_is_missing(
    sqlite_database: Database, settings: Settings, endpoint: RunningEndpoint
) -> None:
    who = a_project(sqlite_database, "main")
    a_benchmark(sqlite_database, who, QUESTIONS)
    endpoint.configure(hold_after=17)
    command = [sys.executable, "-m", "tests.evaluating", str(settings.home), endpoint.url]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        _wait_for_answers(sqlite_database, who, 17)
    finally:
        process.kill()
        process.wait()
    kept = evaluations.list_evaluations(sqlite_database, who)
    assert [(each.state, each.answered) for each in kept] == [("running", 17)]
    endpoint.configure(forget=True, hold_after=None)
    subprocess.run(command, cwd=ROOT, check=True)
    assert sum(endpoint.counts()["asked"].values()) == QUESTIONS - 17
    done = evaluations.list_evaluations(sqlite_database, who)
    assert [(each.id, each.state, each.answered) for each in done] == [
        (kept[0].id, "done", QUESTIONS)
    ]


def test_what_is_complete_is_never_asked_again(
    database: Database, who: Actor, endpoint: RunningEndpoint, settings: Settings
) -> None:
    order = an_order(endpoint.url)
    first = evaluate_now(database, settings, who, order)
    endpoint.configure(down_after=0)
    assert evaluate_now(database, settings, who, order) == first


def test_the_same_request_is_answered_from_what_is_known(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    """A short evaluation is a part of a long one of the same planner; other terms are not."""
    short = begin(database, who, endpoint.url, MANNER._replace(limit=15))
    run(database, short, endpoint.url)
    whole = begin(database, who, endpoint.url)
    run(database, whole, endpoint.url)
    assert whole != short
    assert sum(endpoint.counts()["asked"].values()) == QUESTIONS
    answers = [evaluations.list_answers(database, who, each) for each in (short, whole)]
    assert answers[0] == answers[1][:15]
    run(database, begin(database, who, endpoint.url, MANNER._replace(max_tokens=9)), endpoint.url)
    assert sum(endpoint.counts()["asked"].values()) == 2 * QUESTIONS


def test_a_planner_that_is_asked_anew_answers_everything_once_more(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    run(database, begin(database, who, endpoint.url), endpoint.url)
    anew = MANNER._replace(is_anew=True)
    for times in (2, 3):
        run(database, begin(database, who, endpoint.url, anew), endpoint.url)
        assert set(endpoint.counts()["asked"].values()) == {times}


def test_questions_that_nobody_answered_are_asked_again_and_no_others(
    database: Database, who: Actor
) -> None:
    with running_endpoint(refused=0.3, fault_times=1) as endpoint:
        evaluation_id = begin(database, who, endpoint.url)
        found = run(database, evaluation_id, endpoint.url)
        assert 0 < found.failed < QUESTIONS
        assert found.accuracy <= 1 - found.failed / QUESTIONS
        endpoint.configure(forget=True, refused=0.0)
        assert begin(database, who, endpoint.url) == evaluation_id
        assert view(database, who, evaluation_id).state == "running"
        mended = run(database, evaluation_id, endpoint.url)
        assert sum(endpoint.counts()["asked"].values()) == found.failed
        assert mended.failed == 0


def test_an_evaluation_that_failed_is_gone_on_with(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    evaluation_id = begin(database, who, endpoint.url)
    with pytest.raises(ModelServiceError) as refused:
        run(database, evaluation_id, "http://127.0.0.1:9/v1")
    fail_evaluation(database, evaluation_id, refused.value)
    assert view(database, who, evaluation_id).reason == "evaluate.unreachable"
    assert begin(database, who, endpoint.url) == evaluation_id
    assert run(database, evaluation_id, endpoint.url).failed == 0


def test_an_answer_that_was_cut_off_is_wrong_and_its_thinking_is_not_measured(
    database: Database, who: Actor
) -> None:
    with running_endpoint(cut_off=0.5) as endpoint:
        found = run(database, begin(database, who, endpoint.url), endpoint.url)
    assert 0 < found.cut_off < QUESTIONS
    assert found.thinking == QUESTIONS - found.cut_off
    assert found.right <= QUESTIONS - found.cut_off


def test_thinking_is_measured_by_the_tokenizer_of_the_settings(
    database: Database, who: Actor, endpoint: RunningEndpoint, tmp_path: Path
) -> None:
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()  # pyright: ignore[reportAttributeAccessIssue]
    folder = tmp_path / "student"
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    unit = find_unit(folder)
    in_characters = run(database, begin(database, who, endpoint.url), endpoint.url)
    evaluation_id = begin(database, who, endpoint.url, unit=unit)
    in_tokens = run(database, evaluation_id, endpoint.url, unit)
    assert sum(endpoint.counts()["asked"].values()) == QUESTIONS
    assert in_tokens.length_unit == unit.name
    assert unit.name.startswith("student@")
    assert in_characters.think_length_mean
    assert in_tokens.think_length_mean
    assert in_tokens.think_length_mean < in_characters.think_length_mean / 2
    with pytest.raises(NotFound):
        find_unit(tmp_path)


def _wait_for_answers(database: Database, who: Actor, count: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        found = evaluations.list_evaluations(database, who)
        if found and found[0].answered >= count:
            return
        assert time.monotonic() < deadline
        time.sleep(0.05)
