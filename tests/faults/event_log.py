"""What the event log holds of an answer, read as a next owner would read it."""

from __future__ import annotations

import time
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from uuid import UUID

import redis

from tests.redis_server import RedisServer
from tests.waiting import PERIOD_SECONDS


def logged(store: RedisServer, message_id: UUID, *, seconds: float) -> str | None:
    """The logged text of an answer that is over, once its end is there; None where there is no log to read."""
    if find_spec("streaming.log_entries") is None:
        return None
    entries, tail = import_module("streaming.log_entries"), import_module("streaming.log_tail")
    deadline = time.monotonic() + seconds
    with redis.Redis(port=store.port) as client:
        while True:
            rows: Any = client.xrange(tail.stream_key(message_id))
            found = entries.assemble(entry for entry in tail.entries_of(rows) if entry is not None)
            if found is not None and found.terminal is not None:
                return str(found.terminal.content)
            if time.monotonic() > deadline:
                return "" if found is None else str(found.whole)
            time.sleep(PERIOD_SECONDS)
