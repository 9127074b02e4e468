"""Devices of a machine and the queue for them: one run on a device, first come, first served.

A place is a row, so the order outlives every process. Whoever waits hands out what has become free,
to the longest waiting first; nobody overtakes, so that a run on many devices gets them at last. A
place ends with its run or its supervisor. Before there is one, the process that asked must live:
while it is away its place is passed over, and kept for its return. Runs without a GPU take a place
on the CPU. A planner's server waits for nobody: it takes devices that are free, or is refused.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from db.access import places
from db.engine import Database, Session, take_turns
from db.executor_lock import take_executor_lock
from db.tables import DevicePlace
from db.tables.base import now
from exports.training import launch
from exports.training.machine import device_ids, this_machine
from schemas.errors import TrainingError, TransitionRefused
from schemas.settings import Settings

BEGINS_WITHIN_S = 60
NEEDED_TO_SERVE = 1
"""`swift deploy` without tensor parallelism, which is asked for by naming several devices."""
_ITSELF = "server"
"""Stands for the executor of a server, which answers for itself."""


class Wish(NamedTuple):
    """So many devices (0: the CPU) of a machine for a run folder, relative to the home."""

    folder: str
    label: str
    wanted: int
    machine: str


class Place(NamedTuple):
    """Devices once they are given (none on the CPU); until then who stands before."""

    devices: tuple[str, ...] | None
    number_in_queue: int
    """1 is next."""
    behind: str | None
    """Label of who stands or runs before; None where it is another project's."""


class _Change(NamedTuple):
    over: tuple[str, ...]
    unused: tuple[int, ...]
    given: tuple[tuple[int, tuple[str, ...]], ...]


def ask_for_places(
    database: Database, project_id: str, executor_id: str, wishes: Sequence[Wish]
) -> None:
    """Queue up for all of these at once, so that two who want several machines cannot block.

    Asking again keeps the place, and answers for it from now on.
    """
    with database.transaction() as session:
        take_turns(session, "places")
        found = places.list_places_of(session, [wish.folder for wish in wishes])
        machines = {wish.folder: wish.machine for wish in wishes}
        for place in found:
            place.executor_id = executor_id
            if place.machine != machines[place.folder]:  # another machine drives it from now on
                place.machine, place.devices = machines[place.folder], None
        known = {place.folder for place in found}
        for wish in wishes:
            if wish.folder not in known:
                session.add(
                    DevicePlace(project_id=project_id, executor_id=executor_id, **wish._asdict())
                )


def check_wanted(settings: Settings, wanted: int) -> None:
    """Refuse to wait for more than this machine has.

    Raises:
        TrainingError: `training.too_few_devices`.
    """
    found = len(device_ids(settings))
    if wanted > found:
        raise TrainingError("training.too_few_devices", wanted=wanted, found=found)


class Choice(NamedTuple):
    """The devices that a server would have, and who holds the first of them that is not free."""

    devices: tuple[str, ...]
    taken: str | None
    holder: str
    """Its label; `–` where it is another project's."""


def choose_free(
    session: Session,
    settings: Settings,
    project_id: str,
    named: Sequence[str] = (),
    *,
    needed: int = NEEDED_TO_SERVE,
) -> Choice:
    """These devices of this machine, or where none is named as many free ones as are needed.

    Without enough free ones the choice has some that are taken. On a machine that knows of no
    devices it is empty.
    """
    holders = {
        device: each
        for each in places.list_places(session, this_machine())
        for device in each.devices or ()
        if not _is_over(settings, each)
    }
    ids = sorted(device_ids(settings), key=lambda each: each in holders)  # stable: the free first
    devices = tuple(named) or tuple(ids[:needed])
    taken = next((each for each in devices if each in holders), None)
    holder = holders[taken] if taken is not None else None
    is_mine = holder is not None and holder.project_id == project_id
    return Choice(devices, taken, holder.label if holder and is_mine else "–")


def take_free(
    session: Session, settings: Settings, project_id: str, wish: Wish, named: Sequence[str]
) -> tuple[str, ...]:
    """Give a server these devices of this machine now, or what it needs where none is named.

    Raises:
        TransitionRefused: `serving.devices_taken`, with the label of who has them.
    """
    take_turns(session, "places")
    known = places.list_places(session, wish.machine)
    places.take_back(session, [each.folder for each in known if _is_over(settings, each)])
    wanted, taken, holder = choose_free(session, settings, project_id, named)
    if taken is not None:
        raise TransitionRefused("serving.devices_taken", device=taken, holder=holder)
    if wanted:
        given = wish._replace(wanted=len(wanted))._asdict()
        place = DevicePlace(project_id=project_id, executor_id=_ITSELF, **given)
        place.devices, place.given_at = list(wanted), now()
        session.add(place)
    return wanted


