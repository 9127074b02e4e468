"""Queries, what models said to them, where they came from, and benchmarks apart from them."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from db.tables.base import Table, UtcDateTime, new_id, now


class ImportFile(Table, table=True):
    """One import: what was read, what became of it."""

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id", index=True)
    kind: str
    file_name: str
    state: str = "running"
    counts: dict[str, int] = Field(default_factory=dict, sa_type=sa.JSON)
    errors_file: str | None = None
    imported_by: str | None = Field(default=None, foreign_key="person.id")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Query(Table, table=True):
    """What the user asked, with its four pins.

    `import_key` is how a row is known again within (project, kind); `content_hash` tells whether it
    came back changed. Of a historical chat row, `messages` is the JSON array of the messages before
    the answer (system, turns, user) with every content as it came, and `answer` the old answer's
    text. `state` caches what annotations, tasks and suggestions say (waiting, ready, in_work,
    in_review, decided); `db.access.queries.refresh_state` derives it. `priority` (the higher comes
    first) and `disagreement` (0 to 1 among its suggestions, unknown before there are two) make the
    rank of its tasks.
    """

    __table_args__ = (
        sa.UniqueConstraint("project_id", "kind", "import_key"),
        sa.Index("ix_query_project", "project_id", "id"),
        sa.Index("ix_query_project_state", "project_id", "state", "id"),
        sa.Index("ix_query_cluster", "project_id", "cluster"),
        sa.CheckConstraint("kind IN ('queries', 'suggestions', 'history')", name="known_kind"),
        sa.CheckConstraint(
            "state IN ('waiting', 'ready', 'in_work', 'in_review', 'decided')", name="known_state"
        ),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    kind: str
    import_key: str
    content_hash: str
    external_id: str | None = None
    text: str = Field(sa_type=sa.Text)
    history: list[dict[str, str]] = Field(default_factory=list, sa_type=sa.JSON)
    messages: str | None = Field(default=None, sa_type=sa.Text)
    answer: str | None = Field(default=None, sa_type=sa.Text)
    list_version_id: str = Field(foreign_key="list_version.id")
    prompt_version_id: str = Field(foreign_key="prompt_version.id")
    dialect: str
    window: int
    cluster: str
    state: str = "waiting"
    priority: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    disagreement: float | None = None
    chosen_annotation_id: str | None = None
    import_id: str | None = Field(default=None, foreign_key="import_file.id")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class NearCluster(Table, table=True):
    """What decides the split of the queries of a cluster; written once, when they are compared.

    `key` is the cluster that first asked nearly the same, or its own. `is_bridge` says that some of
    what is nearly the same has another key all the same, since neither may change.
    """

    project_id: str = Field(foreign_key="project.id", primary_key=True)
    cluster: str = Field(primary_key=True)
    key: str
    is_bridge: bool = False


class Suggestion(Table, table=True):
    """One answer of a model to a query, raw first; or why there is no plan in it.

    A plan that was moved from an older expert list (`migration`) is no model's: it is there to be
    looked at, and never trained on before somebody has accepted it. A `rederived` one has no plan
    of its own: its trace was written for an accepted revision, and is taught with that revision
    (`rederived_for`) once a reviewer has accepted it.

    `raw_reply` is the reply as it came, in bytes, so that the database can refuse nothing in it.
    `failure` is a code of the area `replies` when no usable plan was read.
    """

    __table_args__ = (
        sa.CheckConstraint(
            "origin IN ('model', 'import', 'history', 'migration', 'rederived')",
            name="known_origin",
        ),
        sa.CheckConstraint("plan IS NULL OR failure IS NULL", name="plan_or_failure"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id", index=True)
    query_id: str = Field(foreign_key="query.id", index=True)
    origin: str
    request_key: str | None = Field(default=None, unique=True)
    batch_id: str | None = Field(default=None, index=True)
    candidate: int = 1
    model: str | None = None
    endpoint: str | None = None
    raw_reply: bytes | None = None
    reply_shape: str | None = None
    trace: str | None = Field(default=None, sa_type=sa.Text)
    trace_length: int = 0
    plan: dict[str, object] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    partial_plan: dict[str, object] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    failure: str | None = None
    is_repaired: bool = False
    usage: dict[str, object] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    rederived_for: str | None = None


class Benchmark(Table, table=True):
    """Standard questions under NAME@N; frozen, to evaluate and never to train."""

    __table_args__ = (sa.UniqueConstraint("project_id", "name", "version"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    name: str
    version: int
    content_hash: str
    list_version_id: str = Field(foreign_key="list_version.id")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class BenchmarkQuestion(Table, table=True):
    """One question of a benchmark with its accepted plan."""

    __table_args__ = (sa.UniqueConstraint("benchmark_id", "import_key"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id", index=True)
    benchmark_id: str = Field(foreign_key="benchmark.id")
    import_key: str
    content_hash: str
    text: str = Field(sa_type=sa.Text)
    history: list[dict[str, str]] = Field(default_factory=list, sa_type=sa.JSON)
    plan: dict[str, object] = Field(sa_type=sa.JSON)
    cluster: str
