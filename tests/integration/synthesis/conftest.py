"""A fake endpoint for all tests of this folder, well-behaved at the start of each."""

from collections.abc import Iterator
from dataclasses import asdict

import pytest

from db.engine import Database
from schemas.people import Actor
from tests.factories import a_project
from tests.fakes.endpoint import Behaviour
from tests.fakes.endpoint_process import RunningEndpoint, running_endpoint


@pytest.fixture(scope="module")
def shared_endpoint() -> Iterator[RunningEndpoint]:
    with running_endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def endpoint(shared_endpoint: RunningEndpoint) -> RunningEndpoint:
    """Well-behaved until a test says otherwise."""
    shared_endpoint.configure(**asdict(Behaviour()), forget=True)
    return shared_endpoint


@pytest.fixture
def who(database: Database) -> Actor:
    return a_project(database)