def hand_out(database: Database, settings: Settings) -> None:
    """End the places of this machine that are over and give what is free to who is next."""
    machine = this_machine()
    with database.reading() as session:
        if not any(_change(database, settings, places.list_places(session, machine))):
            return
    with database.transaction() as session:
        take_turns(session, "places")
        change = _change(database, settings, places.list_places(session, machine))
        places.take_back(session, change.over)
        for number in change.unused:
            places.give(session, number, None)
        for number, devices in change.given:
            places.give(session, number, devices)


def find_place(database: Database, project_id: str, folder: str) -> Place | None:
    """How a place stands, as somebody of this project may see it."""
    with database.reading() as session:
        mine = places.find_place(session, folder)
        if mine is None:
            return None
        others = places.list_places(session, mine.machine)
    same = [each for each in others if (each.wanted == 0) == (mine.wanted == 0)]
    waiting = [each for each in same if each.devices is None]
    if mine.devices is not None:
        return Place(tuple(mine.devices), 0, None)
    number = next(at for at, each in enumerate(waiting) if each.number == mine.number)
    running = [each for each in same if each.devices is not None]
    before = waiting[number - 1] if number else (running[-1] if running else None)
    behind = before.label if before and before.project_id == project_id else None
    return Place(None, number + 1, behind)


def give_back(database: Database, folders: Sequence[str]) -> None:
    """Leave, whether waiting or running."""
    with database.transaction() as session:
        places.take_back(session, folders)


def _change(database: Database, settings: Settings, known: Iterable[DevicePlace]) -> _Change:
    """What has to be done: places that are over, and devices for whoever is next."""
    over: list[str] = []
    unused: list[int] = []
    there: list[DevicePlace] = []
    lives = _Lives(database, settings)
    for place in known:
        folder = settings.home / place.folder
        if _is_over(settings, place):
            over.append(place.folder)
        elif (
            place.executor_id == _ITSELF
            or launch.read_status(folder) is not None
            or lives(place.executor_id)
        ):
            there.append(place)
        elif place.devices is not None:
            unused.append(place.number or 0)
    given = [*_next(there, device_ids(settings)), *_next_on_cpu(there, settings.cpu_runs)]
    return _Change(tuple(over), tuple(unused), tuple(given))


def _next(there: Sequence[DevicePlace], ids: Sequence[str]) -> list[tuple[int, tuple[str, ...]]]:
    taken = {device for place in there for device in place.devices or ()}
    free = [device for device in ids if device not in taken]
    given: list[tuple[int, tuple[str, ...]]] = []
    for place in there:
        if place.wanted == 0 or place.devices is not None:
            continue
        if place.wanted > len(free):
            break
        given.append((place.number or 0, tuple(free[: place.wanted])))
        free = free[place.wanted :]
    return given


def _next_on_cpu(there: Sequence[DevicePlace], most: int) -> list[tuple[int, tuple[str, ...]]]:
    on_cpu = [place for place in there if place.wanted == 0]
    running = sum(place.devices is not None for place in on_cpu)
    waiting = [place for place in on_cpu if place.devices is None]
    return [(place.number or 0, ()) for place in waiting[: max(0, most - running)]]


def _is_over(settings: Settings, place: DevicePlace) -> bool:
    folder = settings.home / place.folder
    if launch.read_status(folder) is not None:
        return launch.look(folder).state in launch.OVER
    given = place.given_at or now()
    is_late = (now() - given).total_seconds() > BEGINS_WITHIN_S
    return place.executor_id == _ITSELF and is_late and not launch.is_supervised(folder)


class _Lives:
    """Whether an executor lives; each is asked for once."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database, self._settings = database, settings
        self._known: dict[str, bool] = {}

    def __call__(self, executor_id: str) -> bool:
        if executor_id not in self._known:
            lock = take_executor_lock(self._database, self._settings.home, executor_id)
            if lock is not None:
                lock.close()
            self._known[executor_id] = lock is None
        return self._known[executor_id]
