"""What a worker does for the runs on several nodes that its own node belongs to.

A member is a run like any other, with its worker for an owner: a worker that is killed takes its
member down, and with it the gang.
"""

import socket
from pathlib import Path

from db.access import machines
from db.access import places as place_rows
from db.engine import Database
from db.tables import Gang, GangMember
from exports.training import gangs, launch, places
from exports.training.process import myself
from exports.training.supervisor import ORDER, STOP
from schemas.settings import Settings
from schemas.training import RunOrder


def tend(database: Database, settings: Settings, node: str) -> None:
    """One look at everything that this node has a part in."""
    places.hand_out(database, settings)
    with database.reading() as session:
        mine = machines.list_members_on(session, node)
        gangs_of = {each.run_id: machines.find_gang(session, each.run_id) for each in mine}
    for member in mine:
        gang = gangs_of[member.run_id]
        if gang is not None:
            _tend(database, settings, member, gang)
            gangs.mind(database, member.run_id)


def _tend(database: Database, settings: Settings, member: GangMember, gang: Gang) -> None:
    match (gang.state, member.state):
        case ("gathering", "asked"):
            _answer(database, settings, member)
        case ("started", "ready"):
            _begin(database, settings, member, gang)
        case (_, "running"):
            _watch(database, settings, member, is_ending=gang.state == "ending")
        case ("ending", _):
            _say(database, member, "stopped", "training.stopped")
        case _:
            pass


def _answer(database: Database, settings: Settings, member: GangMember) -> None:
    """Ready, as soon as the devices are given and the run's folder is seen."""
    with database.reading() as session:
        place = place_rows.find_place(session, member.folder)
    if place is None or place.devices is None:
        return
    if (_run_folder(settings, member) / ORDER).exists():
        _say(database, member, "ready", port=_free_port() if member.rank == 0 else None)
    elif member.reason is None:
        _say(database, member, "asked", "training.home_not_shared")


def _begin(database: Database, settings: Settings, member: GangMember, gang: Gang) -> None:
    with database.reading() as session:
        place = place_rows.find_place(session, member.folder)
        count = len(machines.list_members(session, member.run_id))
    devices = place.devices or [] if place else []
    whole = RunOrder.model_validate_json((_run_folder(settings, member) / ORDER).read_bytes())
    config = (_run_folder(settings, member) / "config.yaml").resolve()
    folder = settings.home / member.folder
    environment = whole.environment | {
        "MODELSCOPE_CACHE": str((folder / "modelscope").resolve()),
        "PLANWRIGHT_REWARD_LOG": str((folder / "rewards.jsonl").resolve()),
        **node_environment(count, member.rank, gang.master_address, gang.master_port, devices),
    }
    changes = {
        "command": launch.command_here(settings, whole.command, config),
        "environment": environment,
        "owner": myself(),
    }
    if member.rank > 0:
        changes |= {
            "token": f"{whole.token}-{member.rank}",
            "needs_checkpoint": False,
            "expected_rows": None,
        }
    launch.prepare(folder, whole.model_copy(update=changes))
    launch.ensure_started(folder)
    _say(database, member, "running")


def node_environment(
    count: int, rank: int, address: str | None, port: int | None, devices: list[str]
) -> dict[str, str]:
    """What ms-swift needs to know of the others."""
    environment = {
        "NNODES": str(count),
        "NODE_RANK": str(rank),
        "MASTER_ADDR": str(address),
        "MASTER_PORT": str(port),
        "NPROC_PER_NODE": str(max(1, len(devices))),
    }
    return environment | ({"CUDA_VISIBLE_DEVICES": ",".join(devices)} if devices else {})


def _watch(database: Database, settings: Settings, member: GangMember, *, is_ending: bool) -> None:
    folder = settings.home / member.folder
    seen = launch.look(folder)
    if seen.state in launch.OVER:
        # Nobody asked it to stop: it did because the worker that owned it was killed.
        is_lost = seen.state == "stopped" and not (folder / STOP).exists()
        with database.transaction() as session:
            machines.set_member(
                session,
                member.run_id,
                member.rank,
                "lost" if is_lost else seen.state,
                reason="training.node_lost" if is_lost else seen.reason,
                values={"node": member.node} if is_lost else seen.values,
            )
            place_rows.take_back(session, [member.folder])
    elif is_ending:
        launch.ask_to_stop(folder, at_once=True)


def _say(
    database: Database,
    member: GangMember,
    state: str,
    reason: str | None = None,
    port: int | None = None,
) -> None:
    with database.transaction() as session:
        machines.set_member(session, member.run_id, member.rank, state, reason=reason, port=port)


def _run_folder(settings: Settings, member: GangMember) -> Path:
    return settings.home / "runs" / member.run_id


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("", 0))
        return int(listener.getsockname()[1])
