"""Sessions, passwords, the set-up link and the rate limit."""

import re
import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from db import clock
from db.engine import Database
from db.tables import Person, SetupLink, SignIn
from labeling import accounts
from labeling.sign_in import ATTEMPTS_BY_NAME, ATTEMPTS_FROM_ADDRESS
from schemas.errors import InvalidInput, NotAllowed

PASSWORD = "a long password"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real argon2, at the least cost it allows: these tests hash some hundred passwords."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr("labeling.sign_in._hasher", cheap)


@pytest.fixture
def ready(database: Database) -> Database:
    """A database with one admin, Li."""
    link = accounts.create_setup_link(database)
    assert link
    accounts.use_setup_link(database, link, "Li", PASSWORD)
    return database


def test_there_is_no_account_before_the_set_up_link_is_used(database: Database) -> None:
    accounts.command_line_actor(database, "main")
    for name in ("admin", "Li", accounts.COMMAND_LINE):
        for password in ("admin", "password", "", "!"):
            with pytest.raises(NotAllowed):
                accounts.sign_in(database, name, password, "9.9.9.9")


def test_a_set_up_link_works_once_and_only_while_nobody_can_sign_in(database: Database) -> None:
    first = accounts.create_setup_link(database)
    second = accounts.create_setup_link(database)
    assert first and second
    with pytest.raises(NotAllowed):
        accounts.use_setup_link(database, first, "Li", PASSWORD)
    token = accounts.use_setup_link(database, second, "Li", PASSWORD)
    who = accounts.find_actor(database, token)
    assert who and (who.name, who.role, who.project) == ("Li", "admin", "main")
    with pytest.raises(NotAllowed):
        accounts.use_setup_link(database, second, "Eve", PASSWORD)
    assert accounts.create_setup_link(database) is None


def test_a_mistyped_set_up_keeps_the_link_good(database: Database) -> None:
    link = accounts.create_setup_link(database)
    assert link
    with pytest.raises(InvalidInput):
        accounts.use_setup_link(database, link, "Li", "short")
    assert accounts.use_setup_link(database, link, "Li", PASSWORD)


def test_one_of_two_who_use_a_set_up_link_at_once_wins(database: Database) -> None:
    link = accounts.create_setup_link(database)
    assert link
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def use(name: str) -> None:
        start.wait()
        try:
            accounts.use_setup_link(database, link, name, PASSWORD)
            outcomes.append("in")
        except NotAllowed:
            outcomes.append("refused")

    threads = [threading.Thread(target=use, args=(name,)) for name in ("Li", "Eve")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in", "refused"]


def test_an_old_set_up_link_is_over(database: Database) -> None:
    link = accounts.create_setup_link(database)
    assert link
    with database.transaction() as session:
        session.execute(sa.update(SetupLink).values(expires_at=datetime(2020, 1, 1, tzinfo=UTC)))
    with pytest.raises(NotAllowed):
        accounts.use_setup_link(database, link, "Li", PASSWORD)


def test_neither_password_nor_token_stands_in_the_database(ready: Database) -> None:
    token = accounts.sign_in(ready, "Li", PASSWORD, "1.1.1.1")
    with ready.reading() as session:
        hashed = session.execute(sa.select(Person.password_hash)).scalars().all()
        kept = session.execute(sa.select(SignIn.token_hash)).scalars().all()
    assert any(each.startswith("$argon2id$") for each in hashed)
    assert token not in kept
    assert all(re.fullmatch("[0-9a-f]{64}", each) for each in kept)


def test_a_wrong_name_and_a_wrong_password_read_the_same(ready: Database) -> None:
    told = set()
    for name, password in (("Li", "not this one"), ("Nobody", PASSWORD), ("li", PASSWORD)):
        with pytest.raises(NotAllowed) as refused:
            accounts.sign_in(ready, name, password, "1.1.1.1")
        told.add(str(refused.value))
    assert len(told) == 1


def test_a_session_ends_when_it_is_signed_out_or_too_old(ready: Database) -> None:
    token = accounts.sign_in(ready, "Li", PASSWORD, "1.1.1.1")
    accounts.sign_out(ready, token)
    assert accounts.find_actor(ready, token) is None
    accounts.sign_out(ready, token)
    token = accounts.sign_in(ready, "Li", PASSWORD, "1.1.1.1")
    later = datetime.now(UTC) + timedelta(days=accounts.SESSION_DAYS, seconds=1)
    with clock.told_by(lambda: later):
        assert accounts.find_actor(ready, token) is None


def test_guessing_at_one_name_is_stopped_even_with_the_right_password(ready: Database) -> None:
    for number in range(ATTEMPTS_BY_NAME):
        with pytest.raises(NotAllowed, match="do not match"):
            accounts.sign_in(ready, "Li", "wrong", f"10.0.0.{number}")
    with pytest.raises(NotAllowed, match="Too many"):
        accounts.sign_in(ready, "Li", PASSWORD, "10.0.0.99")
    later = datetime.now(UTC) + timedelta(minutes=16)
    with clock.told_by(lambda: later):
        assert accounts.sign_in(ready, "Li", PASSWORD, "10.0.0.99")


def test_guessing_from_one_address_is_stopped_whatever_the_names(ready: Database) -> None:
    for number in range(ATTEMPTS_FROM_ADDRESS):
        with pytest.raises(NotAllowed):
            accounts.sign_in(ready, f"name {number}", "wrong", "10.0.0.1")
    with pytest.raises(NotAllowed, match="Too many"):
        accounts.sign_in(ready, "Li", PASSWORD, "10.0.0.1")
    assert accounts.sign_in(ready, "Li", PASSWORD, "10.0.0.2")


def test_guesses_side_by_side_do_not_slip_through(ready: Database) -> None:
    judged: list[str] = []

    def guess() -> None:
        try:
            accounts.sign_in(ready, "Li", "wrong", "10.0.0.1")
        except NotAllowed as error:
            judged.append(error.code)

    threads = [threading.Thread(target=guess) for _ in range(ATTEMPTS_BY_NAME + 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert judged.count("accounts.sign_in_refused") <= ATTEMPTS_BY_NAME + 1
    assert "accounts.too_many_attempts" in judged


def test_a_mistyped_password_is_forgiven_by_the_right_one(ready: Database) -> None:
    for _ in range(3):
        for _ in range(ATTEMPTS_BY_NAME - 1):
            with pytest.raises(NotAllowed):
                accounts.sign_in(ready, "Li", "wrong", "10.0.0.1")
        accounts.sign_in(ready, "Li", PASSWORD, "10.0.0.1")


def test_a_new_password_ends_every_session(ready: Database) -> None:
    token = accounts.sign_in(ready, "Li", PASSWORD, "1.1.1.1")
    who = accounts.find_actor(ready, token)
    assert who
    with pytest.raises(NotAllowed):
        accounts.change_password(ready, who, "wrong", "another password")
    accounts.change_password(ready, who, PASSWORD, "another password")
    assert accounts.find_actor(ready, token) is None
    assert accounts.sign_in(ready, "Li", "another password", "1.1.1.1")
