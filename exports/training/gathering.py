"""Driving a run on several nodes: wait until all answer and have devices, let all begin, stay."""

from collections.abc import Sequence

from pydantic import JsonValue

from db.access import machines
from db.access import places as place_rows
from db.tables import Gang, GangMember, Run
from exports.training import gangs, launch, nodes, places
from exports.training.stages import Job
from schemas.errors import TrainingError
from schemas.training import Told


def open_gang(job: Job, run: Run) -> None:
    """Write down who belongs to it, the first node first; asking again changes nothing."""
    with job.database.transaction() as session:
        if machines.find_gang(session, run.id):
            return
        session.add(Gang(run_id=run.id, project_id=job.project_id))
        session.flush()
        for rank, node in enumerate(job.order.nodes):
            session.add(
                GangMember(
                    run_id=run.id,
                    rank=rank,
                    project_id=job.project_id,
                    node=node,
                    folder=_folder(run, rank, node),
                )
            )


def folders_of(job: Job, run: Run) -> list[str]:
    """The folders of all members; the first node's is the run's own."""
    return [_folder(run, rank, node) for rank, node in enumerate(job.order.nodes)]


def gather(job: Job, run: Run, label: str) -> Told | None:
    """One look around: what is still waited for, or None when all may begin.

    Raises:
        TrainingError: `training.node_has_too_few_devices`.
    """
    here = nodes.answering(job.database)
    missing = [name for name in job.order.nodes if name not in here]
    if missing:
        return _told("waiting_for_nodes", missing)
    for name in job.order.nodes:
        wanted, found = job.recipe.devices, here[name].devices
        if found < wanted:
            raise TrainingError(
                "training.node_has_too_few_devices", node=name, wanted=wanted, found=found
            )
    unplaced = _places(job, run, [here[name].machine for name in job.order.nodes], label)
    if unplaced:
        return _told("waiting_for_devices", unplaced)
    members = gangs.members_of(job.database, run.id)
    blind = [each.node for each in members if each.reason == "training.home_not_shared"]
    if blind:
        return _told("home_not_shared", blind)
    quiet = [each.node for each in members if each.state != "ready"]
    if quiet:
        return _told("waiting_for_nodes", quiet)
    with job.database.transaction() as session:
        gang = machines.find_gang(session, run.id)
        first = machines.list_members(session, run.id)[0]
        assert gang
        gang.state, gang.master_port = "started", first.port
        gang.master_address = here[job.order.nodes[0]].address
        session.add(gang)
    return None


def stay(job: Job, run: Run) -> launch.Look | None:
    """One look at a gang that has begun; how it ended, once it has."""
    gangs.mind(job.database, run.id)
    with job.database.reading() as session:
        gang = machines.find_gang(session, run.id)
    folder = job.settings.home / run.folder
    is_stopping = job.is_stopping()
    if gang is not None and gang.state == "over":
        said = gangs.verdict(gangs.members_of(job.database, run.id), is_stopping=is_stopping)
        return launch.Look(said.state, said.reason, said.values, launch.look(folder).status)
    if is_stopping:
        launch.ask_to_stop(folder)
    return None


def has_begun(job: Job, run: Run) -> bool:
    """Whether the members have been let go."""
    with job.database.reading() as session:
        gang = machines.find_gang(session, run.id)
    return gang is not None and gang.state != "gathering"


def disband(job: Job, run: Run) -> None:
    """Nobody begins any more."""
    with job.database.transaction() as session:
        machines.set_gang(session, run.id, "over")
        place_rows.take_back(session, folders_of(job, run))


def _places(job: Job, run: Run, on: Sequence[str], label: str) -> list[str]:
    """Queue up on all machines at once; the nodes that have no devices yet."""
    folders = folders_of(job, run)
    with job.database.reading() as session:
        known = {each.folder: each for each in place_rows.list_places_of(session, folders)}
    if len(known) < len(folders):
        wishes = [
            places.Wish(folder, label, job.recipe.devices, machine)
            for folder, machine in zip(folders, on, strict=True)
        ]
        places.ask_for_places(job.database, job.project_id, job.executor_id, wishes)
    return [
        node
        for node, folder in zip(job.order.nodes, folders, strict=True)
        if folder not in known or known[folder].devices is None
    ]


def _folder(run: Run, rank: int, node: str) -> str:
    return run.folder if rank == 0 else f"{run.folder}/members/{rank}-{node.replace('/', '_')}"


def _told(code: str, names: Sequence[str]) -> Told:
    values: dict[str, JsonValue] = {"nodes": ", ".join(names)}
    return Told(code=f"training.{code}", values=values)
