"""One message as a reader has it, and the rules of its generation. Pure; knows neither the room nor any transport.

The rules are those of frontend_static/js/answer.js: both must agree on every golden file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias
from uuid import UUID

from msgspec import UNSET

from streaming.events import Chunk, End, Failure, GenerationEvent, Rewind, Snapshot, Start, checksum

#: seq of an answer whose start has not been seen.
NOT_STARTED = -1
OVER = ("complete", "stopped", "interrupted", "failed")

Kind: TypeAlias = Literal["inserted", "removed", "appended", "replaced", "status", "gap", "mismatch", "stale"]


@dataclass(frozen=True, slots=True)
class Change:
    """What an event did: to the text, or asked of the session.

    gap: send `resume`; with `is_lost` the answer is not even known there (no replay can help, only a snapshot).
    mismatch: the text differed from the server's. stale: the room changed unseen; fetch its page.
    """

    kind: Kind
    message_id: UUID | None = None
    text: str = ""
    is_lost: bool = False


@dataclass(slots=True)
class Message:
    """`position` is the place in the room; (`attempt`, `seq`) the reader's position in the generation."""

    id: UUID
    role: str
    position: int
    reply_to: UUID | None = None
    request_id: str | None = None
    text: str = ""
    status: str = "waiting"
    attempt: int = 0
    seq: int = NOT_STARTED
    finish_reason: str = ""
    error_code: str = ""
    retryable: bool = False
    variants: list[UUID] = field(default_factory=list)

    @classmethod
    def from_view(cls, view: Mapping[str, Any]) -> Message:
        """A message of `GET /chat/rooms/<id>/messages`."""
        return cls(
            id=UUID(view["messageId"]), role=view["role"], position=view["position"],
            reply_to=UUID(view["replyTo"]) if view["replyTo"] else None, request_id=view["requestId"],
            text=view["text"], status=view["status"], attempt=view["attempt"], seq=view["seq"],
            finish_reason=view["finishReason"], error_code=view["errorCode"], variants=[*map(UUID, view["variants"])],
        )

    @property
    def is_over(self) -> bool:
        return self.status in OVER

    @property
    def length(self) -> int:
        """Code points, as the wire counts."""
        return len(self.text)

    @property
    def variant_index(self) -> int:
        return self.variants.index(self.id)

    def is_variant_of(self, other: Message) -> bool:
        place = (self.role, self.position, self.reply_to)
        return self.role == "character" and place == (other.role, other.position, other.reply_to)

    def apply(self, event: GenerationEvent) -> list[Change]:
        """One event of this message's generation: applied when it is the next one, ignored when we have it."""
        # What an older owner of the answer still says is void.
        if self.is_over or (event.attempt is not UNSET and event.attempt < self.attempt):
            return []
        match event:
            case Start():
                return self._start(event)
            case Chunk():
                return self._append(event)
            case Rewind():
                return self._rewind(event)
            case Snapshot():
                return self._replace(event)
            case End():
                return self._end(event)
            case Failure():
                return self._fail(event)

    # Internal

    def _start(self, event: Start) -> list[Change]:
        if self.seq > NOT_STARTED:
            return []
        self._move_to(event, "")
        return [self._change("status")]

    def _append(self, event: Chunk) -> list[Change]:
        if event.attempt == self.attempt and event.seq <= self.seq:
            return []
        first = event.seq if event.from_seq is UNSET else event.from_seq
        # A newer owner's rewind was missed; or events between; or some of the merged ones are here already.
        if event.attempt > self.attempt or first != self.seq + 1:
            return [self._change("gap")]
        self._move_to(event, self.text + event.chunk)
        return [self._change("appended", event.chunk)]

    def _rewind(self, event: Rewind) -> list[Change]:
        if event.attempt == self.attempt and event.seq <= self.seq:
            return []
        # An owner in between may have logged other words under the seqs that are here.
        if event.attempt > self.attempt + 1:
            return [Change("gap", self.id, is_lost=True)]
        if self.seq == NOT_STARTED or event.seq > self.seq + 1 or event.length > len(self.text):
            return [self._change("gap")]
        self._move_to(event, self.text[: event.length])
        return [self._change("replaced")]

    def _replace(self, event: Snapshot) -> list[Change]:
        if event.attempt == self.attempt and event.seq < self.seq:
            return []
        self._move_to(event, event.text)
        return [self._change("replaced")]

    def _end(self, event: End) -> list[Change]:
        changes = [self._change("status" if event.content == self.text else "replaced")]
        if not self._is_verified(event):
            changes.append(self._change("mismatch"))
        self._move_to(event, event.content)
        self.finish_reason = event.finish_reason
        self.status = event.finish_reason if event.finish_reason in OVER else "complete"
        return changes

    def _is_verified(self, event: End) -> bool:
        """Compares what was accumulated, before the content of the end replaces it."""
        saw_everything = (event.attempt, event.seq) == (self.attempt, self.seq + 1)
        if saw_everything and event.finish_reason == "stopped":
            # Clamped to what the stopping reader had seen, which may be less than is here.
            return self.text.startswith(event.content)
        text = self.text if saw_everything else event.content
        return (len(text), checksum(text)) == (event.length, event.checksum)

    def _fail(self, event: Failure) -> list[Change]:
        # Nothing was kept, whatever an owner that has gone had shown.
        change = self._change("replaced" if self.text else "status")
        self.seq = self.seq if event.seq is UNSET else event.seq
        self.text, self.status, self.error_code, self.retryable = "", "failed", event.code, event.retryable
        return [change]

    def _move_to(self, event: Start | Chunk | Rewind | Snapshot | End, text: str) -> None:
        self.seq, self.attempt, self.text, self.status = event.seq, event.attempt, text, "writing"

    def _change(self, kind: Kind, text: str = "") -> Change:
        return Change(kind, self.id, text)
