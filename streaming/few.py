"""What is kept in a deque where there are few: an empty one has room for 64 and takes 760 bytes.

Each socket has five, in the server's queue and events, and each answer three, in aiohttp. Reaches into both, and leaves
alone what it does not know.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, TypeVar

T = TypeVar("T")


class Few(list[T]):
    """As much of a deque as they use."""

    __slots__ = ()

    def popleft(self) -> T:
        return self.pop(0)

    def appendleft(self, item: T) -> None:
        self.insert(0, item)


def slim(owner: object, *names: str) -> None:
    """The deques that `owner` has by these names."""
    for name in names:
        if type(kept := getattr(owner, name, None)) is deque:
            setattr(owner, name, Few(kept))


def slim_queue(queue: asyncio.Queue[Any]) -> None:
    slim(queue, "_queue", "_getters", "_putters")
    slim_event(getattr(queue, "_finished", None))


def slim_event(event: asyncio.Event | None) -> None:
    slim(event, "_waiters")
