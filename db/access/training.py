"""Chains, runs, planners and benchmarks."""

from collections.abc import Sequence
from typing import cast

import sqlalchemy as sa
from pydantic import JsonValue
from sqlmodel import Session, col, select

from db.tables import (
    Benchmark,
    BenchmarkQuestion,
    Bundle,
    Chain,
    Evaluation,
    ListVersion,
    Planner,
    Project,
    PromptVersion,
    Run,
)
from db.tables.base import now
from schemas.errors import NotFound
from schemas.evaluation import BenchmarkView
from schemas.training import STAGES

LIVE = ("running", "stopping")
_CHUNK = 500


def get_bundle(session: Session, project_id: str, bundle_id: str) -> Bundle:
    """A bundle by id.

    Raises:
        NotFound: `training.bundle_not_found`.
    """
    row = session.get(Bundle, bundle_id)
    if row is None or row.project_id != project_id:
        raise NotFound("training.bundle_not_found", bundle=bundle_id)
    return row


def find_bundle(session: Session, project_id: str, reference: str) -> Bundle | None:
    """A bundle by id, or the newest of that name."""
    statement = (
        select(Bundle)
        .where(Bundle.project_id == project_id)
        .where(sa.or_(col(Bundle.id) == reference, col(Bundle.name) == reference))
        .order_by(col(Bundle.id).desc())
    )
    return session.exec(statement).first()


def get_chain(session: Session, project_id: str | None, chain_id: str) -> Chain:
    """A chain by id; of any project for the workflow that drives it.

    Raises:
        NotFound: `training.chain_not_found`.
    """
    row = session.get(Chain, chain_id)
    if row is None or (project_id is not None and row.project_id != project_id):
        raise NotFound("training.chain_not_found", chain=chain_id)
    return row


def find_live_chain(session: Session, bundle_id: str, recipe: str) -> list[Chain]:
    """Chains of a bundle and recipe that are not over."""
    statement = select(Chain).where(
        Chain.bundle_id == bundle_id, Chain.recipe == recipe, col(Chain.state).in_(LIVE)
    )
    return list(session.exec(statement))


def list_chains(session: Session, project_id: str, limit: int) -> list[tuple[Chain, str]]:
    """Chains with the name of their bundle, newest first."""
    statement = (
        select(Chain, Bundle.name)
        .join(Bundle, col(Bundle.id) == col(Chain.bundle_id))
        .where(Chain.project_id == project_id)
        .order_by(col(Chain.id).desc())
        .limit(limit)
    )
    return list(session.exec(statement))


def attempt_of(chain: Chain) -> int:
    """How often the chain has been set going; 1 before it was ever resumed."""
    attempt = chain.report.get("attempt", 1)
    return attempt if isinstance(attempt, int) else 1


def set_stage(session: Session, chain_id: str, stage: str, **changes: JsonValue) -> None:
    """Replace what a chain's report says of one stage; a stored JSON value is never edited.

    The chain stands at the stage that was told last, those that are off left out.
    """
    chain = session.get_one(Chain, chain_id, with_for_update=True)
    report = cast(dict[str, JsonValue], chain.report)
    stages = cast(dict[str, dict[str, JsonValue]], report.get("stages") or {})
    chain.report = {**report, "stages": {**stages, stage: {**stages.get(stage, {}), **changes}}}
    if stage in STAGES and changes.get("state") != "off":
        chain.stage = stage
    session.add(chain)


def stage_report(report: dict[str, object], stage: str) -> dict[str, JsonValue]:
    """What a chain's report says of one stage; empty before it has begun."""
    stages = cast(dict[str, dict[str, JsonValue]], report.get("stages") or {})
    return stages.get(stage, {})


def find_run(session: Session, chain_id: str, stage: str) -> Run | None:
    """The latest attempt of a stage."""
    statement = (
        select(Run)
        .where(Run.chain_id == chain_id, Run.stage == stage)
        .order_by(col(Run.attempt).desc())
    )
    return session.exec(statement).first()


def list_attempts(session: Session, chain_id: str, stage: str) -> list[Run]:
    """All attempts of a stage, in their order."""
    statement = select(Run).where(Run.chain_id == chain_id, Run.stage == stage)
    return list(session.exec(statement.order_by(col(Run.attempt))))


def get_run(session: Session, project_id: str, run_id: str) -> Run:
    """A run by id.

    Raises:
        NotFound: `training.run_not_found`.
    """
    row = session.get(Run, run_id)
    if row is None or row.project_id != project_id:
        raise NotFound("training.run_not_found", run=run_id)
    return row


def list_runs(session: Session, project_id: str, chain_id: str | None, limit: int) -> list[Run]:
    """Runs, newest first; of one chain or of all."""
    statement = select(Run).where(Run.project_id == project_id)
    if chain_id is not None:
        statement = statement.where(Run.chain_id == chain_id)
    return list(session.exec(statement.order_by(col(Run.id).desc()).limit(limit)))


def find_benchmark(session: Session, project_id: str, reference: str | None) -> Benchmark | None:
    """The benchmark `NAME[@N]`, else the project's newest."""
    statement = select(Benchmark).where(Benchmark.project_id == project_id)
    if reference is not None:
        name, _, version = reference.partition("@")
        statement = statement.where(Benchmark.name == name)
        if version:
            statement = statement.where(Benchmark.version == int(version))
        statement = statement.order_by(col(Benchmark.version).desc())
    return session.exec(statement.order_by(col(Benchmark.id).desc())).first()


