"""Evaluations, their answers, and what was asked before."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db.tables import (
    Benchmark,
    BenchmarkQuestion,
    Evaluation,
    EvaluationAnswer,
    Planner,
    PromptVersion,
)
from schemas.errors import NotFound

CHUNK = 500


class Listed(NamedTuple):
    """An evaluation with what it is of."""

    evaluation: Evaluation
    planner: Planner
    benchmark: Benchmark
    prompt: PromptVersion


class KnownAnswer(NamedTuple):
    """What was answered to the same request before."""

    request_key: str
    completion: str
    scores: Mapping[str, float]


def get_evaluation(session: Session, project_id: str, evaluation_id: str) -> Evaluation:
    """An evaluation by id.

    Raises:
        NotFound: `evaluate.not_found`.
    """
    row = session.get(Evaluation, evaluation_id)
    if row is None or row.project_id != project_id:
        raise NotFound("evaluate.not_found", evaluation=evaluation_id)
    return row


def list_evaluations(session: Session, project_id: str) -> list[Listed]:
    """Evaluations with planner, benchmark and prompt, newest first."""
    statement = (
        select(Evaluation, Planner, Benchmark, PromptVersion)
        .join(Planner, col(Planner.id) == col(Evaluation.planner_id))
        .join(Benchmark, col(Benchmark.id) == col(Evaluation.benchmark_id))
        .join(PromptVersion, col(PromptVersion.id) == col(Evaluation.prompt_version_id))
        .where(Evaluation.project_id == project_id)
        .order_by(col(Evaluation.id).desc())
    )
    return [Listed(*row) for row in session.exec(statement)]


def count_answers(session: Session, evaluation_ids: Sequence[str]) -> dict[str, int]:
    """How many questions each of these evaluations has answered."""
    statement = (
        select(EvaluationAnswer.evaluation_id, sa.func.count())
        .where(col(EvaluationAnswer.evaluation_id).in_(evaluation_ids))
        .group_by(col(EvaluationAnswer.evaluation_id))
    )
    return dict(session.exec(statement).all())


def count_questions(session: Session, project_id: str) -> dict[str, int]:
    """How many questions each benchmark of a project has."""
    statement = (
        select(BenchmarkQuestion.benchmark_id, sa.func.count())
        .where(BenchmarkQuestion.project_id == project_id)
        .group_by(col(BenchmarkQuestion.benchmark_id))
    )
    return dict(session.exec(statement).all())


def list_alike(
    session: Session, planner_id: str, benchmark_id: str, prompt_version_id: str
) -> Sequence[Evaluation]:
    """Evaluations of a planner on a benchmark under a prompt, newest first."""
    statement = (
        select(Evaluation)
        .where(
            Evaluation.planner_id == planner_id,
            Evaluation.benchmark_id == benchmark_id,
            Evaluation.prompt_version_id == prompt_version_id,
        )
        .order_by(col(Evaluation.id).desc())
    )
    return session.exec(statement).all()


def answered_ids(
    session: Session, evaluation_id: str, among: Sequence[str] | None = None
) -> set[str]:
    """The questions that an evaluation has answered; of all, or among these."""
    statement = select(EvaluationAnswer.question_id).where(
        EvaluationAnswer.evaluation_id == evaluation_id
    )
    if among is not None:
        statement = statement.where(col(EvaluationAnswer.question_id).in_(among))
    return set(session.exec(statement).all())


def forget_failed(session: Session, evaluation_id: str) -> int:
    """Take out the questions that the endpoint did not answer; returns how many there were."""
    statement = sa.delete(EvaluationAnswer).where(
        col(EvaluationAnswer.evaluation_id) == evaluation_id,
        col(EvaluationAnswer.request_key).is_(None),
    )
    return session.connection().execute(statement).rowcount


def known_answers(
    session: Session, project_id: str, request_keys: Sequence[str]
) -> dict[str, KnownAnswer]:
    """What was answered before, by request; of several answers the newest."""
    found: dict[str, KnownAnswer] = {}
    for start in range(0, len(request_keys), CHUNK):
        statement = (
            select(
                EvaluationAnswer.request_key, EvaluationAnswer.completion, EvaluationAnswer.scores
            )
            .where(EvaluationAnswer.project_id == project_id)
            .where(col(EvaluationAnswer.request_key).in_(request_keys[start : start + CHUNK]))
            .order_by(col(EvaluationAnswer.evaluation_id))
        )
        for key, completion, scores in session.exec(statement):
            known = KnownAnswer(str(key), completion, cast(Mapping[str, float], scores))
            found[known.request_key] = known
    return found


def list_answers(
    session: Session, evaluation_id: str, question_ids: Sequence[str] | None = None
) -> list[EvaluationAnswer]:
    """The answers of an evaluation by question id; to these questions, or to all."""
    statement = (
        select(EvaluationAnswer)
        .where(EvaluationAnswer.evaluation_id == evaluation_id)
        .order_by(col(EvaluationAnswer.question_id))
    )
    if question_ids is None:
        return list(session.exec(statement))
    found: list[EvaluationAnswer] = []
    for start in range(0, len(question_ids), CHUNK):
        among = sorted(question_ids)[start : start + CHUNK]
        found += session.exec(statement.where(col(EvaluationAnswer.question_id).in_(among)))
    return found


def read_scores(session: Session, evaluation_id: str) -> dict[str, Mapping[str, float]]:
    """The scores of an evaluation's answers by question, without what was answered."""
    statement = select(EvaluationAnswer.question_id, EvaluationAnswer.scores).where(
        EvaluationAnswer.evaluation_id == evaluation_id
    )
    return {key: cast(Mapping[str, float], scores) for key, scores in session.exec(statement)}


def count_steps(session: Session, benchmark_id: str) -> dict[str, int]:
    """How many steps the accepted plan of each question has."""
    statement = select(BenchmarkQuestion.id, BenchmarkQuestion.plan).where(
        BenchmarkQuestion.benchmark_id == benchmark_id
    )
    return {key: len(cast(list[object], plan["steps"])) for key, plan in session.exec(statement)}
