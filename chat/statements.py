"""SQL written by hand: the ORM would compile each statement anew at every turn, and that costs more than running it.

Owns how a statement is told to either database. Knows no table: the statements of a turn are in `turn_statements`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from enum import Enum
from functools import cache
from itertools import product
from operator import itemgetter
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias, TypeVar
from uuid import UUID

import msgspec
import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections, transaction
from django.db.models import NOT_PROVIDED, AutoField, DateTimeField, Field, JSONField, Model
from django.db.models.base import ModelState
from django.db.models.functions import Now

from chat.prepared import Prepared

M = TypeVar("M", bound=Model)
#: SQL with a %s for each value, and the values as Python has them.
Statement: TypeAlias = tuple[str, Sequence[Any]]


Rows: TypeAlias = list[tuple[Any, ...]]


class Told(NamedTuple):
    """What became of a statement: rows touched or found, and those that were found."""

    touched: int
    rows: Rows


class _Brief(threading.local):
    """This thread's brief transaction: is one wanted, and has it begun?"""

    is_wanted = False
    is_open = False


_brief = _Brief()


@contextmanager
def brief_transaction() -> Iterator[None]:
    """As `atomic`, in two trips fewer on Postgres: BEGIN travels with what is told first, COMMIT with `is_last`.

    For `tell` and for reads and updates of the ORM after it. Within another transaction it is a part of that one.
    """
    if connection.vendor == "sqlite" or connection.in_atomic_block:
        with transaction.atomic():
            yield
        return
    _brief.is_wanted = True
    try:
        yield
        if _brief.is_open:
            _say("COMMIT")
    except BaseException:
        if _brief.is_open:
            # A connection that is lost has rolled back by itself.
            with suppress(DatabaseError):
                _say("ROLLBACK")
        raise
    finally:
        _brief.is_wanted = _brief.is_open = False


