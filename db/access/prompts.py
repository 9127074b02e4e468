"""Published prompts and guidelines."""

import hashlib

from sqlmodel import Session, col, select

from db.tables import GuidelineVersion, Person, PromptVersion
from schemas.prompt import built_in_template
from schemas.prompt_versions import Guideline, PromptVersionView
from schemas.sentences import LANGUAGES, Language


def add_built_in_prompts(session: Session, project_id: str) -> dict[Language, str]:
    """The prompts that a new project starts with: `planner-zh@1` and `planner-en@1`; their ids."""
    return {
        language: add_prompt(
            session, project_id, f"planner-{language}", built_in_template(language), None
        ).id
        for language in LANGUAGES
    }


def add_prompt(
    session: Session, project_id: str, name: str, template: str, person_id: str | None
) -> PromptVersion:
    """The next version of a prompt."""
    newest = find_prompt(session, project_id, name)
    row = PromptVersion(
        project_id=project_id,
        name=name,
        version=1 if newest is None else newest.version + 1,
        template=template,
        content_hash=_hash(template),
        published_by=person_id,
    )
    session.add(row)
    session.flush()
    return row


def find_prompt(
    session: Session, project_id: str, name: str, version: int | None = None
) -> PromptVersion | None:
    """A version of a prompt; the newest when no version is named."""
    statement = select(PromptVersion).where(
        PromptVersion.project_id == project_id, PromptVersion.name == name
    )
    if version is not None:
        statement = statement.where(PromptVersion.version == version)
    return session.exec(statement.order_by(col(PromptVersion.version).desc()).limit(1)).first()


def find_same_prompt(
    session: Session, project_id: str, name: str, template: str
) -> PromptVersion | None:
    """The version of a prompt that says the same."""
    statement = select(PromptVersion).where(
        PromptVersion.project_id == project_id,
        PromptVersion.name == name,
        PromptVersion.content_hash == _hash(template),
    )
    return session.exec(statement).first()


def list_prompts(
    session: Session, project_id: str, current_id: str | None
) -> list[PromptVersionView]:
    """Every version, by name, the newest first."""
    statement = (
        select(PromptVersion, Person.name)
        .join(Person, col(Person.id) == PromptVersion.published_by, isouter=True)
        .where(PromptVersion.project_id == project_id)
        .order_by(PromptVersion.name, col(PromptVersion.version).desc())
    )
    return [
        PromptVersionView(
            version_id=row.id,
            name=row.name,
            version=row.version,
            template=row.template,
            published_by=person,
            published_at=row.published_at,
            is_current=row.id == current_id,
        )
        for row, person in session.exec(statement)
    ]


def add_guideline(session: Session, project_id: str, text: str, person_id: str | None) -> int:
    """The next version of the guideline; its number."""
    newest = find_guideline(session, project_id)
    version = 1 if newest is None else newest.version + 1
    session.add(
        GuidelineVersion(project_id=project_id, version=version, text=text, published_by=person_id)
    )
    session.flush()
    return version


def find_guideline(session: Session, project_id: str) -> Guideline | None:
    """The newest guideline."""
    statement = (
        select(GuidelineVersion, Person.name)
        .join(Person, col(Person.id) == GuidelineVersion.published_by, isouter=True)
        .where(GuidelineVersion.project_id == project_id)
        .order_by(col(GuidelineVersion.version).desc())
        .limit(1)
    )
    found = session.exec(statement).first()
    if found is None:
        return None
    row, person = found
    return Guideline(
        version=row.version, text=row.text, published_by=person, published_at=row.published_at
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def get_template(session: Session, version_id: str) -> str:
    """The template that a pin names."""
    return session.get_one(PromptVersion, version_id).template
