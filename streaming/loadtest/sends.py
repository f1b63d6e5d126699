"""One send: what its reader saw of it, when, and how it ended. Knows no transport. Marks are ms since the click.

The names of the marks are those of chat/client_marks.py; what is a failure is for chat/figures.py to say.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from chat.figures import WHOLE, Measured, figures
from streaming.answer import Change, Message
from streaming.events import Ack, Chunk, CommandError, End, Event, Failure, Path, Snapshot, Start

#: Refusals that are failures of the service: frontend_static/js/protocol.js.
OURS = ("overloaded", "database_unavailable", "internal_error", "unreachable")
#: Those that pass by themselves, and are waited for.
PASSING = ("generation_running", "too_many_generations", "draining")


@dataclass(slots=True, eq=False)
class Send:
    """`outcome`: done, interrupted, failed, refused (never accepted, and not for a reason of ours), or "" so far."""

    text: str
    path: Path = "stream"
    request_id: str = field(default_factory=lambda: uuid4().hex)
    message_id: UUID | None = None
    outcome: str = ""
    code: str = ""
    retry_after_seconds: float = 1.0
    is_mismatched: bool = False
    is_verified: bool = False
    marks: dict[str, float] = field(default_factory=lambda: {"click": 0.0})
    #: Accepted, or refused.
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _clicked_at: float = field(default_factory=time.monotonic)

    # What its reader hears

    def mark(self, name: str) -> None:
        """The first time counts."""
        if name not in self.marks:
            self.marks[name] = round((time.monotonic() - self._clicked_at) * 1000, 1)

    def hear(self, event: Event, changes: list[Change]) -> None:
        if getattr(event, "request_id", None) != self.request_id or self.over.is_set():
            return
        match event:
            case Ack(message_id=message_id) | Start(message_id=message_id):
                self._accepted(message_id, "accepted" if isinstance(event, Ack) else "start")
            case Chunk(chunk=text) | Snapshot(text=text) if text:
                self._saw_words()
            case End():
                self._end(event, changes)
            case Failure():
                self.fail(event.code)
            case CommandError():
                wait_ms = event.retry_after_ms
                self.refuse(event.code, wait_ms / 1000 if isinstance(wait_ms, int) else 1.0)

    def found(self, message: Message) -> None:
        """Over on the page: its end was missed."""
        if self.over.is_set():
            return
        if message.status == "failed":
            self.fail(message.error_code or "internal_error")
            return
        self._saw_words()
        self._close("interrupted" if message.status == "interrupted" else "done")

    def fail(self, code: str) -> None:
        self.code = code
        self._close("failed")

    def refuse(self, code: str, retry_after_seconds: float = 1.0) -> None:
        """Nothing was accepted."""
        self.code, self.retry_after_seconds = code, retry_after_seconds
        self.mark("failed" if code in OURS else "refused")
        self._close("failed" if code in OURS else "refused", "")

    def try_again(self) -> None:
        """It was refused for a reason that passes; its first click counts."""
        self.outcome = self.code = ""
        self.marks.pop("refused", None)
        self.answered.clear()
        self.over.clear()

    # What it came to

    @property
    def first_words_ms(self) -> float | None:
        """Where nothing is seen before the whole, they come with it."""
        if self.path in WHOLE:
            return self.marks["end"] if self.outcome in ("done", "interrupted") else None
        return self.marks.get("first_paint")

    @property
    def completion_ms(self) -> float | None:
        return self.marks.get("end") if self.outcome == "done" else None

    @property
    def failure(self) -> str:
        """ack_timeout, backend_failed or nothing."""
        measured = Measured(path=self.path, outcome=self.outcome, error_code=self.code, client=self.marks)
        return figures(measured).failure

    # Internal

    def _accepted(self, message_id: UUID, mark: str) -> None:
        self.message_id = message_id
        self.mark(mark)
        self.answered.set()

    def _saw_words(self) -> None:
        """Nothing is painted here: what has come counts as seen."""
        self.mark("first_chunk")
        self.mark("first_paint")

    def _end(self, event: End, changes: list[Change]) -> None:
        self.is_mismatched = any(change.kind == "mismatch" for change in changes)
        self.is_verified = not self.is_mismatched
        if self.is_mismatched:
            self.mark("mismatch")
        if event.content:
            self._saw_words()
        self._close("interrupted" if event.finish_reason == "interrupted" else "done")

    def _close(self, outcome: str, mark: str = "end") -> None:
        if self.over.is_set():
            return
        if mark:
            self.mark(mark)
        self.outcome = outcome
        self.answered.set()
        self.over.set()