def _say(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def tell(*statements: Statement, is_last: bool = False, prepares: bool = False) -> list[Told]:
    """Run them in this order; on Postgres in one round trip, each seeing what was committed before it began.

    `is_last`: nothing more is to be done in the brief transaction, if there is one. `prepares`: they will be told again
    and again, in these words.
    """
    # Asked of once: each look through `connection` finds this thread's anew.
    database = connections[DEFAULT_DB_ALIAS]
    with database.cursor() as cursor:
        if database.vendor == "sqlite":
            return [_run(cursor, sql, [_as_sqlite_has_it(value) for value in values]) for sql, values in statements]
        said = [sql for sql, _ in statements]
        if prepares and settings.DATABASE_PREPARES:
            return _tell_prepared(cursor, said, bound(statements), is_last=is_last)
        return _tell_as_one(cursor, [], said, bound(statements), is_last=is_last)


def bound(statements: Sequence[Statement]) -> list[Any]:
    """As psycopg binds them, on our side of the wire: and so several statements may travel as one."""
    return [value.value if isinstance(value, Enum) else value for _, values in statements for value in values]


def _tell_prepared(cursor: Any, statements: list[str], values: list[Any], *, is_last: bool) -> list[Told]:
    with Prepared(cursor.connection, statements) as prepared:
        return _tell_as_one(cursor, prepared.before, prepared.said, values, is_last=is_last)


def _tell_as_one(
    cursor: Any, before: list[str], statements: list[str], values: list[Any], *, is_last: bool
) -> list[Told]:
    begins, ends = _brief.is_wanted and not _brief.is_open, _brief.is_wanted and is_last
    sent = [*before, *["BEGIN"] * begins, *statements, *["COMMIT"] * ends]
    # A statement that fails leaves the transaction open, to be rolled back.
    _brief.is_open = _brief.is_wanted
    cursor.execute("; ".join(sent), values)
    if ends:
        _brief.is_wanted = _brief.is_open = False
    # psycopg's own: that all went well is known, and Django's wrapper guards every single look at what came of it.
    results = cursor.cursor
    told = [_received(results), *(_received(results) for _ in sent[1:] if results.nextset())]
    return told[len(before) + begins :][: len(statements)]


def _received(cursor: psycopg.Cursor[Any]) -> Told:
    # Not `description`, which is made anew, column by column.
    assert cursor.pgresult is not None
    return Told(cursor.rowcount, cursor.fetchall() if cursor.pgresult.nfields else [])


def _run(cursor: Any, sql: str, values: list[Any]) -> Told:
    # What `execute` returns is SQLite's own cursor, and tells errors as SQLite's: some come with the first row only.
    cursor.execute(sql, values)
    return Told(cursor.rowcount, cursor.fetchall() if cursor.description else [])


def _as_sqlite_has_it(value: Any) -> Any:
    """As the ORM's fields would: SQLite knows no UUID, no time and no enumeration."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, UUID):
        return value.hex
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


def new(model: type[M], **given: Any) -> M:
    """`model(**given)`, of columns only and told to nobody: a turn makes several, and Django's way costs as much as
    telling them to the database does.
    """
    same, made = _defaults(model)
    assert given.keys() <= same.keys(), f"{model.__name__} has no {given.keys() - same.keys()}"
    row = model.__new__(model)
    row._state = ModelState()
    row.__dict__.update(same, **given)
    for name, make in made:
        if name not in given:
            row.__dict__[name] = make()
    return row


@cache
def _defaults(model: type[Model]) -> tuple[dict[str, Any], tuple[tuple[str, Callable[[], Any]], ...]]:
    """Every attribute with its default, and how those are made that are another one each time."""
    fields: Any = model._meta.concrete_fields
    made = (field for field in fields if field.has_default() and callable(field.default))
    same = {field.attname: field.get_default() for field in fields}
    return same, tuple((field.attname, field.get_default) for field in made)


def insert(row: Model, ending: str = "") -> Statement:
    """A whole row, with its defaults, as the ORM would write it."""
    return _values([row], ending)


def insert_many(rows: Sequence[Model], ending: str = "") -> Statement:
    """Whole rows of one model. To Postgres as one value: each place for a value costs more than what stands there."""
    if connection.vendor == "sqlite":
        return _values(rows, ending)
    model = type(rows[0])
    listed = ", ".join(f'"{column.field.column}"' for column in _columns_of(model))
    told = f"SELECT {listed} FROM jsonb_populate_recordset(NULL::{table(model)}, %s::jsonb)"  # noqa: S608 - our names
    return f"{_into(model)} {told} {ending}", [_as_json(rows)]


def _values(rows: Sequence[Model], ending: str) -> Statement:
    values, shapes = [], []
    for row in rows:
        shape, given = _shape_of(row)
        shapes.append(shape)
        values += given
    listed = ", ".join(f"({', '.join(shape)})" for shape in shapes)
    return f"{_into(type(rows[0]))} VALUES {listed} {ending}", values


def _as_json(rows: Sequence[Model]) -> str:
    columns = _columns_of(type(rows[0]))
    names = [column.field.column for column in columns]
    given = itemgetter(*(column.field.attname for column in columns))
    made = [column.field for column in columns if column.is_made]
    for row, field in product(rows, made):
        field.pre_save(row, add=True)
    return msgspec.json.encode([dict(zip(names, given(row.__dict__), strict=True)) for row in rows]).decode()


def insert_if(row: Model, source: Statement, **columns: str) -> Statement:
    """A whole row, once for each row of `source` ("FROM … WHERE …"); `columns` are fields that are told by it."""
    shape, given = _shape_of(row, but=columns)
    sql, values = source
    return f"{_into(type(row))} SELECT {', '.join(shape)} {sql}", [*given, *values]


def _shape_of(row: Model, but: Mapping[str, str] = MappingProxyType({})) -> tuple[tuple[str, ...], list[Any]]:
    """For each column its SQL, and the values of those that are a %s."""
    shape, values, written = [], [], row.__dict__
    for column in _columns_of(type(row)):
        name = column.field.name
        if name in but:
            shape.append(but[name])
        elif column.usual_sql and written[column.field.attname] == column.usual:
            # A default stands in the statement itself: a row has many fields, and each value costs to bind.
            shape.append(column.usual_sql)
        else:
            shape.append("%s")
            values.append(_value_of(column, row))
    return tuple(shape), values


def _value_of(column: _Column, row: Model) -> Any:
    value = _made_or_given(column, row)
    return column.field.get_db_prep_save(value, connection) if column.is_json else value


def _made_or_given(column: _Column, row: Model) -> Any:
    return column.field.pre_save(row, add=True) if column.is_made else row.__dict__[column.field.attname]


class _Column(NamedTuple):
    """`usual`: the field's default where it is a simple one, with its SQL; `is_made`: only when it is saved."""

    field: Field[Any, Any]
    usual: Any
    usual_sql: str
    is_made: bool
    is_json: bool


@cache
def _columns_of(model: type[Model]) -> tuple[_Column, ...]:
    return tuple(_column_of(field) for field in _written(model))


def _column_of(field: Field[Any, Any]) -> _Column:
    is_made = isinstance(field, DateTimeField) and field.auto_now_add
    usual = field.default
    if usual is NOT_PROVIDED:
        usual = "" if field.empty_strings_allowed else None
    sql = "" if is_made or callable(usual) else _LITERALS.get(type(usual), lambda _: "")(usual)
    return _Column(field, usual, sql, is_made, isinstance(field, JSONField))


#: Other defaults, and texts that are not empty, travel as values.
_LITERALS: dict[type, Callable[[Any], str]] = {
    str: lambda text: "" if text else "''", bool: lambda truth: str(truth).upper(), int: str,
    type(None): lambda _: "NULL",
}


@cache
def _into(model: type[Model]) -> str:
    return f"INSERT INTO {table(model)} ({columns(model, [field.name for field in _written(model)])})"


@cache
def _written(model: type[Model]) -> tuple[Field[Any, Any], ...]:
    """What the database fills in by itself, a number or its own time, is left to it."""
    return tuple(
        field for field in model._meta.concrete_fields
        if not isinstance(field, AutoField) and not isinstance(field.db_default, Now)
    )
