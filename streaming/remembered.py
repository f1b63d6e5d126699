"""What operators decide, as this process remembers it: routes, cards, the switch and the rollout's stage.

A send waits for none of it: what is asked for is read anew, in the background, before it is too old. Every change made
here, and every hint of one made elsewhere, has it forgotten; the age bounds what a lost hint costs.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

import structlog
from django.conf import settings

from chat.errors import Unavailable
from streaming.database import in_database

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

#: Of its age: then it is read anew, and a slow database has the rest of the time to answer.
OLD = 0.5
#: An open page hears of the rollout within five: nobody remembers it longer than this.
POLICY_SECONDS = 2.0
#: What nobody asked for in so long is left to grow old.
WANTED_SECONDS = 300.0
LEAST_PAUSE_SECONDS = 0.2

log = structlog.get_logger(__name__)


class Memory(Generic[K, V]):
    """Values by key, none older than `ages` times ROUTES_CACHE_SECONDS, nor than `oldest` seconds. For all threads."""

    def __init__(self, load: Callable[[K], V], *, ages: float = 1.0, most: int = 1, oldest: float = math.inf) -> None:
        self._load = load
        self._ages = ages
        self._oldest = oldest
        self._most = most
        self._kept: dict[K, tuple[float, V]] = {}
        self._wanted_at: dict[K, float] = {}
        self._forgotten = 0
        self._lock = threading.Lock()
        _memories.append(self)

    def get(self, key: K) -> V:
        """Remembered, or read now."""
        found = self.at_hand(key)
        return self._read(key) if found is None else found

    def at_hand(self, key: K) -> V | None:
        """What `get` would tell without reading; wanted all the same."""
        self._wanted_at[key] = time.monotonic()
        found = self._kept.get(key)
        return found[1] if found is not None and self._age(found[0]) < 1.0 else None

    def old(self) -> list[K]:
        """What is to be read anew, because it is old and still wanted."""
        since = time.monotonic() - WANTED_SECONDS
        kept = tuple(self._kept.items())
        return [key for key, (at, _) in kept if self._age(at) >= OLD and self._wanted_at.get(key, since) > since]

    def refresh(self) -> None:
        for key in self.old():
            self._read(key)

    def forget(self) -> None:
        with self._lock:
            self._forgotten += 1
            self._kept.clear()

    # Internal

    def _age(self, read_at: float) -> float:
        """1: too old."""
        most = min(settings.ROUTES_CACHE_SECONDS * self._ages, self._oldest)
        return (time.monotonic() - read_at) / most if most else 1.0

    def _read(self, key: K) -> V:
        forgotten, read_at = self._forgotten, time.monotonic()
        value = self._load(key)
        with self._lock:
            # Forgotten while it was read: this may be what it was before.
            if forgotten == self._forgotten:
                self._kept.pop(key, None)
                self._kept[key] = (read_at, value)
                self._drop_oldest()
        return value

    def _drop_oldest(self) -> None:
        while len(self._kept) > self._most:
            oldest = next(iter(self._kept))
            del self._kept[oldest]
            self._wanted_at.pop(oldest, None)


_memories: list[Memory[Any, Any]] = []


def forget() -> None:
    """An operator has changed something."""
    for memory in _memories:
        memory.forget()


def refresh() -> None:
    """In a database thread."""
    for memory in _memories:
        memory.refresh()


async def keep_fresh() -> None:
    """A duty. Often enough that no send finds what it needs too old."""
    while True:
        await asyncio.sleep(max(LEAST_PAUSE_SECONDS, min(settings.ROUTES_CACHE_SECONDS, POLICY_SECONDS) * OLD / 2))
        if not any(memory.old() for memory in _memories):
            continue
        try:
            await in_database(refresh)
        except Unavailable:
            log.warning("operators_changes_unread")
        except Exception:
            log.exception("remembering_crashed")
