"""People and the roles they hold in projects; nobody is ever deleted with their work."""

from db.access import people, projects
from db.access.events import add_event
from db.engine import Database, Session, take_turns
from db.tables import Person
from labeling.sign_in import (
    SESSION_DAYS,
    change_password,
    checked_name,
    create_setup_link,
    find_actor,
    hash_password,
    is_set_up,
    sign_in,
    sign_out,
    switch_project,
    use_setup_link,
)
from schemas.errors import InvalidInput, NotFound, TransitionRefused
from schemas.people import ROLES, Actor, Member, Preferences, Role
from schemas.sentences import Language

__all__ = [
    "SESSION_DAYS",
    "add_person",
    "change_password",
    "command_line_actor",
    "create_setup_link",
    "deactivate",
    "find_actor",
    "get_preferences",
    "is_set_up",
    "list_people",
    "reactivate",
    "reset_password",
    "set_preferences",
    "set_role",
    "sign_in",
    "sign_out",
    "switch_project",
    "use_setup_link",
]

COMMAND_LINE = "command-line"


def command_line_actor(database: Database, project: str) -> Actor:
    """The command line, acting as an admin of a project; `main` comes into being on first use.

    Raises:
        NotFound: `projects.not_found`.
    """
    with database.transaction() as session:
        take_turns(session, COMMAND_LINE)  # two first commands at once
        person = people.find_person(session, COMMAND_LINE)
        if person is None:
            person = Person(name=COMMAND_LINE, password_hash=people.NO_PASSWORD)
            session.add(person)
            session.flush()
        row = projects.find_project(session, project)
        if row is None and project == "main":
            row = projects.add_project(session, project)
        if row is None:
            raise NotFound("projects.not_found", name=project)
        return people.to_actor(person, row, "admin", "en")


def list_people(database: Database, who: Actor) -> list[Member]:
    """Everybody who can sign in to this project, by name, deactivated ones included."""
    who.require("admin")
    with database.reading() as session:
        return people.list_members(session, who.project_id)


def add_person(database: Database, who: Actor, name: str, password: str, role: Role) -> str:
    """Add somebody to this project, and to the demo in the same role; returns their id.

    A name that works elsewhere joins this project with the password it has, if `password` is blank.

    Raises:
        InvalidInput: name, password or role cannot be used, or the name is taken.
    """
    who.require("admin")
    name, role = checked_name(name), _checked_role(role)
    hashed = hash_password(password) if password else None
    with database.transaction() as session:
        person = people.find_person(session, name)
        if person is None:
            if hashed is None:
                hash_password(password)
            person = Person(name=name, password_hash=hashed or people.NO_PASSWORD)
            session.add(person)
            session.flush()
            for demo_id in projects.list_demo_ids(session):
                people.set_member(session, demo_id, person.id, role)
        elif hashed is not None or _is_member(session, who, person.id) or not _can_sign_in(person):
            raise InvalidInput("accounts.name_taken", name=name)
        people.set_member(session, who.project_id, person.id, role)
        add_event(session, who, "person", person.id, "added", after=role)
        return person.id


def set_role(database: Database, who: Actor, person_id: str, role: Role) -> None:
    """Give somebody another role in this project.

    Raises:
        TransitionRefused: `accounts.last_admin`.
    """
    who.require("admin")
    role = _checked_role(role)
    with database.transaction() as session:
        person, before = _get_member(session, who, person_id)
        if before == "admin" and role != "admin":
            _keep_an_admin(session, who.project_id, person)
        people.set_member(session, who.project_id, person_id, role)
        add_event(session, who, "person", person_id, "role", before=before, after=role)


def deactivate(database: Database, who: Actor, person_id: str) -> None:
    """End somebody's access everywhere; their work and name stay.

    Raises:
        TransitionRefused: `accounts.last_admin`; `accounts.admin_elsewhere` for somebody who
            administers a project that is not yours.
    """
    who.require("admin")
    with database.transaction() as session:
        person, _ = _get_member(session, who, person_id)
        for project_id, role in people.list_roles(session, person_id):
            if role == "admin":
                _keep_an_admin(session, project_id, person)
        _require_authority(session, who, person)
        person.is_active = False
        people.delete_sign_ins(session, person_id)
        add_event(
            session, who, "person", person_id, "deactivated", before="active", after="inactive"
        )


def reactivate(database: Database, who: Actor, person_id: str) -> None:
    """Let somebody sign in again."""
    who.require("admin")
    with database.transaction() as session:
        person, _ = _get_member(session, who, person_id)
        _require_authority(session, who, person)
        person.is_active = True
        add_event(
            session, who, "person", person_id, "reactivated", before="inactive", after="active"
        )


def reset_password(database: Database, who: Actor, person_id: str, password: str) -> None:
    """Give somebody a new password and end their sessions."""
    who.require("admin")
    hashed = hash_password(password)
    with database.transaction() as session:
        person, _ = _get_member(session, who, person_id)
        _require_authority(session, who, person)
        person.password_hash = hashed
        people.delete_sign_ins(session, person_id)
        add_event(session, who, "person", person_id, "password_reset")


def get_preferences(database: Database, who: Actor) -> Preferences:
    """What somebody has chosen."""
    with database.reading() as session:
        person = session.get_one(Person, who.person_id)
        return Preferences.model_validate({"language": person.language, "theme": person.theme})


def set_preferences(
    database: Database,
    who: Actor,
    *,
    language: Language | None = None,
    theme: str | None = None,
) -> None:
    """Keep a choice; what is None stays as it is."""
    chosen = Preferences.model_validate({"language": language, "theme": theme})
    with database.transaction() as session:
        person = session.get_one(Person, who.person_id)
        person.language = chosen.language or person.language
        person.theme = chosen.theme or person.theme


def _get_member(session: Session, who: Actor, person_id: str) -> tuple[Person, str]:
    found = people.find_member(session, who.project_id, person_id)
    if found is None or not _can_sign_in(found[0]):
        raise NotFound("accounts.person_not_found")
    return found


def _is_member(session: Session, who: Actor, person_id: str) -> bool:
    return people.find_member(session, who.project_id, person_id) is not None


def _can_sign_in(person: Person) -> bool:
    return person.password_hash != people.NO_PASSWORD


def _keep_an_admin(session: Session, project_id: str, person: Person) -> None:
    """Refuse to take away the last person who can administer a project."""
    if person.is_active and people.count_active_admins(session, project_id) <= 1:
        raise TransitionRefused("accounts.last_admin", name=person.name)


def _require_authority(session: Session, who: Actor, person: Person) -> None:
    """An account spans projects: only its admins' peers may close it or change its password."""
    if who.name == COMMAND_LINE:
        return
    mine = {
        project for project, role in people.list_roles(session, who.person_id) if role == "admin"
    }
    theirs = {project for project, role in people.list_roles(session, person.id) if role == "admin"}
    if theirs - mine:
        raise TransitionRefused("accounts.admin_elsewhere", name=person.name)


def _checked_role(role: str) -> Role:
    for known in ROLES:
        if known == role:
            return known
    raise InvalidInput("accounts.role_unknown", role=role)