def list_benchmarks(session: Session, project_id: str) -> list[BenchmarkView]:
    """Benchmarks of a project with their number of questions, newest first."""
    statement = (
        select(Benchmark, ListVersion, sa.func.count(col(BenchmarkQuestion.id)))
        .join(ListVersion, col(ListVersion.id) == Benchmark.list_version_id)
        .outerjoin(BenchmarkQuestion, col(BenchmarkQuestion.benchmark_id) == Benchmark.id)
        .where(Benchmark.project_id == project_id)
        .group_by(col(Benchmark.id), col(ListVersion.id))
        .order_by(col(Benchmark.id).desc())
    )
    return [
        BenchmarkView(
            id=row.id,
            reference=f"{row.name}@{row.version}",
            expert_list=f"{under.name}@{under.version}",
            questions=count,
        )
        for row, under, count in session.exec(statement)
    ]


def list_questions(
    session: Session, benchmark_id: str, limit: int | None
) -> Sequence[BenchmarkQuestion]:
    """Questions by id, at most so many."""
    statement = select(BenchmarkQuestion).where(BenchmarkQuestion.benchmark_id == benchmark_id)
    return session.exec(statement.order_by(col(BenchmarkQuestion.id)).limit(limit)).all()


def list_questions_of(
    session: Session, benchmark_id: str, question_ids: Sequence[str]
) -> Sequence[BenchmarkQuestion]:
    """These questions of a benchmark, by id."""
    statement = (
        select(BenchmarkQuestion)
        .where(BenchmarkQuestion.benchmark_id == benchmark_id)
        .order_by(col(BenchmarkQuestion.id))
    )
    found: list[BenchmarkQuestion] = []
    for start in range(0, len(question_ids), _CHUNK):
        among = sorted(question_ids)[start : start + _CHUNK]
        found += session.exec(statement.where(col(BenchmarkQuestion.id).in_(among)))
    return found


def get_list_content(session: Session, version_id: str) -> dict[str, object]:
    """The content of an expert list version."""
    return session.get_one(ListVersion, version_id).content


def get_prompt(session: Session, version_id: str) -> PromptVersion:
    """A prompt version."""
    return session.get_one(PromptVersion, version_id)


def get_project(session: Session, project_id: str) -> Project:
    """A project."""
    return session.get_one(Project, project_id)


def find_planner(session: Session, project_id: str, reference: str) -> Planner | None:
    """A planner by id or name, the newest first."""
    statement = (
        select(Planner)
        .where(Planner.project_id == project_id)
        .where(sa.or_(col(Planner.id) == reference, col(Planner.name) == reference))
        .order_by(col(Planner.id).desc())
    )
    return session.exec(statement).first()


def get_planner(session: Session, project_id: str, planner_id: str) -> Planner:
    """A planner by id.

    Raises:
        NotFound: `evaluate.planner_not_found`.
    """
    row = session.get(Planner, planner_id)
    if row is None or row.project_id != project_id:
        raise NotFound("evaluate.planner_not_found", planner=planner_id)
    return row


def find_planner_of_run(session: Session, run_id: str) -> Planner | None:
    """The planner that a run's checkpoint became."""
    return session.exec(select(Planner).where(Planner.run_id == run_id)).first()


def find_external_planner(
    session: Session, project_id: str, endpoint: str, model: str
) -> Planner | None:
    """The planner behind an endpoint and model name."""
    statement = select(Planner).where(
        Planner.project_id == project_id, Planner.endpoint == endpoint, Planner.model == model
    )
    return session.exec(statement).first()


def list_planners(session: Session, project_id: str) -> list[Planner]:
    """Planners, newest first."""
    statement = select(Planner).where(Planner.project_id == project_id)
    return list(session.exec(statement.order_by(col(Planner.id).desc())))


def finish_chain(session: Session, chain_id: str, state: str) -> None:
    """The end of a chain."""
    chain = session.get_one(Chain, chain_id, with_for_update=True)
    chain.state, chain.finished_at = state, now()
    session.add(chain)


def get_planner_of_evaluation(session: Session, evaluation_id: str) -> Planner:
    """The planner that an evaluation is about."""
    return session.get_one(Planner, session.get_one(Evaluation, evaluation_id).planner_id)


def find_ids(session: Session, project_id: str, beginning: str) -> tuple[str | None, str | None]:
    """The chain and the run that an id, or the beginning or end of one, names; newest first."""
    chain = session.exec(
        select(Chain.id)
        .where(Chain.project_id == project_id)
        .where(_named(Chain, beginning))
        .order_by(col(Chain.id).desc())
    ).first()
    run = session.exec(
        select(Run.id)
        .where(Run.project_id == project_id)
        .where(_named(Run, beginning))
        .order_by(col(Run.id).desc())
    ).first()
    return chain, run


def _named(table: type[Chain] | type[Run], part: str) -> sa.ColumnElement[bool]:
    return sa.or_(
        col(table.id).startswith(part, autoescape=True),
        col(table.id).endswith(part, autoescape=True),
    )
