"""Bundles, runs, planners and evaluations."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from db.tables.base import Table, UtcDateTime, new_id, now


class Bundle(Table, table=True):
    """A frozen export; `folder` is relative to the installation's home."""

    __table_args__ = (
        sa.CheckConstraint(
            "state IN ('writing', 'verifying', 'ready', 'ready_lengths_unknown', 'refused')",
            name="known_state",
        ),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id", index=True)
    name: str
    state: str = "writing"
    recipe: dict[str, object] = Field(sa_type=sa.JSON)
    folder: str
    manifest_hash: str | None = None
    counts: dict[str, object] = Field(default_factory=dict, sa_type=sa.JSON)
    refusal: dict[str, object] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    created_by: str | None = Field(default=None, foreign_key="person.id")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class BundleRow(Table, table=True):
    """Which row of which file came from which query, for recall."""

    bundle_id: str = Field(foreign_key="bundle.id", primary_key=True)
    file: str = Field(primary_key=True)
    line: int = Field(primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    query_id: str = Field(foreign_key="query.id", index=True)
    source_id: str
    row_hash: str


class Chain(Table, table=True):
    """One click of the training button: the gated stages in order."""

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id", index=True)
    bundle_id: str = Field(foreign_key="bundle.id")
    recipe: str
    order: dict[str, object] = Field(sa_type=sa.JSON)
    state: str = "running"
    stage: str = "preflight"
    report: dict[str, object] = Field(default_factory=dict, sa_type=sa.JSON)
    created_by: str | None = Field(default=None, foreign_key="person.id")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Run(Table, table=True):
    """One training stage, launch to verdict; its process is known by pid, start time and token."""

    __table_args__ = (sa.UniqueConstraint("chain_id", "stage", "attempt"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id", index=True)
    chain_id: str | None = Field(default=None, foreign_key="chain.id")
    bundle_id: str = Field(foreign_key="bundle.id")
    stage: str
    attempt: int = 1
    recipe: str
    parameters: dict[str, object] = Field(default_factory=dict, sa_type=sa.JSON)
    state: str = "starting"
    folder: str
    token: str
    pid: int | None = None
    process_started: float | None = None
    exit_code: int | None = None
    reason: str | None = Field(default=None, sa_type=sa.Text)
    checkpoint: str | None = None
    scoring_hash: str | None = None
    dataset_hash: str | None = None
    created_by: str | None = Field(default=None, foreign_key="person.id")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Planner(Table, table=True):
    """An evaluated model: a checkpoint of a run, or an endpoint and model name marked external.

    `key_env` names the environment variable that holds the key of an external one.
    """

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id", index=True)
    name: str
    run_id: str | None = Field(default=None, foreign_key="run.id")
    checkpoint: str | None = None
    checkpoint_hash: str | None = None
    endpoint: str | None = None
    model: str | None = None
    key_env: str | None = None
    is_external: bool = False
    is_promoted: bool = False
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Evaluation(Table, table=True):
    """A planner on a benchmark, under the project's prompt of that day.

    `terms` is how it is asked (`schemas.evaluation.Terms`); older evaluations have none.
    """

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id", index=True)
    planner_id: str = Field(foreign_key="planner.id")
    benchmark_id: str = Field(foreign_key="benchmark.id")
    prompt_version_id: str = Field(foreign_key="prompt_version.id")
    scoring_hash: str
    terms: dict[str, object] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    state: str = "running"
    figures: dict[str, object] = Field(default_factory=dict, sa_type=sa.JSON)
    created_by: str | None = Field(default=None, foreign_key="person.id")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class EvaluationAnswer(Table, table=True):
    """What the planner said to one question, and its scores.

    `request_key` is a hash of all that was asked of whom; absent where the endpoint gave no answer.
    """

    __table_args__ = (sa.Index("ix_evaluation_answer_request", "project_id", "request_key"),)

    evaluation_id: str = Field(foreign_key="evaluation.id", primary_key=True)
    question_id: str = Field(foreign_key="benchmark_question.id", primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    request_key: str | None = None
    completion: str = Field(sa_type=sa.Text)
    scores: dict[str, object] = Field(sa_type=sa.JSON)
