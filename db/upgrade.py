"""Bring a database to the newest migration, and back."""

from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from db.engine import Backend, Database

_FOLDER = Path(__file__).parent / "migrations"
# Two processes that start at once must not both migrate; any fixed number serves as the name.
_ADVISORY_LOCK = 7_260_411


def upgrade(database: Database, revision: str = "head") -> None:
    """Migrate up to a revision; the newest by default. Safe to call at every start."""
    _run(database, lambda config: command.upgrade(config, revision))


def downgrade(database: Database, revision: str) -> None:
    """Migrate down to a revision; `base` empties the database."""
    _run(database, lambda config: command.downgrade(config, revision))


def write_migration(database: Database, message: str, revision: str) -> None:
    """Write the next migration from the difference between tables and database."""
    _run(
        database,
        lambda config: command.revision(config, message, autogenerate=True, rev_id=revision),
    )


def current_revision(database: Database) -> str | None:
    """The migration that the database stands at; None for an empty one."""
    with database.reading() as session:
        return MigrationContext.configure(session.connection()).get_current_revision()


def is_current(database: Database) -> bool:
    """Whether the database stands at the newest migration."""
    return current_revision(database) == ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    return config


def _run(database: Database, action: Callable[[Config], object]) -> None:
    engine = database.migration_engine()
    try:
        with engine.begin() as connection:
            if database.backend is Backend.POSTGRESQL:
                connection.execute(
                    sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK}
                )
            config = _config()
            config.attributes["connection"] = connection
            action(config)
    finally:
        engine.dispose()
