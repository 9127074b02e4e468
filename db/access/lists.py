"""Published versions of expert lists."""

from sqlmodel import Session, col, select

from db.tables import ListVersion, Person
from schemas.experts import ExpertList, ListSummary


def find_version(
    session: Session, project_id: str, name: str, version: int | None = None
) -> ListVersion | None:
    """A version of a list; the newest when no version is named."""
    statement = select(ListVersion).where(
        ListVersion.project_id == project_id, ListVersion.name == name
    )
    if version is not None:
        statement = statement.where(ListVersion.version == version)
    return session.exec(statement.order_by(col(ListVersion.version).desc()).limit(1)).first()


def find_content(
    session: Session, project_id: str, name: str, content_hash: str
) -> ListVersion | None:
    """The version of a list that has this content."""
    statement = select(ListVersion).where(
        ListVersion.project_id == project_id,
        ListVersion.name == name,
        ListVersion.content_hash == content_hash,
    )
    return session.exec(statement).first()


def find_list(session: Session, project_id: str, version_id: str) -> ExpertList | None:
    """The list of a version id."""
    statement = select(ListVersion).where(
        ListVersion.project_id == project_id, ListVersion.id == version_id
    )
    row = session.exec(statement).first()
    return None if row is None else to_list(row)


def add_version(
    session: Session, project_id: str, expert_list: ExpertList, note: str, person_id: str | None
) -> str:
    """Publish a version; returns its id."""
    row = ListVersion(
        project_id=project_id,
        name=expert_list.name,
        version=expert_list.version,
        content=expert_list.model_dump(mode="json"),
        content_hash=expert_list.content_hash,
        note=note,
        published_by=person_id,
    )
    session.add(row)
    session.flush()
    return row.id


def list_versions(session: Session, project_id: str, current_id: str | None) -> list[ListSummary]:
    """Every version, by name, the newest first."""
    statement = (
        select(ListVersion, Person.name)
        .join(Person, col(Person.id) == ListVersion.published_by, isouter=True)
        .where(ListVersion.project_id == project_id)
        .order_by(ListVersion.name, col(ListVersion.version).desc())
    )
    return [_to_summary(row, person, current_id) for row, person in session.exec(statement)]


def to_list(row: ListVersion) -> ExpertList:
    """The frozen value of a row."""
    return ExpertList.model_validate(row.content)


def _to_summary(row: ListVersion, published_by: str | None, current_id: str | None) -> ListSummary:
    expert_list = to_list(row)
    return ListSummary(
        version_id=row.id,
        name=row.name,
        version=row.version,
        experts=len(expert_list.experts),
        tools=len(expert_list.tools),
        services=len(expert_list.services),
        note=row.note,
        published_by=published_by,
        published_at=row.published_at,
        is_current=row.id == current_id,
    )
