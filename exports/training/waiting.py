"""A stage of a chain that waits for devices of this machine, and has them while it needs them."""

import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from pydantic import JsonValue

from db.access import training
from exports.training import places
from exports.training.machine import device_ids, this_machine
from exports.training.stages import Job
from schemas.errors import TrainingError
from schemas.training import Stage, Told

POLL_S = 0.5


def wait_for_devices(
    job: Job, stage: Stage, folder: str, wanted: int, begins_to_wait: Callable[[], None]
) -> tuple[str, ...] | None:
    """Queue up until devices are given; None when the chain is to stop.

    Raises:
        TrainingError: `training.too_few_devices`.
    """
    places.check_wanted(job.settings, wanted)
    wish = places.Wish(folder, label(job, stage), wanted, this_machine())
    places.ask_for_places(job.database, job.project_id, job.executor_id, [wish])
    told: Told | None = None
    while not job.is_stopping():
        places.hand_out(job.database, job.settings)
        place = places.find_place(job.database, job.project_id, folder)
        if place and place.devices is not None:
            return place.devices
        said = in_queue(place) if place else told
        if said and said != told:
            if told is None:
                begins_to_wait()
            job.tell(stage, state="waiting", reason=said.code, values=said.values)
            told = said
        job.pause(POLL_S)
    return None


@contextmanager
def devices_for(job: Job, stage: Stage, folder: Path) -> Generator[str | None]:
    """Devices of this machine for a server of the recipe's model, while the block runs.

    As many as the recipe trains on, or all that there are; None where that is the CPU.

    Raises:
        TrainingError: `training.stopped_waiting`.
    """
    shutil.rmtree(folder, ignore_errors=True)
    name = str(folder.relative_to(job.settings.home))
    wanted = min(job.recipe.devices, len(device_ids(job.settings)))
    try:
        devices = wait_for_devices(job, stage, name, wanted, lambda: None)
        if devices is None:
            raise TrainingError("training.stopped_waiting")
        job.tell(stage, state="running", reason=None)
        yield ",".join(devices) or None
    finally:
        places.give_back(job.database, [name])


def in_queue(place: places.Place) -> Told:
    """How long the queue is, and who stands before."""
    code = "training.in_queue" if place.behind else "training.in_queue_behind_others"
    values: dict[str, JsonValue] = {"number": place.number_in_queue, "behind": place.behind or ""}
    return Told(code=code, values=values)


def label(job: Job, stage: Stage) -> str:
    """What others who wait are told of this stage."""
    with job.database.reading() as session:
        name = training.get_bundle(session, job.project_id, job.bundle_id).name
    return f"{name} · {job.recipe.name} · {stage.replace('_', ' ').upper()}"
