"""People, their roles, and how they sign in."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db.tables import Membership, Person, Project, SetupLink, SignIn, SignInAttempt
from schemas.people import Actor, Member, Role
from schemas.sentences import Language

NO_PASSWORD = "!"  # noqa: S105  (a hash that no password has)
"""The password hash of people who cannot sign in: the command line and the demo's authors."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """Failed sign-ins of late."""

    by_name: int
    from_address: int


def find_person(session: Session, name: str) -> Person | None:
    """The person of a name, active or not."""
    return session.exec(select(Person).where(Person.name == name)).first()


def find_member(session: Session, project_id: str, person_id: str) -> tuple[Person, str] | None:
    """A person and their role in a project."""
    statement = (
        select(Person, Membership.role)
        .join(Membership, col(Membership.person_id) == Person.id)
        .where(Membership.project_id == project_id, Person.id == person_id)
    )
    return session.exec(statement).first()


def list_members(session: Session, project_id: str) -> list[Member]:
    """Everybody with a role in a project, by name; those who cannot sign in are left out."""
    statement = (
        select(Person, Membership)
        .join(Membership, col(Membership.person_id) == Person.id)
        .where(Membership.project_id == project_id, Person.password_hash != NO_PASSWORD)
        .order_by(Person.name)
    )
    return [
        Member.model_validate(
            {
                "person_id": person.id,
                "name": person.name,
                "role": membership.role,
                "is_active": person.is_active,
                "since": membership.created_at,
            }
        )
        for person, membership in session.exec(statement)
    ]


def list_roles(session: Session, person_id: str) -> list[tuple[str, str]]:
    """(project id, role) of a person, the main project first and the demo last."""
    statement = (
        select(Membership.project_id, Membership.role)
        .join(Project, col(Project.id) == Membership.project_id)
        .where(Membership.person_id == person_id)
        .order_by(col(Project.is_demo), col(Project.created_at))
    )
    return list(session.exec(statement))


def count_active_admins(session: Session, project_id: str) -> int:
    """How many people can still administer a project; their rows stay locked until the commit."""
    statement = (
        select(Person.id)
        .join(Membership, col(Membership.person_id) == Person.id)
        .where(
            Membership.project_id == project_id,
            Membership.role == "admin",
            Person.is_active,
            Person.password_hash != NO_PASSWORD,
        )
        .with_for_update()
    )
    return len(session.exec(statement).all())


def has_people(session: Session) -> bool:
    """Whether anybody can sign in."""
    statement = select(Person.id).where(Person.is_active, Person.password_hash != NO_PASSWORD)
    return session.exec(statement.limit(1)).first() is not None


def set_member(session: Session, project_id: str, person_id: str, role: Role) -> None:
    """Give a person a role in a project, or another one."""
    membership = session.get(Membership, (project_id, person_id))
    if membership is None:
        session.add(Membership(project_id=project_id, person_id=person_id, role=role))
    else:
        membership.role = role
    session.flush()


def find_signed_in(
    session: Session, token_hash: str, at: datetime, default_language: Language
) -> Actor | None:
    """Who a session belongs to, with the role held now."""
    statement = (
        select(Person, Project, Membership.role)
        .join(SignIn, col(SignIn.person_id) == Person.id)
        .join(Project, col(Project.id) == SignIn.project_id)
        .join(
            Membership,
            sa.and_(
                col(Membership.person_id) == Person.id, col(Membership.project_id) == Project.id
            ),
        )
        .where(SignIn.token_hash == token_hash, SignIn.expires_at > at, Person.is_active)
    )
    found = session.exec(statement).first()
    if found is None:
        return None
    person, project, role = found
    return to_actor(person, project, role, default_language)


