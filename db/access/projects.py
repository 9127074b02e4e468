"""Projects and what each decides for itself."""

from functools import lru_cache

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db.access.prompts import add_built_in_prompts
from db.prepared import Prepared
from db.tables import Membership, Project
from schemas.people import Role
from schemas.project import ProjectSettings, ProjectSummary
from schemas.sentences import Language

_PROJECT = Project.metadata.tables["project"]
_SETTINGS = Prepared(
    sa.select(sa.cast(_PROJECT.c.settings, sa.Text)).where(_PROJECT.c.id == sa.bindparam("key"))
)


def find_project(session: Session, name: str) -> Project | None:
    """The project of a name."""
    return session.exec(select(Project).where(Project.name == name)).first()


def get_project(session: Session, project_id: str) -> Project:
    """The project of an id; whoever holds an actor knows that it exists."""
    return session.get_one(Project, project_id)


def add_project(
    session: Session, name: str, *, is_demo: bool = False, language: Language = "zh"
) -> Project:
    """A new project with default settings and the built-in prompts; the language's is current."""
    project = Project(name=name, is_demo=is_demo)
    session.add(project)
    session.flush()
    prompts = add_built_in_prompts(session, project.id)
    settings = ProjectSettings(current_prompt_version_id=prompts[language], dialect=f"{language}@1")
    write_settings(session, project.id, settings)
    session.flush()
    return project


def list_project_ids(session: Session) -> list[str]:
    """Every project, oldest first."""
    return list(session.exec(select(Project.id).order_by(col(Project.created_at))))


def list_demo_ids(session: Session) -> list[str]:
    """The demo projects."""
    return list(session.exec(select(Project.id).where(Project.is_demo)))


def list_projects_of(session: Session, person_id: str) -> list[ProjectSummary]:
    """Projects in which a person holds a role, by name, the demo last."""
    statement = (
        select(Project, Membership.role)
        .join(Membership, col(Membership.project_id) == Project.id)
        .where(Membership.person_id == person_id)
        .order_by(col(Project.is_demo), Project.name)
    )
    return [
        ProjectSummary(id=project.id, name=project.name, is_demo=project.is_demo, role=_role(role))
        for project, role in session.exec(statement)
    ]


def read_settings(session: Session, project_id: str) -> ProjectSettings:
    """What a project has decided."""
    session.flush()
    found = _SETTINGS.first(session, key=project_id)
    if found is None:
        raise LookupError(project_id)
    return _parsed(found[0])


def write_settings(session: Session, project_id: str, settings: ProjectSettings) -> None:
    """Replace a project's settings."""
    get_project(session, project_id).settings = settings.model_dump(mode="json")


@lru_cache(256)
def _parsed(settings: str) -> ProjectSettings:
    """Every item that is handed out asks for the settings, which change once in a while."""
    return ProjectSettings.model_validate_json(settings)


def _role(role: str) -> Role:
    return role  # pyright: ignore[reportReturnType]  (held by a check constraint)
