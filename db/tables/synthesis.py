"""Model endpoints, batches of requests to them, and one row for each answer wanted."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from db.tables.base import Table, UtcDateTime, new_id, now


class ModelEndpoint(Table, table=True):
    """A model at an address, known by a name; `schemas.models` says what its values mean.

    The key is known by the name of an environment variable only. Prices are for a million tokens;
    `probe` is what was found out by asking it.
    """

    __table_args__ = (sa.UniqueConstraint("project_id", "name"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    name: str
    url: str
    model: str
    key_env: str | None = None
    weight: float = 1.0
    stream: bool = False
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    input_price: float | None = None
    output_price: float | None = None
    currency: str = ""
    probe: dict[str, object] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    added_by: str | None = Field(default=None, foreign_key="person.id")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class SynthesisBatch(Table, table=True):
    """What is asked of which endpoint; `order` is a `schemas.synthesis.SynthesisOrder`.

    `reason` says why a batch stopped before its end (`code` and `values` of a sentence). `round`
    grows each time the batch is set going again, so that each time is its own piece of work.
    `budget` (a `schemas.synthesis.Budget`) may be raised; what was spent is summed up in the
    transactions that store replies.
    """

    __table_args__ = (
        sa.CheckConstraint(
            "state IN ('running', 'done', 'stopped', 'paused', 'cancelled')", name="known_state"
        ),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id", index=True)
    order: dict[str, object] = Field(sa_type=sa.JSON)
    order_hash: str = Field(index=True)
    state: str = "running"
    reason: dict[str, object] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    round: int = 1
    created_by: str | None = Field(default=None, foreign_key="person.id")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    resumed_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    budget: dict[str, object] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    currency: str = Field(default="", sa_column_kwargs={"server_default": ""})
    spent_money: float = Field(default=0.0, sa_column_kwargs={"server_default": "0"})
    spent_tokens: int = Field(
        default=0, sa_type=sa.BigInteger, sa_column_kwargs={"server_default": "0"}
    )


class SynthesisRequest(Table, table=True):
    """One answer wanted; its key says when it is the same answer again.

    A process that works on a row holds it (`owner`) until `lease_until`. `round` grows each time
    the answer is asked for again; `failure` is a code of the area `synthesis` or `replies`. A
    `trace` is to be written for an accepted revision; a `decode` is a plan to be read from such a
    trace (`rederivation_id`) by somebody who knows nothing else; a `repair` writes the plan
    in a suggestion (`suggestion_id`) in good form; a `trial` is asked with a prompt that is not the
    query's own (`prompt_version_id`). Tokens and `cost` are of all replies that came for it.
    """

    __table_args__ = (
        sa.Index("ix_synthesis_request_batch_state", "batch_id", "state", "id"),
        sa.Index("ix_synthesis_request_rederivation", "rederivation_id"),
        sa.CheckConstraint("state IN ('open', 'done', 'failed')", name="known_state"),
        sa.CheckConstraint(
            "kind IN ('answer', 'trace', 'decode', 'repair', 'trial')", name="known_kind"
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    batch_id: str = Field(foreign_key="synthesis_batch.id")
    query_id: str = Field(foreign_key="query.id", index=True)
    candidate: int
    request_key: str = Field(unique=True)
    state: str = "open"
    round: int = 1
    attempts: int = 0
    failure: str | None = None
    detail: str | None = Field(default=None, sa_type=sa.Text)
    owner: str | None = None
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    seconds: float = 0.0
    updated_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    kind: str = Field(default="answer", sa_column_kwargs={"server_default": "answer"})
    revision_id: str | None = None
    rederivation_id: str | None = None
    cost: float = Field(default=0.0, sa_column_kwargs={"server_default": "0"})
    prompt_version_id: str | None = None
    suggestion_id: str | None = None


class Rederivation(Table, table=True):
    """A trace written anew for an accepted revision, what its tests say, and a reviewer's verdict.

    `testing` while blind plans are asked for, then `waiting` for a reviewer or `refused`; a refusal
    by a test has a `failure` (area `synthesis`), one by a reviewer a `reason`. `request_id` is the
    request that brought the trace, `prompt_version` says of which templates it is.
    """

    __table_args__ = (
        sa.Index("ix_rederivation_state", "project_id", "state", "id"),
        sa.CheckConstraint(
            "state IN ('testing', 'waiting', 'accepted', 'refused')", name="known_state"
        ),
        sa.CheckConstraint("reviewer_id <> author_id", name="never_own_work"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    query_id: str = Field(foreign_key="query.id", index=True)
    revision_id: str = Field(foreign_key="revision.id", index=True)
    author_id: str = Field(foreign_key="person.id")
    suggestion_id: str = Field(foreign_key="suggestion.id", unique=True)
    batch_id: str = Field(foreign_key="synthesis_batch.id", index=True)
    request_id: int
    prompt_version: str
    tries: int
    agree: int
    state: str
    failure: str | None = None
    passage: str | None = Field(default=None, sa_type=sa.Text)
    reviewer_id: str | None = Field(default=None, foreign_key="person.id")
    reason: str = Field(default="", sa_type=sa.Text)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class BlindDecode(Table, table=True):
    """What somebody made of a re-derived trace alone, raw first.

    `agrees` tells whether the plan has the accepted experts in each stage; unknown where the body
    was no reply at all.
    """

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    rederivation_id: str = Field(foreign_key="rederivation.id", index=True)
    number: int
    request_key: str = Field(unique=True)
    raw_reply: bytes
    plan: dict[str, object] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    failure: str | None = None
    agrees: bool | None = None
    usage: dict[str, object] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class RepairCall(Table, table=True):
    """What a model made of a plan that was not well-formed, raw first.

    Where it could be used, `plan` stands in the suggestion too, which is marked as repaired.
    """

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    batch_id: str = Field(foreign_key="synthesis_batch.id", index=True)
    suggestion_id: str = Field(foreign_key="suggestion.id", index=True)
    request_key: str = Field(unique=True)
    model: str
    endpoint: str
    raw_reply: bytes
    plan: dict[str, object] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    failure: str | None = None
    usage: dict[str, object] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class TrialReply(Table, table=True):
    """An answer under a prompt on trial, raw first; never labelled and never trained on."""

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    batch_id: str = Field(foreign_key="synthesis_batch.id", index=True)
    query_id: str = Field(foreign_key="query.id", index=True)
    prompt_version_id: str = Field(foreign_key="prompt_version.id")
    candidate: int
    request_key: str = Field(unique=True)
    model: str
    endpoint: str
    raw_reply: bytes
    reply_shape: str | None = None
    trace_length: int = 0
    plan: dict[str, object] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    failure: str | None = None
    is_repaired: bool = False
    cost: float = 0.0
    tokens: int = 0
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
