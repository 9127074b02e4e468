"""People and roles."""

import threading

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from db.engine import Database
from db.tables import Event, Person, SignIn
from labeling import accounts, projects
from schemas.errors import InvalidInput, NotAllowed, NotFound, TransitionRefused
from schemas.people import Actor
from schemas.sentences import sentence

PASSWORD = "a long password"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real argon2, at the least cost it allows: these tests hash some hundred passwords."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr("labeling.sign_in._hasher", cheap)


@pytest.fixture
def admin(database: Database) -> Actor:
    """The first admin, who came through the set-up link."""
    link = accounts.create_setup_link(database)
    assert link
    token = accounts.use_setup_link(database, link, "Li", PASSWORD)
    who = accounts.find_actor(database, token)
    assert who
    return who


def test_the_command_line_is_an_admin_of_a_project_that_it_brings_into_being(
    database: Database,
) -> None:
    who = accounts.command_line_actor(database, "main")
    assert (who.role, who.project) == ("admin", "main")
    assert accounts.command_line_actor(database, "main") == who
    with pytest.raises(NotFound):
        accounts.command_line_actor(database, "elsewhere")


def test_the_command_line_can_never_sign_in_and_is_not_listed(
    database: Database, admin: Actor
) -> None:
    accounts.command_line_actor(database, "main")
    with pytest.raises(NotAllowed):
        accounts.sign_in(database, accounts.COMMAND_LINE, "!", "1.1.1.1")
    assert [each.name for each in accounts.list_people(database, admin)] == ["Li"]


def test_only_admins_manage_people(database: Database, admin: Actor) -> None:
    for role in ("annotator", "reviewer"):
        person_id = accounts.add_person(database, admin, role, PASSWORD, role)
        token = accounts.sign_in(database, role, PASSWORD, "1.1.1.1")
        who = accounts.find_actor(database, token)
        assert who and who.role == role
        for act in (
            lambda who=who: accounts.list_people(database, who),
            lambda who=who: accounts.add_person(database, who, "x", PASSWORD, "admin"),
            lambda who=who, me=person_id: accounts.set_role(database, who, me, "admin"),
            lambda who=who: accounts.deactivate(database, who, admin.person_id),
            lambda who=who: accounts.reactivate(database, who, admin.person_id),
            lambda who=who: accounts.reset_password(database, who, admin.person_id, PASSWORD),
            lambda who=who: projects.create_project(database, who, "mine"),
            lambda who=who: projects.change_settings(database, who, overlap=2),
        ):
            with pytest.raises(NotAllowed):
                act()


def test_a_role_counts_at_once_and_leaves_an_event(database: Database, admin: Actor) -> None:
    person_id = accounts.add_person(database, admin, "Wang", PASSWORD, "annotator")
    token = accounts.sign_in(database, "Wang", PASSWORD, "1.1.1.1")
    accounts.set_role(database, admin, person_id, "reviewer")
    who = accounts.find_actor(database, token)
    assert who and who.role == "reviewer"
    with database.reading() as session:
        events = session.execute(
            sa.select(Event.action, Event.before, Event.after).where(Event.subject_id == person_id)
        ).all()
    assert [tuple(each) for each in events] == [
        ("added", None, "annotator"),
        ("role", "annotator", "reviewer"),
    ]


def test_the_last_admin_can_neither_be_lowered_nor_deactivated(
    database: Database, admin: Actor
) -> None:
    for act in (
        lambda: accounts.set_role(database, admin, admin.person_id, "annotator"),
        lambda: accounts.deactivate(database, admin, admin.person_id),
    ):
        with pytest.raises(TransitionRefused, match="last admin"):
            act()
    second = accounts.add_person(database, admin, "Wang", PASSWORD, "admin")
    accounts.deactivate(database, admin, second)
    with pytest.raises(TransitionRefused):
        accounts.set_role(database, admin, admin.person_id, "reviewer")


