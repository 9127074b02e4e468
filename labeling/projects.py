"""Projects: a planner's world each, and what it decides for itself."""

import unicodedata

from pydantic import ValidationError

from db.access import people, projects
from db.access.events import add_event
from db.engine import Database
from labeling.sign_in import switch_project
from schemas.errors import InvalidInput
from schemas.people import ROLES, Actor, Role
from schemas.project import ProjectSettings, ProjectSummary

__all__ = [
    "change_settings",
    "create_project",
    "get_settings",
    "list_projects",
    "switch_project",
]

NAME_MAX = 64


def create_project(database: Database, who: Actor, name: str, *, is_demo: bool = False) -> str:
    """A new project with `who` as its admin; a demo takes in everybody. Returns its id.

    Raises:
        InvalidInput: `projects.name_unusable`, `projects.name_taken`.
    """
    who.require("admin")
    name = unicodedata.normalize("NFKC", name).strip()
    if not 0 < len(name) <= NAME_MAX or not name.isprintable():
        raise InvalidInput("projects.name_unusable", max=NAME_MAX)
    with database.transaction() as session:
        if projects.find_project(session, name) is not None:
            raise InvalidInput("projects.name_taken", name=name)
        project = projects.add_project(session, name, is_demo=is_demo, language=who.language)
        if is_demo:
            for person_id, role in _highest_roles(people.list_all_roles(session)).items():
                people.set_member(session, project.id, person_id, role)
        people.set_member(session, project.id, who.person_id, "admin")
        add_event(session, who, "project", project.id, "created", after=name)
        return project.id


def list_projects(database: Database, who: Actor) -> list[ProjectSummary]:
    """Projects in which this person holds a role, by name, the demo last."""
    with database.reading() as session:
        return projects.list_projects_of(session, who.person_id)


def get_settings(database: Database, who: Actor) -> ProjectSettings:
    """What the project has decided."""
    with database.reading() as session:
        return projects.read_settings(session, who.project_id)


def change_settings(database: Database, who: Actor, **changes: object) -> ProjectSettings:
    """Decide some settings anew; the others stay.

    Raises:
        InvalidInput: `projects.settings_refused`, with the setting's name.
    """
    who.require("admin")
    with database.transaction() as session:
        before = projects.read_settings(session, who.project_id)
        try:
            after = ProjectSettings.model_validate(before.model_dump() | changes)
        except ValidationError as error:
            place = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise InvalidInput("projects.settings_refused", setting=place) from error
        if after.think.min > after.think.max:
            raise InvalidInput("projects.settings_refused", setting="think")
        projects.write_settings(session, who.project_id, after)
        changed = {name: repr(value) for name, value in changes.items()}
        add_event(session, who, "project", who.project_id, "settings", why=dict(changed))
    return after


def _highest_roles(held: list[tuple[str, Role]]) -> dict[str, Role]:
    highest: dict[str, Role] = {}
    for person_id, role in held:
        known = highest.get(person_id)
        if known is None or ROLES.index(role) > ROLES.index(known):
            highest[person_id] = role
    return highest
