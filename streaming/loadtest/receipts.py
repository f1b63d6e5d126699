"""When to say `received`: often enough to keep the window open, and never one frame an event."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

RECEIPT_SECONDS = 0.5


class Receipts:
    """Of one socket: a quarter of its window, or half a second."""

    def __init__(self, window: int, say: Callable[[dict[str, Any]], None]) -> None:
        self._every_events = max(1, window // 4)
        self._say = say
        self._seqs: dict[UUID, int] = {}
        self._events = 0
        self._timer: asyncio.TimerHandle | None = None

    def note(self, message_id: UUID, seq: int, events: int) -> None:
        """Merged events count as all that they carry."""
        self._seqs[message_id] = seq
        self._events += events
        if self._events >= self._every_events:
            self._flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(RECEIPT_SECONDS, self._flush)

    # Internal

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._events = None, 0
        seqs, self._seqs = self._seqs, {}
        for message_id, seq in seqs.items():
            self._say({"type": "received", "messageId": str(message_id), "seq": seq})