def test_two_admins_who_lower_each_other_at_once_leave_one(
    database: Database, admin: Actor
) -> None:
    second = accounts.add_person(database, admin, "Wang", PASSWORD, "admin")
    refused: list[str] = []
    start = threading.Barrier(2)

    def lower(person_id: str) -> None:
        start.wait()
        try:
            accounts.set_role(database, admin, person_id, "annotator")
        except TransitionRefused as error:
            refused.append(error.code)

    threads = [threading.Thread(target=lower, args=(each,)) for each in (admin.person_id, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == ["accounts.last_admin"]


def test_a_deactivated_person_is_out_at_once_and_their_row_stays(
    database: Database, admin: Actor
) -> None:
    person_id = accounts.add_person(database, admin, "Wang", PASSWORD, "annotator")
    token = accounts.sign_in(database, "Wang", PASSWORD, "1.1.1.1")
    accounts.deactivate(database, admin, person_id)
    assert accounts.find_actor(database, token) is None
    with pytest.raises(NotAllowed, match="no longer active"):
        accounts.sign_in(database, "Wang", PASSWORD, "1.1.1.1")
    with database.reading() as session:
        assert session.get(Person, person_id) is not None
        assert session.execute(sa.select(sa.func.count()).select_from(SignIn)).scalar_one() == 1
    accounts.reactivate(database, admin, person_id)
    assert accounts.sign_in(database, "Wang", PASSWORD, "1.1.1.1")


def test_an_admin_of_another_project_is_out_of_reach(database: Database, admin: Actor) -> None:
    other = accounts.command_line_actor(database, "main")
    elsewhere = projects.create_project(database, other, "elsewhere")
    their = Actor(other.person_id, other.name, elsewhere, "elsewhere", "admin", "en")
    person_id = accounts.add_person(database, their, "Zhao", PASSWORD, "admin")
    accounts.add_person(database, admin, "Zhao", "", "annotator")
    for act in (
        lambda: accounts.reset_password(database, admin, person_id, PASSWORD),
        lambda: accounts.deactivate(database, admin, person_id),
    ):
        with pytest.raises(TransitionRefused):
            act()


def test_somebody_of_another_project_joins_with_the_password_they_have(
    database: Database, admin: Actor
) -> None:
    second = projects.create_project(database, admin, "second")
    token = accounts.sign_in(database, "Li", PASSWORD, "1.1.1.1")
    projects.switch_project(database, admin, token, second)
    here = accounts.find_actor(database, token)
    assert here and (here.project, here.role) == ("second", "admin")
    accounts.add_person(database, admin, "Wang", PASSWORD, "annotator")
    with pytest.raises(InvalidInput, match="taken"):
        accounts.add_person(database, here, "Wang", PASSWORD, "reviewer")
    accounts.add_person(database, here, "Wang", "", "reviewer")
    theirs = accounts.find_actor(database, accounts.sign_in(database, "Wang", PASSWORD, "1.1.1.1"))
    assert theirs and {
        each.name: each.role for each in projects.list_projects(database, theirs)
    } == {
        "main": "annotator",
        "second": "reviewer",
    }


def test_nobody_switches_to_a_project_that_is_not_theirs(database: Database, admin: Actor) -> None:
    accounts.add_person(database, admin, "Wang", PASSWORD, "annotator")
    token = accounts.sign_in(database, "Wang", PASSWORD, "1.1.1.1")
    who = accounts.find_actor(database, token)
    second = projects.create_project(database, admin, "second")
    assert who
    with pytest.raises(NotAllowed):
        projects.switch_project(database, who, token, second)


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\nb", "a\u202eb", "\x00"])
def test_a_name_that_hides_something_is_refused(
    database: Database, admin: Actor, name: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        accounts.add_person(database, admin, name, PASSWORD, "annotator")
    assert refused.value.code == "accounts.name_unusable"


def test_settings_change_one_by_one_and_nonsense_is_refused(
    database: Database, admin: Actor
) -> None:
    changed = projects.change_settings(
        database, admin, overlap=2, think={"min": 10, "max": 20}, banned_words=("微信",)
    )
    assert (changed.overlap, changed.think.max, changed.banned_words) == (2, 20, ("微信",))
    assert projects.get_settings(database, admin) == changed
    for wrong in ({"overlap": 0}, {"think": {"min": 30, "max": 20}}, {"nothing": 1}):
        with pytest.raises(InvalidInput) as refused:
            projects.change_settings(database, admin, **wrong)
        assert sentence(refused.value.code, refused.value.values, "zh")
    assert projects.get_settings(database, admin) == changed


def test_a_demo_takes_in_everybody_in_their_own_role(database: Database, admin: Actor) -> None:
    accounts.add_person(database, admin, "Wang", PASSWORD, "annotator")
    demo = projects.create_project(
        database, accounts.command_line_actor(database, "main"), "demo", is_demo=True
    )
    accounts.add_person(database, admin, "Zhao", PASSWORD, "reviewer")
    roles = {}
    for name in ("Li", "Wang", "Zhao"):
        who = accounts.find_actor(database, accounts.sign_in(database, name, PASSWORD, "1.1.1.1"))
        assert who and who.project == "main"
        roles[name] = {each.id: each.role for each in projects.list_projects(database, who)}[demo]
    assert roles == {"Li": "admin", "Wang": "annotator", "Zhao": "reviewer"}
