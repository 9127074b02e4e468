"""Pausing somebody from a terminal."""

import json

import pytest

from app import main  # noqa: TID251  (a test comes in by the front door)
from db.engine import Database
from labeling import accounts
from labeling.pauses import list_paused
from schemas.settings import Settings


def test_somebody_is_paused_with_a_reason_and_freed_again(
    sqlite_database: Database,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PLANWRIGHT_HOME", str(settings.home))
    monkeypatch.setenv("PLANWRIGHT_LANGUAGE", "en")
    admin = accounts.command_line_actor(sqlite_database, "main")
    accounts.add_person(sqlite_database, admin, "Li", "a long password", "annotator")
    assert main(["users", "pause", "Li", "--reason", "a talk first"]) == 0
    assert "Li gets no new work in main." in capsys.readouterr().out
    (paused,) = list_paused(sqlite_database, admin)
    assert (paused.name, paused.why) == ("Li", {"reason": "a talk first"})
    assert main(["users", "lift", "Li", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"name": "Li", "is_paused": False}
    assert list_paused(sqlite_database, admin) == ()
    assert main(["users", "lift", "Li"]) == 1
    assert "not paused" in capsys.readouterr().err
