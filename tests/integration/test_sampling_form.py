"""The form of acceptance sampling, called without a server."""

import json

import pytest

from labeling import projects, review
from labeling.ui.i18n import Words
from labeling.ui.sampling_settings import SamplingHandlers
from labeling.ui.session import Services, request_of
from schemas.people import Actor
from schemas.sampling import sampling_plan
from tests.factories import a_person, a_project
from tests.lot_work import hand_in


@pytest.fixture
def services(sqlite_database, settings) -> Services:
    return Services(settings, sqlite_database, durable=None)  # pyright: ignore[reportArgumentType]


@pytest.fixture
def admin(sqlite_database) -> Actor:
    return a_project(sqlite_database)


@pytest.fixture
def form(services) -> SamplingHandlers:
    return SamplingHandlers(services, Words("en"))


def test_what_is_typed_is_reckoned_at_once_and_not_kept(form, services, admin):
    answer = form.on_typed(50, 10, 90, request_of(admin))
    plan = sampling_plan(50, 0.1, 0.9)
    assert f"{plan.sample_size} of 50" in json.dumps(answer.plan)
    assert f"{plan.consumer_risk:.1%}" in json.dumps(answer.plan)
    assert projects.get_settings(services.database, admin).sampling.is_on is False


def test_what_is_saved_is_what_the_form_shows_next(form, services, admin):
    form.on_save(True, 200, 2.5, 95, request_of(admin))
    kept = projects.get_settings(services.database, admin).sampling
    assert (kept.is_on, kept.lot_size) == (True, 200)
    assert (kept.tolerated_rate, kept.confidence) == (0.025, 0.95)
    shown = form.on_load(request_of(admin))
    assert (shown.is_on, shown.lot_size, shown.tolerated, shown.confidence) == (True, 200, 2.5, 95)


@pytest.mark.parametrize("numbers", [(4, 10, 90), (50, 0, 90), (50, 10, 100), (None, None, None)])
def test_numbers_that_promise_nothing_are_refused_in_words(form, admin, numbers):
    told = form.on_save(True, *numbers, request_of(admin)).notice
    assert told["kind"] == "error"
    assert "sampling" in told["text"]


def test_only_admins_decide(form, services, admin):
    reviewer = a_person(services.database, admin.project_id, "reviewer")
    assert form.on_save(True, 50, 10, 90, request_of(reviewer)).notice["kind"] == "refused"
    assert projects.get_settings(services.database, admin).sampling.is_on is False


def test_open_lots_are_told_and_dissolved_when_sampling_is_switched_off(form, services, admin):
    form.on_save(True, 50, 10, 90, request_of(admin))
    author = a_person(services.database, admin.project_id, "annotator")
    hand_in(services.database, admin, author)
    shown = form.on_load(request_of(admin))
    assert "Lots still undecided: 1. If you switch" in json.dumps(shown.left)
    assert not shown.dissolve["visible"]
    shown = form.on_save(False, 50, 10, 90, request_of(admin))
    assert "nobody's queue: 1." in json.dumps(shown.left)
    assert shown.dissolve["visible"]
    shown = form.on_dissolve(request_of(admin))
    assert shown.notice["text"] == "Now waiting for ordinary review: 1."
    assert (shown.left["nodes"], shown.dissolve["visible"]) == ([], False)
    assert review.take_next(services.database, admin)
