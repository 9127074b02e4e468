"""Every event of a page is a public address: who may not see the page gets nothing from it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from labeling.ui.pages import PAGES
from schemas.people import ROLES
from tests.doors import Door, add_team, opened_door


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Door]:
    """One application for this module, with somebody in each role."""
    with opened_door(tmp_path_factory.mktemp("door") / "home", migrated_sqlite) as door:
        add_team(door)
        yield door


@pytest.fixture(scope="module")
def events(door: Door) -> dict[int, Any]:
    """Every event of the English pages, by the number that a browser calls it by."""
    mounted: Any = next(route for route in door.app.routes if getattr(route, "path", "") == "/en")
    return {number: each for number, each in mounted.app.get_blocks().fns.items() if each.page}


def _call(door: Door, role: str | None, number: int, event: Any) -> Any:
    """Call an event as a browser would, over plain HTTP."""
    body = {
        "data": [[] if isinstance(each, gr.CheckboxGroup) else None for each in event.inputs],
        "fn_index": number,
        "session_hash": "x",
        "event_data": {"id": "x"},
    }
    return door.be(role).post("/en/gradio_api/run/predict", json=body)


def _gives_nothing(answer: Any) -> bool:
    """Whether an answer is an error, or leaves every output as it is but for a refusal."""
    if answer.status_code != 200:
        return True
    told = [_told(each) for each in answer.json()["data"]]
    return all(each in ({}, "refused", "failed") for each in told) and any(told)


def _is_failure_of_a_desk(output: Any) -> bool:
    """A desk answers in JSON text."""
    try:
        return isinstance(output, str) and json.loads(output)["failed"]
    except (ValueError, TypeError, KeyError):
        return False


def _told(output: Any) -> Any:
    """An output without what says that nothing changed; a refusal as its kind."""
    if _is_failure_of_a_desk(output):
        return "failed"
    if not isinstance(output, dict):
        return output
    if output.get("kind") == "refused":
        return "refused"
    props = {name: each for name, each in output.get("props", {}).items() if name != "__type__"}
    return props or {
        name: each for name, each in output.items() if name not in ("props", "__type__")
    }


def test_nobody_gets_anything_from_any_event(door: Door, events: dict[int, Any]) -> None:
    assert len(events) > 50
    for number, event in events.items():
        assert _call(door, None, number, event).status_code == 401, event.name


@pytest.mark.parametrize("role", ["annotator", "reviewer"])
def test_no_event_of_a_page_answers_somebody_below_its_role(
    door: Door, events: dict[int, Any], role: str
) -> None:
    needed = {page.name: page.role for page in PAGES}
    asked = 0
    for number, event in events.items():
        if ROLES.index(role) < ROLES.index(needed[event.page]):
            answer = _call(door, role, number, event)
            assert _gives_nothing(answer), (event.page, event.name, answer.text[:400])
            asked += 1
    assert asked > 20


def test_an_admin_gets_answers_from_the_same_events(door: Door, events: dict[int, Any]) -> None:
    loads = {
        number: event
        for number, event in events.items()
        if event.page not in ("label", "review") and event.name in ("on_load", "on_tick")
    }
    assert len(loads) > 10
    for number, event in loads.items():
        answer = _call(door, "admin", number, event)
        assert answer.status_code == 200
        assert not _gives_nothing(answer), event.name
