"""Alembic's entry: runs migrations on the connection that `db.upgrade` hands over."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlmodel import SQLModel

import db.tables  # noqa: F401  fills the metadata
from db.tables.base import UtcDateTime


def _render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write plain SQLAlchemy types: a migration must run long after our classes have moved on."""
    if kind != "type":
        return False
    if isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if type(item).__name__ == "AutoString":
        return "sa.String()"
    if isinstance(item, sa.JSON):
        return "sa.JSON()"
    return False


connection: sa.Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    render_item=_render_item,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
