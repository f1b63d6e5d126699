"""SQL written by hand: the ORM would compile each statement anew at every turn, and that costs more than running it.

Owns how a statement is told to either database. Knows no table: the statements of a turn are in `turn_statements`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from django.db import connection
from django.db.models import AutoField, Field, Model
from django.db.models.functions import Now

#: SQL with a %s for each value, and the values as Python has them.
Statement: TypeAlias = tuple[str, Sequence[Any]]


Rows: TypeAlias = list[tuple[Any, ...]]


class Told(NamedTuple):
    """What became of a statement: rows touched or found, and those that were found."""

    touched: int
    rows: Rows


def tell(*statements: Statement) -> list[Told]:
    """Run them in this order; on Postgres in one round trip, each seeing what was committed before it began."""
    adapted = [(sql, [_adapt(value) for value in values]) for sql, values in statements]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            return [_run(cursor, sql, values) for sql, values in adapted]
        # Values are bound on our side of the wire, and so several statements may travel as one.
        cursor.execute("; ".join(sql for sql, _ in adapted), [value for _, values in adapted for value in values])
        return [_told(cursor), *(_told(cursor) for _ in adapted[1:] if cursor.nextset())]


def _run(cursor: Any, sql: str, values: list[Any]) -> Told:
    # What `execute` returns is SQLite's own cursor, and tells errors as SQLite's: some come with the first row only.
    cursor.execute(sql, values)
    return _told(cursor)


def _told(cursor: Any) -> Told:
    return Told(cursor.rowcount, cursor.fetchall() if cursor.description else [])


def _adapt(value: Any) -> Any:
    """As the ORM's fields would: SQLite knows no UUID, no time and no enumeration."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, UUID):
        return value if connection.features.has_native_uuid_field else value.hex
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value


def uuid_of(value: UUID | str) -> UUID:
    """A UUID column's value as either database tells it."""
    return value if isinstance(value, UUID) else UUID(value)


def table(model: type[Model]) -> str:
    return f'"{model._meta.db_table}"'


def columns(model: type[Model], fields: Sequence[str], ending: str = "") -> str:
    """The columns of these fields, each with `ending`; FieldDoesNotExist when the model has one of them no more."""
    found: Any = [model._meta.get_field(name) for name in fields]
    return ", ".join(f'"{field.column}"{ending}' for field in found)


def insert(*rows: Model, ending: str = "") -> Statement:
    """Whole rows of one model, with its defaults; every value goes through its field, as with the ORM."""
    model = type(rows[0])
    values = [
        field.get_db_prep_save(field.pre_save(row, add=True), connection) for row in rows for field in _written(model)
    ]
    return _insert_sql(model, len(rows), ending), values


@cache
def _insert_sql(model: type[Model], rows: int, ending: str) -> str:
    names = [field.name for field in _written(model)]
    row = f"({', '.join(['%s'] * len(names))})"
    into = f"{table(model)} ({columns(model, names)})"
    return f"INSERT INTO {into} VALUES {', '.join([row] * rows)} {ending}"  # noqa: S608 - our own names


@cache
def _written(model: type[Model]) -> tuple[Field[Any, Any], ...]:
    """What the database fills in by itself, a number or its own time, is left to it."""
    return tuple(
        field for field in model._meta.concrete_fields
        if not isinstance(field, AutoField) and not isinstance(field.db_default, Now)
    )
