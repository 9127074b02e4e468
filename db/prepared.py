"""Statements on the way of every plan: compiled once, run on the driver, planned once.

A query is handed out and its plan handed in by some twenty small statements, which the engines
answer faster than SQLAlchemy prepares, binds and wraps them. `Prepared` keeps what it would work
out anew each time (text, order of parameters, conversions of the same column types) and runs on the
connection of the session, inside its transaction. Statements that are run less often stay with
SQLAlchemy.

PostgreSQL keeps the plan of a statement that the driver sends again and again, unless knowing the
parameters makes it look much cheaper; so what never changes in a statement is no parameter but a
`word` of its text. Planning a claim anew took longer than the claim.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from db.engine import driver_of

Row = tuple[Any, ...]
_Convert = Callable[[Any], Any]


class _Compiled(NamedTuple):
    text: str
    order: Sequence[str] | None
    """Names of parameters by position; None where the driver takes them by name."""
    constants: Mapping[str, Any]
    into: Sequence[tuple[str, _Convert]]

    def bound(self, values: Mapping[str, Any]) -> Any:
        """Parameters as the driver takes them."""
        found = {**self.constants, **values}
        for name, convert in self.into:
            found[name] = convert(found[name])
        return found if self.order is None else [found[name] for name in self.order]


class Prepared:
    """A statement with named parameters; of an INSERT or UPDATE, `columns` are parameters too."""

    def __init__(self, statement: sa.SelectBase | sa.UpdateBase, *columns: str) -> None:
        self._statement = statement
        self._columns = columns
        self._compiled: dict[str, _Compiled] = {}
        self._out_of: dict[str, list[tuple[int, _Convert]]] = {}

    def first(self, session: Session, **values: object) -> Row | None:
        """The first row of the answer, if there is one."""
        return next(iter(self.all(session, **values)), None)

    def all(self, session: Session, **values: object) -> list[Row]:
        """Every row of the answer."""
        cursor, dialect = self._execute(session, values)
        rows = cursor.fetchall()
        out_of = self._out_of.get(dialect.name)
        if out_of is None:
            out_of = self._out_of[dialect.name] = self._conversions(dialect, cursor.description)
        cursor.close()
        return [_converted(row, out_of) for row in rows] if out_of else rows

    def run(self, session: Session, **values: object) -> None:
        """Change what is to be changed; there is no answer."""
        self._execute(session, values)[0].close()

    def _execute(self, session: Session, values: Mapping[str, object]) -> tuple[Any, sa.Dialect]:
        driver, dialect = driver_of(session)
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = self._compile(dialect)
        return driver.execute(compiled.text, compiled.bound(values)), dialect

    def _compile(self, dialect: sa.Dialect) -> _Compiled:
        compiled: Any = self._statement.compile(dialect=dialect, column_keys=self._columns or None)
        into = {
            name: bind.type.dialect_impl(dialect).bind_processor(dialect)
            for name, bind in compiled.binds.items()
        }
        return _Compiled(
            text=str(compiled),
            order=compiled.positiontup if compiled.positional else None,
            constants={
                name: bind.value for name, bind in compiled.binds.items() if not bind.required
            },
            into=[(name, convert) for name, convert in into.items() if convert],
        )

    def _conversions(self, dialect: sa.Dialect, described: Any) -> list[tuple[int, _Convert]]:
        found: list[tuple[int, _Convert]] = []
        for place, answered in enumerate(self._statement.exported_columns):
            impl = answered.type.dialect_impl(dialect)
            convert = impl.result_processor(dialect, described[place][1])
            if convert is not None:
                found.append((place, convert))
        return found


def _converted(row: Row, out_of: Sequence[tuple[int, _Convert]]) -> Row:
    values = list(row)
    for place, convert in out_of:
        values[place] = convert(values[place])
    return tuple(values)


def word(text: str) -> sa.ColumnElement[str]:
    """One of our own words, as part of a statement's text."""
    return sa.literal_column(f"'{text}'", sa.String)


ONE = sa.literal_column("1", sa.Integer)
