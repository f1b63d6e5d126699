"""When to say `received`: in good time for the window, and never one frame an event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID


class Receipts:
    """Of one socket, every third of its window."""

    def __init__(self, window: int, say: Callable[[dict[str, Any]], None]) -> None:
        self._every_events = max(1, window // 3)
        self._say = say
        self._seqs: dict[UUID, int] = {}
        self._events = 0

    def note(self, message_id: UUID, seq: int, events: int) -> None:
        """Merged events count as all that they carry."""
        self._seqs[message_id] = seq
        self._events += events
        if self._events >= self._every_events:
            self._flush()

    # Internal

    def _flush(self) -> None:
        self._events = 0
        seqs, self._seqs = self._seqs, {}
        for message_id, seq in seqs.items():
            self._say({"type": "received", "messageId": str(message_id), "seq": seq})
