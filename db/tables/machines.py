"""Machines that train: nodes of workers, who waits for devices, and runs across several nodes."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from db.tables.base import Table, UtcDateTime, now


class Node(Table, table=True):
    """A worker's machine as it last reported itself; it belongs to the installation.

    `devices` are the ids of its GPUs. It has gone when `seen_at` is old.
    """

    name: str = Field(primary_key=True)
    machine: str
    address: str
    devices: list[str] = Field(sa_type=sa.JSON)
    cpu_runs: int
    started_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    seen_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class DevicePlace(Table, table=True):
    """Somebody who waits for devices of a machine, or has them; served by number.

    `folder` (relative to the installation's home) says who: of a run, a run's member or a server.
    `devices` are absent while it waits, and empty for a place on the CPU. `executor_id` answers
    for it until a supervisor does.
    """

    number: int | None = Field(default=None, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    folder: str = Field(unique=True)
    label: str
    machine: str = Field(index=True)
    wanted: int
    executor_id: str
    devices: list[str] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    asked_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    given_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Gang(Table, table=True):
    """A run on several nodes: it starts when all have answered and ends with the first loss."""

    __table_args__ = (
        sa.CheckConstraint(
            "state IN ('gathering', 'started', 'ending', 'over')", name="known_state"
        ),
    )

    run_id: str = Field(primary_key=True, foreign_key="run.id")
    project_id: str = Field(foreign_key="project.id")
    state: str = "gathering"
    master_address: str | None = None
    master_port: int | None = None


class GangMember(Table, table=True):
    """A node's part in a gang; its own worker starts it, watches it and writes how it ended."""

    run_id: str = Field(primary_key=True, foreign_key="gang.run_id")
    rank: int = Field(primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    node: str = Field(index=True)
    folder: str
    state: str = "asked"
    port: int | None = None
    reason: str | None = None
    reason_values: dict[str, object] = Field(default_factory=dict, sa_type=sa.JSON)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
