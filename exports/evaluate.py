"""Evaluating planners on benchmarks: questions asked, answers kept and judged, figures compared.

An evaluation uses the project's current prompt and dialect and the list of its benchmark. Answers
are rows, so an interrupted evaluation asks only what is missing.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, cast

from db.access import training
from db.access.events import add_event
from db.engine import Database
from db.tables import Benchmark, BenchmarkQuestion, Evaluation, EvaluationAnswer, Planner
from exports import figures, judging
from exports.asking import Answer, Asking, Question, ask_all
from schemas.errors import InvalidInput, NotFound, PlanwrightError
from schemas.evaluation import (
    AnswerView,
    BenchmarkView,
    Comparison,
    EvaluationView,
    Figures,
    PlannerView,
)
from schemas.experts import ExpertList
from schemas.people import Actor
from schemas.project import ProjectSettings
from schemas.prompt import render_messages
from schemas.scoring.context import ScoringContext
from schemas.scoring.source import source_hash

CHUNK = 32


class Exam(NamedTuple):
    """An evaluation in hand: its questions with their truth, and how each is judged."""

    evaluation_id: str
    project_id: str
    questions: tuple[BenchmarkQuestion, ...]
    expert_list: ExpertList
    prompt: str
    settings: ProjectSettings


def open_evaluation(
    database: Database,
    project_id: str,
    planner_id: str,
    benchmark: str | None,
    *,
    person_id: str | None = None,
) -> str:
    """A new evaluation of a planner under the project's current prompt; its id.

    Raises:
        NotFound: `evaluate.benchmark_not_found`.
        InvalidInput: `evaluate.no_prompt`.
    """
    with database.transaction() as session:
        found = training.find_benchmark(session, project_id, benchmark)
        if found is None:
            raise NotFound("evaluate.benchmark_not_found", benchmark=benchmark or "")
        project = ProjectSettings.model_validate(training.get_project(session, project_id).settings)
        if project.current_prompt_version_id is None:
            raise InvalidInput("evaluate.no_prompt")
        row = Evaluation(
            project_id=project_id,
            planner_id=planner_id,
            benchmark_id=found.id,
            prompt_version_id=project.current_prompt_version_id,
            scoring_hash=source_hash(),
            created_by=person_id,
        )
        session.add(row)
        return row.id


def run_evaluation(
    database: Database,
    evaluation_id: str,
    asking: Asking,
    *,
    limit: int | None = None,
    pause: Callable[[float], None] = lambda _: None,
) -> Figures:
    """Ask what is not answered yet, judge, and write down the figures.

    `pause` is called between chunks; it may raise to leave.

    Raises:
        ModelServiceError: nobody answers at the endpoint; what was answered before is kept.
    """
    exam = _open_exam(database, evaluation_id, limit)
    with database.reading() as session:
        known = {row.question_id for row in training.list_answers(session, evaluation_id)}
    missing = [each for each in exam.questions if each.id not in known]
    for start in range(0, len(missing), CHUNK):
        pause(0)
        chunk = missing[start : start + CHUNK]
        rendered = {each.id: _messages(exam, each, asking) for each in chunk}
        answers = ask_all(asking, [Question(each.id, rendered[each.id]) for each in chunk])
        judged = [
            _judged(exam, question, rendered[question.id], asking, answer)
            for question, answer in zip(chunk, answers, strict=True)
        ]
        with database.transaction() as session:
            session.add_all(judged)
    return _finish(database, exam)


def fail_evaluation(database: Database, evaluation_id: str, error: PlanwrightError) -> None:
    """Write down why an evaluation could not be finished; its answers are kept."""
    values = {name: str(value) for name, value in error.values.items()}
    with database.transaction() as session:
        row = session.get_one(Evaluation, evaluation_id)
        row.state, row.figures = "failed", {"reason": error.code, "values": values}
        session.add(row)


def list_evaluations(database: Database, who: Actor) -> list[EvaluationView]:
    """Evaluations, newest first."""
    who.require("reviewer")
    with database.reading() as session:
        rows = training.list_evaluations(session, who.project_id)
        return [_view(*row, len(training.list_answers(session, row[0].id))) for row in rows]


def list_benchmarks(database: Database, who: Actor) -> list[BenchmarkView]:
    """Benchmarks of the project, newest first."""
    who.require("reviewer")
    with database.reading() as session:
        return training.list_benchmarks(session, who.project_id)


def list_answers(database: Database, who: Actor, evaluation_id: str) -> list[AnswerView]:
    """What the planner said to each question.

    Raises:
        NotFound: `evaluate.not_found`.
    """
    who.require("reviewer")
    with database.reading() as session:
        row = training.get_evaluation(session, who.project_id, evaluation_id)
        texts = {
            each.id: each.text for each in training.list_questions(session, row.benchmark_id, None)
        }
        return [
            AnswerView(
                question_id=each.question_id,
                question=texts[each.question_id],
                completion=each.completion,
                scores=cast(dict[str, float], each.scores),
            )
            for each in training.list_answers(session, evaluation_id)
        ]


def compare_evaluations(database: Database, project_id: str, before: str, after: str) -> Comparison:
    """Two evaluations, question by question.

    Raises:
        NotFound: `evaluate.not_found`.
        InvalidInput: `evaluate.other_benchmark`.
    """
    with database.reading() as session:
        rows = [training.get_evaluation(session, project_id, each) for each in (before, after)]
        if rows[0].benchmark_id != rows[1].benchmark_id:
            raise InvalidInput("evaluate.other_benchmark")
        scores = [
            {
                each.question_id: cast(Mapping[str, float], each.scores)
                for each in training.list_answers(session, row.id)
            }
            for row in rows
        ]
    return figures.compare(scores[0], scores[1])


def external_planner(database: Database, who: Actor, url: str, model: str) -> str:
    """The planner behind an endpoint and model name, marked external; its id."""
    who.require("admin")
    with database.transaction() as session:
        row = training.find_external_planner(session, who.project_id, url, model)
        if row is None:
            row = Planner(
                project_id=who.project_id, name=model, endpoint=url, model=model, is_external=True
            )
            session.add(row)
            add_event(session, who, "planner", row.id, "added")
        return row.id


def list_planners(database: Database, who: Actor) -> list[PlannerView]:
    """Planners, newest first."""
    who.require("reviewer")
    with database.reading() as session:
        return [_planner(row) for row in training.list_planners(session, who.project_id)]


def _open_exam(database: Database, evaluation_id: str, limit: int | None) -> Exam:
    with database.reading() as session:
        row = session.get_one(Evaluation, evaluation_id)
        benchmark = session.get_one(Benchmark, row.benchmark_id)
        project = training.get_project(session, row.project_id)
        return Exam(
            evaluation_id=evaluation_id,
            project_id=row.project_id,
            questions=tuple(training.list_questions(session, row.benchmark_id, limit)),
            expert_list=ExpertList.model_validate(
                training.get_list_content(session, benchmark.list_version_id)
            ),
            prompt=training.get_prompt(session, row.prompt_version_id).template,
            settings=ProjectSettings.model_validate(project.settings),
        )


def _messages(exam: Exam, question: BenchmarkQuestion, asking: Asking) -> list[dict[str, str]]:
    return render_messages(
        exam.prompt,
        exam.expert_list,
        question.history,
        question.text,
        window=exam.settings.window,
        dialect=exam.settings.dialect,
        with_thinking=asking.with_thinking,
    )


def _judged(
    exam: Exam,
    question: BenchmarkQuestion,
    messages: list[dict[str, str]],
    asking: Asking,
    answer: Answer,
) -> EvaluationAnswer:
    think = exam.settings.think
    context = ScoringContext(
        with_thinking=asking.with_thinking,
        dialect=exam.settings.dialect,
        expert_names=exam.expert_list.names,
        gold=question.plan,
        query=question.text,
        system_prompt=messages[0]["content"],
        think_min=think.min,
        think_max=think.max,
        think_eps=think.eps,
        banned_words=exam.settings.banned_words,
    )
    scores = (
        {}
        if answer.problem
        else judging.judge(answer.completion, context, expert_list=exam.expert_list)
    )
    if answer.problem:
        scores[judging.FAILED] = 1.0
    if answer.is_cut_off:
        scores |= {judging.CUT_OFF: 1.0, judging.RIGHT: 0.0}
    return EvaluationAnswer(
        evaluation_id=exam.evaluation_id,
        question_id=question.id,
        project_id=exam.project_id,
        completion=answer.problem or answer.completion,
        scores=dict(scores),
    )


def _finish(database: Database, exam: Exam) -> Figures:
    asked = {each.id for each in exam.questions}
    with database.transaction() as session:
        answers = training.list_answers(session, exam.evaluation_id)
        scores = [
            cast(dict[str, float], each.scores) for each in answers if each.question_id in asked
        ]
        found = figures.figures(scores, len(exam.questions))
        row = session.get_one(Evaluation, exam.evaluation_id)
        row.figures, row.state = found.model_dump(mode="json"), "done"
        session.add(row)
    return found


def _view(row: Evaluation, planner: Planner, benchmark: Benchmark, answered: int) -> EvaluationView:
    return EvaluationView.model_validate(
        {
            "id": row.id,
            "planner": _planner(planner),
            "benchmark": f"{benchmark.name}@{benchmark.version}",
            "state": row.state,
            "answered": answered,
            "figures": row.figures if row.state == "done" else None,
            "reason": row.figures.get("reason"),
            "values": row.figures.get("values", {}),
            "scoring_hash": row.scoring_hash,
            "created_at": row.created_at,
        }
    )


def _planner(row: Planner) -> PlannerView:
    return PlannerView(
        id=row.id,
        name=row.name,
        checkpoint=Path(row.checkpoint).name if row.checkpoint else None,
        checkpoint_hash=row.checkpoint_hash,
        endpoint=row.endpoint,
        model=row.model,
        is_external=row.is_external,
        created_at=row.created_at,
    )
