"""The one crossing from the event loop to the ORM, with threads of its own, each of which keeps its connection.

Everything that a socket or a run wants of the database goes through `in_database`, but for what `trips.py` tells
without the ORM. Raw async ORM in a background task would keep a connection for the task's life, and the default
executor is one thread for all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from psycopg_pool import PoolTimeout

from chat.errors import Unavailable

P = ParamSpec("P")
T = TypeVar("T")

_threads = ThreadPoolExecutor(max_workers=settings.DATABASE_THREADS, thread_name_prefix="database")


async def in_database(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `function` in a database thread. Raises Unavailable when the database is locked, down or full."""
    # In the caller's context: what is said there names its request too.
    call = partial(copy_context().run, _call, partial(function, *args, **kwargs))
    return await asyncio.get_running_loop().run_in_executor(_threads, call)


def _call(function: Callable[[], T]) -> T:
    try:
        return function()
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        connection.close()
        raise Unavailable("database_unavailable", "The database did not answer.") from error
    except DatabaseError:
        connection.close()
        raise
