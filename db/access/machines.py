"""Nodes and runs that go over several; how old a sign of life is, the database's clock says."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from pydantic import JsonValue
from sqlmodel import Session, col, select

from db.tables import Gang, GangMember, Node
from db.tables.base import now

LIVE = ("asked", "ready", "running")
"""States of a member that is not over."""


def report_node(
    session: Session,
    name: str,
    *,
    machine: str,
    address: str,
    devices: Sequence[str],
    cpu_runs: int,
) -> None:
    """Write down what a node is; its sign of life comes with it."""
    node = session.get(Node, name) or Node(
        name=name, machine="", address="", devices=[], cpu_runs=0
    )
    node.machine, node.address = machine, address
    node.devices, node.cpu_runs, node.started_at = list(devices), cpu_runs, now()
    session.add(node)
    session.flush()
    beat(session, name)


def beat(session: Session, name: str) -> None:
    """A sign of life of a node."""
    statement = sa.update(Node).where(col(Node.name) == name)
    session.connection().execute(statement.values(seen_at=sa.func.now()))


def forget_node(session: Session, name: str) -> None:
    """A worker leaves."""
    session.connection().execute(sa.delete(Node).where(col(Node.name) == name))


def list_nodes(session: Session) -> list[tuple[Node, float]]:
    """All nodes by name, and for how many seconds each has been silent."""
    silent = sa.extract("epoch", sa.func.now()) - sa.extract("epoch", col(Node.seen_at))
    statement = select(Node, silent).order_by(col(Node.name))
    return [(node, float(seconds)) for node, seconds in session.exec(statement)]


def find_gang(session: Session, run_id: str) -> Gang | None:
    """The gang of a run; None where it trains on one machine."""
    return session.get(Gang, run_id)


def list_members(session: Session, run_id: str) -> list[GangMember]:
    """The members of a gang, by rank."""
    statement = select(GangMember).where(GangMember.run_id == run_id)
    return list(session.exec(statement.order_by(col(GangMember.rank))))


def list_members_on(session: Session, node: str) -> list[GangMember]:
    """What a node has to do: its members that are not over, in gangs that are not over."""
    statement = (
        select(GangMember)
        .join(Gang, col(Gang.run_id) == col(GangMember.run_id))
        .where(GangMember.node == node, Gang.state != "over")
        .where(col(GangMember.state).in_(LIVE))
    )
    return list(session.exec(statement.order_by(col(GangMember.run_id))))


def set_member(
    session: Session,
    run_id: str,
    rank: int,
    state: str,
    *,
    reason: str | None = None,
    values: Mapping[str, JsonValue] | None = None,
    port: int | None = None,
) -> None:
    """Write down how far a member is; one that is over stays as it ended."""
    member = session.get_one(GangMember, (run_id, rank), with_for_update=True)
    if member.state not in LIVE:
        return
    member.state, member.reason, member.reason_values = state, reason, dict(values or {})
    if port is not None:
        member.port = port
    if state not in LIVE:
        member.ended_at = now()
    session.add(member)


def set_gang(session: Session, run_id: str, state: str) -> None:
    """How far a gang is."""
    gang = session.get_one(Gang, run_id, with_for_update=True)
    gang.state = state
    session.add(gang)
