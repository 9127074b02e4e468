"""Who waits for devices of a machine, and who has them."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from db.tables import DevicePlace
from db.tables.base import now


def find_place(session: Session, folder: str) -> DevicePlace | None:
    """The place of a run's folder."""
    return session.exec(select(DevicePlace).where(DevicePlace.folder == folder)).first()


def list_places(session: Session, machine: str) -> list[DevicePlace]:
    """All places of a machine, in the order in which they were asked for."""
    statement = select(DevicePlace).where(DevicePlace.machine == machine)
    return list(session.exec(statement.order_by(col(DevicePlace.number))))


def list_places_of(session: Session, folders: Sequence[str]) -> list[DevicePlace]:
    """The places of these folders."""
    return list(session.exec(select(DevicePlace).where(col(DevicePlace.folder).in_(folders))))


def give(session: Session, number: int, devices: Sequence[str] | None) -> None:
    """Hand out devices; None lets the place wait again."""
    place = session.get_one(DevicePlace, number)
    place.devices = None if devices is None else list(devices)
    place.given_at = None if devices is None else now()
    session.add(place)


def take_back(session: Session, folders: Sequence[str]) -> None:
    """End the places of these folders, waiting or not."""
    for place in list_places_of(session, folders):
        session.delete(place)
