"""Probing an endpoint as durable work: it takes longer than a page may wait."""

from db.access import model_endpoints
from db.durable import Durable, step, workflow
from db.durable import resources as have_resources
from db.engine import Database
from db.tables.base import new_id
from labeling.model_endpoints import get_endpoint
from labeling.synthesis.probing import probe_endpoint
from schemas.model_endpoints import Probe
from schemas.people import Actor


@step("models.probe")
def _probe(project_id: str, name: str) -> None:
    database = have_resources().database
    with database.reading() as session:
        found = model_endpoints.find_endpoint(session, project_id, name)
    if found is not None:
        _write(database, project_id, name, probe_endpoint(found.settings))


@workflow("models.probing")
def run_probe(project_id: str, name: str) -> None:
    """Ask an endpoint and write down what it showed."""
    _probe(project_id, name)


def start_probe(database: Database, durable: Durable, who: Actor, name: str) -> None:
    """Begin to ask an endpoint a few small questions; what they show stands with it afterwards.

    Raises:
        NotFound: `models.not_found`.
    """
    get_endpoint(database, who, name)
    durable.start(run_probe, f"probe-{new_id()}", who.project_id, name)


def probe_now(database: Database, who: Actor, name: str) -> Probe:
    """Ask an endpoint a few small questions here and now, and write down what they show.

    Raises:
        NotFound: `models.not_found`.
    """
    probe = probe_endpoint(get_endpoint(database, who, name).settings)
    _write(database, who.project_id, name, probe)
    return probe


def _write(database: Database, project_id: str, name: str, probe: Probe) -> None:
    with database.transaction() as session:
        model_endpoints.write_probe(session, project_id, name, probe)
