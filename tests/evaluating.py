"""Evaluations for tests: planners behind the fake endpoint, and planners that are made up.

Usage: `python -m tests.evaluating HOME URL` evaluates the model `planner` at an endpoint on the
newest benchmark, in a process that can be killed at any moment.
"""

import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from db.engine import Database, open_database
from db.tables import (
    Benchmark,
    BenchmarkQuestion,
    Evaluation,
    EvaluationAnswer,
    Planner,
    Project,
)
from exports import judging
from exports.asking import Asking
from exports.evaluate import Manner, external_planner, open_evaluation, run_evaluation
from exports.exam import load_exam
from exports.thinking_units import Unit, find_unit
from exports.training.examine import evaluate_now
from labeling.accounts import command_line_actor
from schemas.evaluation import EvaluationOrder
from schemas.people import Actor
from schemas.project import ProjectSettings
from schemas.scoring.wire import to_text
from schemas.settings import Settings
from tests.factories import EXPERTS

CHARACTERS = find_unit(None)
MANNER = Manner(max_tokens=512, with_thinking=True)


def an_order(url: str, **more: Any) -> EvaluationOrder:
    """The model `planner` behind an endpoint."""
    return EvaluationOrder.model_validate({"endpoint": url, "model": "planner", **more})


def begin(
    database: Database, who: Actor, url: str, manner: Manner = MANNER, unit: Unit = CHARACTERS
) -> str:
    """An evaluation of the model `planner` behind an endpoint; its id."""
    planner = external_planner(database, who, url, "planner")
    return open_evaluation(database, who.project_id, planner, None, manner, unit=unit)


def run(database: Database, evaluation_id: str, url: str, unit: Unit = CHARACTERS) -> Any:
    """Ask what is missing at an endpoint."""
    asking = Asking(url, "none", "planner", MANNER.max_tokens, MANNER.with_thinking, None)
    return run_evaluation(database, evaluation_id, lambda: nullcontext(asking), unit)


class Planned(NamedTuple):
    """A planner to be made up: how often it is right, and how long it thinks."""

    name: str
    accuracy: float
    length: float
    deviation: float


ARTICLE = (
    Planned("qwq-32b-sft", 0.787, 240.29, 77.30),
    Planned("qwq-32b-grpo", 0.861, 93.28, 26.11),
)
"""The planners of the article that this product comes from, on its 3,217 standard questions."""


def made_up(
    database: Database, who: Actor, questions: int, planned: Sequence[Planned] = ARTICLE
) -> list[str]:
    """Finished evaluations of planners whose answers are made up and truly judged; their ids."""
    a_long_benchmark(database, who, questions)
    ids: list[str] = []
    for number, each in enumerate(planned):
        with database.transaction() as session:
            planner = Planner(
                project_id=who.project_id,
                name=each.name,
                checkpoint=f"runs/{each.name}",
                checkpoint_hash=f"{number + 1}" * 64,
            )
            session.add(planner)
        evaluation_id = open_evaluation(
            database, who.project_id, planner.id, None, MANNER, unit=CHARACTERS
        )
        _answer_all(database, evaluation_id, each, Random(number))
        run(database, evaluation_id, "http://127.0.0.1:9/nobody/is/asked")
        ids.append(evaluation_id)
    return ids


def a_long_benchmark(database: Database, who: Actor, questions: int) -> None:
    """So many questions, no two alike, whose plans have one to four steps."""
    source = Random(7)
    with database.transaction() as session:
        settings = ProjectSettings.model_validate(session.get_one(Project, who.project_id).settings)
        benchmark = Benchmark(
            project_id=who.project_id,
            name="standard",
            version=1,
            content_hash="0" * 64,
            list_version_id=str(settings.current_list_version_id),
        )
        session.add(benchmark)
        session.flush()
        for number in range(questions):
            text = (
                f"门店{number:04}上周的{'流量转化退款复购'[number % 4 * 2 :][:2]}怎么样，该怎么办"
            )
            names = source.sample(EXPERTS, source.choice([1, 1, 1, 2, 2, 3, 4]))
            row = BenchmarkQuestion(
                project_id=who.project_id,
                benchmark_id=benchmark.id,
                import_key=text,
                content_hash=text,
                text=text,
                plan=_plan(text, names),
                cluster=text,
            )
            session.add(row)


def _plan(text: str, names: Sequence[str]) -> dict[str, object]:
    steps = [
        {"expert": name, "sub_questions": [f"{name[:-2]}：{text[:10]}"], "order": order}
        for order, name in enumerate(names, 1)
    ]
    return {"rewritten_query": text, "steps": steps}


def _answer_all(database: Database, evaluation_id: str, planned: Planned, source: Random) -> None:
    with database.reading() as session:
        exam = load_exam(session, session.get_one(Evaluation, evaluation_id))
    rows: list[EvaluationAnswer] = []
    for question in exam.questions:
        messages = exam.messages(question)
        completion = _completion(question, planned, source)
        context = exam.context(question, messages[0]["content"])
        scores = judging.judge(completion, context, expert_list=exam.expert_list)
        if source.random() < 0.004:
            scores |= {judging.CUT_OFF: 1.0, judging.RIGHT: 0.0}
        rows.append(
            EvaluationAnswer(
                evaluation_id=evaluation_id,
                question_id=question.id,
                project_id=exam.project_id,
                request_key=exam.request_key(messages),
                completion=completion,
                scores=dict(scores),
            )
        )
    with database.transaction() as session:
        session.add_all(rows)


def _completion(question: BenchmarkQuestion, planned: Planned, source: Random) -> str:
    names = [str(step["expert"]) for step in question.plan["steps"]]  # pyright: ignore
    if source.random() >= planned.accuracy:
        kind = source.choice(["other", "other", "extra", "turned", "form"])
        left = [each for each in EXPERTS if each not in names]
        if kind == "form":
            return (
                f"<think>\n先想一想。\n</think>\n\n{to_text(_plan(question.text, names), 'zh@1')}"
            )
        if kind == "turned" and len(names) > 1:
            names = names[::-1]
        elif kind == "extra" and left:
            names = [*names, source.choice(left)]
        else:
            names = [source.choice(left), *names[1:]]
    length = max(20, round(source.gauss(planned.length, planned.deviation)))
    thinking = f"用户想知道{question.text}。需要{'，再请'.join(names)}。"
    padding = "再核对一遍各位的职责与先后，确认没有遗漏。"
    thinking = (thinking + padding * (length // len(padding) + 1))[:length]
    return completion_of(_plan(question.text, names), thinking)


def completion_of(plan: Mapping[str, object], thinking: str) -> str:
    """An answer in the strict form."""
    return f"<think>\n{thinking}\n</think>\n\n<answer>\n{to_text(plan, 'zh@1')}\n</answer>"


def main(home: str, url: str) -> None:
    settings = Settings(home=Path(home))
    database = open_database(settings)
    who = command_line_actor(database, "main")
    evaluate_now(database, settings, who, an_order(url))
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
