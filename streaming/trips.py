"""Trips to Postgres from the event loop itself: what a turn waits for costs half of what it costs through a thread.

Owns a few connections of this process's loop; knows no table. Whoever finds none free, or whose trip fails, goes
through a thread, as everybody does on SQLite: so only what may safely be told twice is told here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, TypeAlias

import psycopg
import structlog
from django.conf import settings
from django.db import connection

from chat.prepared import Prepared
from chat.statements import Statement, Told, bound

LOOK_SECONDS = 1.0
CONNECT_SECONDS = 5

log = structlog.get_logger(__name__)
Connection: TypeAlias = psycopg.AsyncConnection[Any]


class Trips:
    def __init__(self) -> None:
        self._free: list[Connection] = []
        self._taken = 0

    @property
    def is_open(self) -> bool:
        """A trip may begin now."""
        return bool(self._free)

    async def keep(self) -> None:
        """A duty: open what is missing. A database that is away is told of by those who need it."""
        while settings.DATABASE_TRIPS and settings.DATABASE_PREPARES and not settings.DATABASE_IS_SQLITE:
            try:
                while len(self._free) + self._taken < settings.DATABASE_TRIPS:
                    self._free.append(await _opened())
            except psycopg.Error as error:
                log.info("trips_not_opened", cause=str(error))
            await asyncio.sleep(LOOK_SECONDS)

    async def tell(self, statements: Sequence[Statement]) -> list[Told] | None:
        """In one transaction, each planned once a connection. None: not told, or nobody knows."""
        if not self._free:
            return None
        taken = self._free.pop()
        self._taken += 1
        try:
            return await _told(taken, statements)
        except psycopg.Error as error:
            if not isinstance(error, psycopg.IntegrityError):
                log.warning("trip_failed", cause=str(error))
            return None
        finally:
            self._taken -= 1
            await self._give_back(taken)

    async def aclose(self) -> None:
        free, self._free = self._free, []
        for one in free:
            await one.close()

    async def _give_back(self, taken: Connection) -> None:
        # Whoever was cancelled midway left a statement behind.
        if taken.pgconn.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            await taken.close()
        else:
            self._free.append(taken)


async def _opened() -> Connection:
    """As Django would, but for a loop."""
    options = {"connect_timeout": CONNECT_SECONDS, **connection.get_connection_params()}
    options |= {"cursor_factory": psycopg.AsyncClientCursor, "autocommit": True}
    opened: Connection = await psycopg.AsyncConnection.connect(**options)
    try:
        await opened.execute("SELECT set_config('TimeZone', %s, false)", [connection.timezone_name])
    except BaseException:
        # Nobody else knows of it yet.
        await opened.close()
        raise
    return opened


async def _told(taken: Connection, statements: Sequence[Statement]) -> list[Told]:
    cursor = taken.cursor()
    with Prepared(taken, [sql for sql, _ in statements]) as prepared:
        # Many statements of one query are one transaction.
        await cursor.execute("; ".join([*prepared.before, *prepared.said]), bound(statements))
    told = [await _received(cursor)]
    while cursor.nextset():
        told.append(await _received(cursor))
    return told[len(prepared.before) :]


async def _received(cursor: psycopg.AsyncCursor[Any]) -> Told:
    assert cursor.pgresult is not None
    return Told(cursor.rowcount, await cursor.fetchall() if cursor.pgresult.nfields else [])
