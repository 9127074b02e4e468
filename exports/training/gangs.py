"""A run on several nodes is one gang: all start together, and the first loss ends all.

The driver of the chain gathers it; each node's worker starts and watches its own member. Whoever
looks (driver or worker) brings in what was lost, so that a gang whose driver has died ends too.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import JsonValue

from db.access import machines
from db.engine import Database, take_turns
from db.tables import GangMember
from exports.training import nodes
from schemas.training import RunState

LIVE = machines.LIVE
_TOLD: Mapping[str, str] = {
    "training.killed_by_signal": "member_killed",
    "training.exited": "member_exited",
    "training.supervisor_lost": "member_lost",
}


class Member(NamedTuple):
    """One node's part, as its row says."""

    rank: int
    node: str
    state: str
    reason: str | None
    values: Mapping[str, JsonValue]
    ended_at: float


class Verdict(NamedTuple):
    """How a gang ended."""

    state: RunState
    reason: str
    values: dict[str, JsonValue]


def members_of(database: Database, run_id: str) -> list[Member]:
    """The members of a gang, by rank."""
    with database.reading() as session:
        return [_member(row) for row in machines.list_members(session, run_id)]


def mind(database: Database, run_id: str) -> None:
    """End a gang that has lost a member or its node, and close one of which all are over."""
    with database.reading() as session:
        gang = machines.find_gang(session, run_id)
        if gang is None or gang.state in ("gathering", "over"):
            return
        members = machines.list_members(session, run_id)
    here = nodes.answering(database)
    lost = [each for each in members if each.state in LIVE and each.node not in here]
    ended = [each for each in members if each.state not in LIVE]
    if not lost and not ended:
        return
    with database.transaction() as session:
        take_turns(session, f"gang {run_id}")
        for each in lost:
            values: dict[str, JsonValue] = {"node": each.node}
            reason = "training.node_lost"
            machines.set_member(session, run_id, each.rank, "lost", reason=reason, values=values)
        is_over = len(lost) + len(ended) == len(members)
        if is_over or lost or any(each.state != "succeeded" for each in ended):
            machines.set_gang(session, run_id, "over" if is_over else "ending")


def verdict(members: Sequence[Member], *, is_stopping: bool) -> Verdict:
    """Why a gang ended: a lost node before a killed member before the first that failed.

    It has succeeded when every member has.
    """
    first = members[0]
    if all(each.state == "succeeded" for each in members):
        return Verdict("succeeded", first.reason or "training.succeeded", dict(first.values))
    for each in members:
        if each.state == "lost":
            return Verdict("failed", "training.node_lost", {"node": each.node})
    failed = [each for each in members if each.state == "failed"]
    if is_stopping or not failed:
        stopped = first if first.state == "stopped" else None
        values = dict(stopped.values) if stopped else {}
        reason = stopped.reason if stopped and stopped.reason else "training.stopped"
        return Verdict("stopped", reason, values)
    worst = min(failed, key=lambda each: (_is_echo(each), each.ended_at))
    code = _TOLD.get(worst.reason or "")
    if code is None:
        return Verdict("failed", worst.reason or "training.exited", dict(worst.values))
    return Verdict("failed", f"training.{code}", {"node": worst.node, **worst.values})


def _is_echo(member: Member) -> bool:
    """Whether a failure may be the answer to another's: the connection broke, torchrun ended it."""
    is_killed = member.reason in ("training.killed_by_signal", "training.supervisor_lost")
    return not is_killed or member.values.get("signal") == "SIGTERM"


def _member(row: GangMember) -> Member:
    values: dict[str, JsonValue] = {
        name: value if isinstance(value, int | float | str) else str(value)
        for name, value in row.reason_values.items()
    }
    ended = row.ended_at.timestamp() if row.ended_at else 0.0
    return Member(row.rank, row.node, row.state, row.reason, values, ended)
