"""Nodes: machines on which a worker runs, known by their signs of life."""

import socket
from typing import NamedTuple

from db.access import machines
from db.engine import Database
from exports.training.machine import device_ids, this_machine
from schemas.settings import Settings

LOST_S = 15.0
"""A node that gave no sign of life for so long is lost."""


class NodeView(NamedTuple):
    """A node as it last reported itself."""

    name: str
    machine: str
    address: str
    devices: int
    cpu_runs: int
    silent_s: float

    @property
    def is_here(self) -> bool:
        """Whether its worker answers."""
        return self.silent_s < LOST_S


def list_nodes(database: Database) -> list[NodeView]:
    """All nodes that ever reported and did not leave, by name."""
    with database.reading() as session:
        return [
            NodeView(
                node.name, node.machine, node.address, len(node.devices), node.cpu_runs, seconds
            )
            for node, seconds in machines.list_nodes(session)
        ]


def answering(database: Database) -> dict[str, NodeView]:
    """The nodes that answer, by name."""
    return {node.name: node for node in list_nodes(database) if node.is_here}


def report(database: Database, settings: Settings, name: str) -> None:
    """Make this machine known as a node."""
    with database.transaction() as session:
        machines.report_node(
            session,
            name,
            machine=this_machine(),
            address=settings.node_address or _own_address(database),
            devices=device_ids(settings),
            cpu_runs=settings.cpu_runs,
        )


def beat(database: Database, name: str) -> None:
    """A sign of life."""
    with database.transaction() as session:
        machines.beat(session, name)


def leave(database: Database, name: str) -> None:
    """The worker of a node goes."""
    with database.transaction() as session:
        machines.forget_node(session, name)


def _own_address(database: Database) -> str:
    """The address from which this machine reaches the database; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((database.url.host or "127.0.0.1", database.url.port or 5432))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
