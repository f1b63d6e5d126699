"""What every sender and reader of one turn is, by whichever door: socket, server-sent events, completed response.

None gives up what may be tried again: the same requestId, the same position.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import httpx

from streaming.answer import Change, Message
from streaming.events import Chunk, End, Event, Snapshot

#: Longer than heartbeats are apart (cluster.WIDE).
SILENCE_SECONDS = 3.5
#: The completed response is silent while it is written.
POST_SECONDS = 8.0
RETRY_SECONDS = 0.1
INSIST_SECONDS = 60.0
T = TypeVar("T")


class Refusal(Exception):
    """What was sent was refused, and not to be tried again."""


@dataclass(slots=True)
class Diary:
    """What happened to one turn at its client. Seconds are monotonic."""

    sent_at: float = 0.0
    accepted_at: float = 0.0
    #: (seconds, attempt) whenever text came.
    moves: list[tuple[float, int]] = field(default_factory=list)
    #: When it attached again, and when text came next.
    resumed: list[tuple[float, float]] = field(default_factory=list)
    #: Codes; each was tried again.
    refusals: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    asked_again_at: float = 0.0

    def attach(self) -> None:
        self.asked_again_at = time.monotonic() if self.moves else 0.0

    def hear(self, event: Event) -> None:
        if not isinstance(event, Chunk | Snapshot | End):
            return
        now = time.monotonic()
        self.moves.append((now, event.attempt))
        if self.asked_again_at:
            self.resumed.append((self.asked_again_at, now))
            self.asked_again_at = 0.0

    @property
    def mismatches(self) -> int:
        return sum(change.kind == "mismatch" for change in self.changes)


class Client(Protocol):
    """Sends `turn`, a send_message command with its roomId, and stays until the answer's end."""

    turn: dict[str, Any]
    diary: Diary

    async def come(self) -> None:
        """Before anything is sent."""
        ...

    def send(self) -> None:
        """Begins; returns at once."""
        ...

    async def over(self) -> Message:
        """The answer with its terminal event. Raises Refusal."""
        ...

    async def leave(self) -> None: ...

    def state(self) -> str:
        """For whoever reads a failure."""
        ...


async def insist(ask: Callable[[], Awaitable[T]]) -> T:
    """What comes before a send is tried until it succeeds, as a person reloads a page."""
    async with asyncio.timeout(INSIST_SECONDS):
        while True:
            with suppress(httpx.HTTPError, OSError):
                return await ask()
            await asyncio.sleep(RETRY_SECONDS)


def refusal_of(response: httpx.Response) -> str:
    """The code of a refusal that may be tried again. Raises Refusal for any other."""
    try:
        error = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        raise Refusal(f"{response.status_code}: {response.text[:200]}") from None
    if not error["retryable"]:
        raise Refusal(f"{response.status_code}: {error}")
    return str(error["code"])
