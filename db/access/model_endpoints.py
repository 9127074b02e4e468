"""Model endpoints of a project, by name."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlmodel import Session, col, select

from db.tables import ModelEndpoint
from schemas.model_endpoints import EndpointSettings, Probe


class KnownEndpoint(NamedTuple):
    """An endpoint as it is stored."""

    id: str
    settings: EndpointSettings
    probe: Probe | None


def list_endpoints(session: Session, project_id: str) -> list[KnownEndpoint]:
    """Every endpoint, by name."""
    statement = select(ModelEndpoint).where(ModelEndpoint.project_id == project_id)
    return [_known(row) for row in session.exec(statement.order_by(ModelEndpoint.name))]


def find_endpoint(session: Session, project_id: str, name: str) -> KnownEndpoint | None:
    """The endpoint of a name."""
    row = _find(session, project_id, name)
    return None if row is None else _known(row)


def read_endpoints(
    session: Session, project_id: str, names: Sequence[str]
) -> dict[str, EndpointSettings]:
    """The settings of those of the names that are known."""
    statement = select(ModelEndpoint).where(
        ModelEndpoint.project_id == project_id, col(ModelEndpoint.name).in_(names)
    )
    return {row.name: _known(row).settings for row in session.exec(statement)}


def write_endpoint(
    session: Session, project_id: str, settings: EndpointSettings, person_id: str
) -> str:
    """Add an endpoint, or change the one of this name; its id."""
    row = _find(session, project_id, settings.name)
    values = settings.model_dump()
    if row is None:
        row = ModelEndpoint(project_id=project_id, added_by=person_id, **values)
    else:
        for name, value in values.items():
            setattr(row, name, value)
    session.add(row)
    session.flush()
    return row.id


def write_probe(session: Session, project_id: str, name: str, probe: Probe) -> bool:
    """What asking an endpoint has shown; False where there is none of this name any more."""
    row = _find(session, project_id, name)
    if row is None:
        return False
    row.probe = probe.model_dump(mode="json")
    session.add(row)
    return True


def remove_endpoint(session: Session, project_id: str, name: str) -> str | None:
    """Forget an endpoint; its id. What it answered is kept."""
    row = _find(session, project_id, name)
    if row is None:
        return None
    session.delete(row)
    return row.id


def _find(session: Session, project_id: str, name: str) -> ModelEndpoint | None:
    statement = select(ModelEndpoint).where(
        ModelEndpoint.project_id == project_id, ModelEndpoint.name == name
    )
    return session.exec(statement).first()


def _known(row: ModelEndpoint) -> KnownEndpoint:
    values = {name: getattr(row, name) for name in EndpointSettings.model_fields}
    probe = None if row.probe is None else Probe.model_validate(row.probe)
    return KnownEndpoint(row.id, EndpointSettings.model_validate(values), probe)
