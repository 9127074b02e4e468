"""Signing in: one-time set-up link, passwords, sessions that live in the database.

Only hashes are stored: argon2 of a password, SHA-256 of a session token (which is random, so
nothing slower is needed). A wrong name takes as long as a wrong password and reads the same.
"""

import hashlib
import secrets
import threading
import unicodedata
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from db import clock
from db.access import people, projects
from db.access.events import add_event
from db.engine import Database, take_turns
from db.tables import Person
from schemas.errors import InvalidInput, NotAllowed
from schemas.people import Actor
from schemas.sentences import Language

SESSION_DAYS = 14
SETUP_HOURS = 24
ATTEMPT_WINDOW = timedelta(minutes=15)
ATTEMPTS_BY_NAME = 10
ATTEMPTS_FROM_ADDRESS = 40
PASSWORD_MIN, PASSWORD_MAX = 10, 256
NAME_MAX = 64

_hasher = PasswordHasher()
# Each hash takes 64 MiB; a flood of sign-ins must not take the machine's memory.
_hashing = threading.BoundedSemaphore(4)


def create_setup_link(database: Database) -> str | None:
    """A one-time token for the first admin; None once somebody can sign in."""
    token = secrets.token_urlsafe(32)
    with database.transaction() as session:
        if people.has_people(session):
            return None
        until = _now() + timedelta(hours=SETUP_HOURS)
        people.replace_setup_link(session, token_digest(token), until)
    return token


def is_set_up(database: Database) -> bool:
    """Whether somebody can sign in, so that no set-up link is good any more."""
    with database.reading() as session:
        return people.has_people(session)


def use_setup_link(database: Database, token: str, name: str, password: str) -> str:
    """Make the first admin, of every project that exists, and sign them in.

    Raises:
        NotAllowed: `accounts.setup_link_over`.
        InvalidInput: name or password cannot be used; the link stays good.
    """
    name, hashed = checked_name(name), hash_password(password)
    with database.transaction() as session:
        take_turns(session, "set-up")
        if people.has_people(session) or not people.use_setup_link(
            session, token_digest(token), _now()
        ):
            raise NotAllowed("accounts.setup_link_over")
        main = projects.find_project(session, "main") or projects.add_project(session, "main")
        person = Person(name=name, password_hash=hashed)
        session.add(person)
        session.flush()
        for project_id in projects.list_project_ids(session):
            people.set_member(session, project_id, person.id, "admin")
        who = people.to_actor(person, main, "admin", "zh")
        add_event(session, who, "person", person.id, "added", after="admin")
    return sign_in(database, name, password, "setup")


def sign_in(database: Database, name: str, password: str, address: str) -> str:
    """Open a session and return its token.

    Raises:
        NotAllowed: `accounts.sign_in_refused`, whatever was wrong; `accounts.too_many_attempts`;
            `accounts.no_project` for somebody who works in none.
    """
    name = unicodedata.normalize("NFKC", name).strip()[:NAME_MAX]
    now = _now()
    with database.transaction() as session:
        take_turns(session, "sign-ins")
        people.delete_expired(session, now, now - ATTEMPT_WINDOW)
        attempts = people.count_attempts(session, name, address, now - ATTEMPT_WINDOW)
        is_refused = (
            attempts.by_name >= ATTEMPTS_BY_NAME or attempts.from_address >= ATTEMPTS_FROM_ADDRESS
        )
        if not is_refused:
            # Counted before it is judged, so that parallel guesses cannot slip through.
            people.add_attempt(session, name, address)
        person = people.find_person(session, name)
    if is_refused:
        minutes = int(ATTEMPT_WINDOW.total_seconds() // 60)
        raise NotAllowed("accounts.too_many_attempts", minutes=minutes)
    stored = person.password_hash if person is not None and person.is_active else None
    if not _matches(stored, password) or person is None:
        raise NotAllowed("accounts.sign_in_refused")
    return _open_session(database, person, address)


def sign_out(database: Database, token: str) -> None:
    """End a session; an unknown token is no error."""
    with database.transaction() as session:
        row = people.find_sign_in(session, token_digest(token))
        if row is not None:
            session.delete(row)


def find_actor(database: Database, token: str, default_language: Language = "zh") -> Actor | None:
    """Who a session belongs to, with the role held now; None when it is over."""
    with database.reading() as session:
        return people.find_signed_in(session, token_digest(token), _now(), default_language)


def switch_project(database: Database, who: Actor, token: str, project_id: str) -> None:
    """Work in another project from now on.

    Raises:
        NotAllowed: `accounts.not_a_member`.
    """
    with database.transaction() as session:
        row = people.find_sign_in(session, token_digest(token))
        if row is None or people.find_member(session, project_id, who.person_id) is None:
            raise NotAllowed("accounts.not_a_member", name=who.name)
        row.project_id = project_id
        person = session.get_one(Person, who.person_id)
        person.preferences = {**person.preferences, "project_id": project_id}


def change_password(database: Database, who: Actor, old: str, new: str) -> None:
    """Replace one's own password and end all one's sessions.

    Raises:
        NotAllowed: `accounts.sign_in_refused` when the old one is wrong.
    """
    with database.reading() as session:
        stored = session.get_one(Person, who.person_id).password_hash
    if not _matches(stored, old):
        raise NotAllowed("accounts.sign_in_refused")
    hashed = hash_password(new)
    with database.transaction() as session:
        session.get_one(Person, who.person_id).password_hash = hashed
        people.delete_sign_ins(session, who.person_id)
        add_event(session, who, "person", who.person_id, "password_changed")


def checked_name(name: str) -> str:
    """A name as it is stored: NFKC, no blanks around, nothing that hides.

    Raises:
        InvalidInput: `accounts.name_unusable`.
    """
    name = unicodedata.normalize("NFKC", name).strip()
    if not 0 < len(name) <= NAME_MAX or not name.isprintable():
        raise InvalidInput("accounts.name_unusable", max=NAME_MAX)
    return name


def hash_password(password: str) -> str:
    """What is stored of a password.

    Raises:
        InvalidInput: `accounts.password_unusable`.
    """
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise InvalidInput("accounts.password_unusable", min=PASSWORD_MIN, max=PASSWORD_MAX)
    with _hashing:
        return _hasher.hash(password)


def token_digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _open_session(database: Database, person: Person, address: str) -> str:
    token = secrets.token_urlsafe(32)
    with database.transaction() as session:
        joined = [project_id for project_id, _ in people.list_roles(session, person.id)]
        if not joined:
            raise NotAllowed("accounts.no_project", name=person.name)
        last = person.preferences.get("project_id")
        project_id = str(last) if last in joined else joined[0]
        until = _now() + timedelta(days=SESSION_DAYS)
        people.add_sign_in(session, token_digest(token), person.id, project_id, until)
        people.delete_attempts(session, person.name, address)
    return token


def _matches(stored: str | None, password: str) -> bool:
    """Whether a password has the stored hash; takes as long when there is none."""
    with _hashing:
        try:
            return _hasher.verify(stored or _decoy(), password[: PASSWORD_MAX + 1]) and bool(stored)
        except (VerificationError, InvalidHashError):
            return False


@cache
def _decoy() -> str:
    return _hasher.hash(secrets.token_urlsafe(16))


def _now() -> datetime:
    return clock.now()
