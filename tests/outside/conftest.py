"""The folder of outside data that `make test-data DATA=folder` names."""

import os
from pathlib import Path

import pytest

from tests.browser.conftest import chromium, contexts, desk_app, open_as, served_app, shot

__all__ = ["chromium", "contexts", "desk_app", "open_as", "served_app", "shot"]


@pytest.fixture(scope="session")
def folder() -> Path:
    named = os.environ.get("PLANWRIGHT_TEST_DATA")
    assert named, "Name the folder: make test-data DATA=folder"
    return Path(named)