def to_actor(person: Person, project: Project, role: str, default_language: Language) -> Actor:
    """A person at work in a project."""
    return Actor(
        person_id=person.id,
        name=person.name,
        project_id=project.id,
        project=project.name,
        role=role,  # pyright: ignore[reportArgumentType]  (held by a check constraint)
        language=person.language or default_language,  # pyright: ignore[reportArgumentType]
    )


def add_sign_in(
    session: Session, token_hash: str, person_id: str, project_id: str, expires_at: datetime
) -> None:
    """Remember a session."""
    session.add(
        SignIn(
            token_hash=token_hash,
            person_id=person_id,
            project_id=project_id,
            expires_at=expires_at,
        )
    )


def find_sign_in(session: Session, token_hash: str) -> SignIn | None:
    """A session's row."""
    return session.get(SignIn, token_hash)


def delete_sign_ins(session: Session, person_id: str) -> None:
    """End every session of a person."""
    session.exec(sa.delete(SignIn).where(col(SignIn.person_id) == person_id))


def delete_expired(session: Session, at: datetime, attempts_before: datetime) -> None:
    """Forget sessions that are over and attempts too old to count."""
    session.exec(sa.delete(SignIn).where(col(SignIn.expires_at) <= at))
    session.exec(sa.delete(SignInAttempt).where(col(SignInAttempt.at) < attempts_before))


def count_attempts(session: Session, name: str, address: str, since: datetime) -> Attempts:
    """Failed sign-ins since a time."""

    def count(condition: sa.ColumnElement[bool]) -> int:
        statement = select(sa.func.count()).select_from(SignInAttempt)
        return session.exec(statement.where(condition, SignInAttempt.at >= since)).one()

    return Attempts(
        by_name=count(col(SignInAttempt.name) == name),
        from_address=count(col(SignInAttempt.address) == address),
    )


def add_attempt(session: Session, name: str, address: str) -> None:
    """Count a sign-in as failed until it has succeeded."""
    session.add(SignInAttempt(name=name, address=address))


def delete_attempts(session: Session, name: str, address: str) -> None:
    """A sign-in succeeded: what this person mistyped here is forgiven."""
    session.exec(
        sa.delete(SignInAttempt).where(
            col(SignInAttempt.name) == name, col(SignInAttempt.address) == address
        )
    )


def replace_setup_link(session: Session, token_hash: str, expires_at: datetime) -> None:
    """Make a set-up link; older unused ones stop working."""
    session.exec(sa.delete(SetupLink).where(col(SetupLink.used_at).is_(None)))
    session.add(SetupLink(token_hash=token_hash, expires_at=expires_at))


def use_setup_link(session: Session, token_hash: str, at: datetime) -> bool:
    """Use a link up; false if it is unknown, over, or was used before."""
    statement = (
        sa.update(SetupLink)
        .where(
            col(SetupLink.token_hash) == token_hash,
            col(SetupLink.used_at).is_(None),
            col(SetupLink.expires_at) > at,
        )
        .values(used_at=at)
    )
    return session.exec(statement).rowcount == 1


def list_all_roles(session: Session) -> list[tuple[str, Role]]:
    """(person id, role) of everybody who can sign in, in every project."""
    statement = (
        select(Membership.person_id, Membership.role)
        .join(Person, col(Person.id) == Membership.person_id)
        .where(Person.password_hash != NO_PASSWORD)
    )
    return list(session.exec(statement))  # pyright: ignore[reportReturnType]  (check constraint)


def read_preference(session: Session, person_id: str, name: str) -> dict[str, object]:
    """What somebody chose under a name; nothing where they chose nothing that can be read."""
    chosen = session.get_one(Person, person_id).preferences.get(name)
    return cast(dict[str, object], chosen) if isinstance(chosen, dict) else {}


def keep_preference(session: Session, person_id: str, name: str, chosen: dict[str, object]) -> None:
    """Keep what somebody chose; their other preferences stay."""
    person = session.get_one(Person, person_id)
    session.refresh(person)
    person.preferences = {**person.preferences, name: chosen}
