"""One room without a network and without a database: real runs, hub, readers and resume; the rest is plain memory.

Everything that may happen happens when a test says so: `World` is what is true, `Tab` what one reader is told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from chat.generations import MESSAGE_STATUS, Outcome
from chat.models import Generation
from streaming.endings import end_of
from streaming.events import End, Failure, Ready, RoomChanged, UserMessage, checksum, encode
from streaming.hub import Hub
from streaming.run import Run, RunKey
from tests.contract.tab import Tab

CREATED_AT = "2026-03-01T09:00:00+00:00"


@dataclass(slots=True)
class Said:
    """A message as the database would have it; an answer has a run while this process writes it."""

    id: UUID
    role: str
    position: int
    reply_to: UUID | None = None
    content: str = ""
    status: str = "complete"
    request_id: str | None = None
    attempt: int = 0
    checkpoint: tuple[int, str] = (0, "")
    run: Run | None = None
    #: What this process shows of it while another one owns it, or none does.
    mirror: Run | None = None
    ending: End | Failure | None = None


@dataclass
class World:
    """Actions that make no sense at the moment do nothing, so that any list of them is a story."""

    window: int
    room_id: UUID = field(default_factory=uuid4)
    head: int = 1
    hub: Hub = field(default_factory=Hub)
    said: list[Said] = field(default_factory=list)
    hidden: list[Said] = field(default_factory=list)
    tabs: list[Tab] = field(default_factory=list)
    #: (messageId, attempt, seq) → the text as of that event: what a reader at this position must have.
    text_at: dict[tuple[UUID, int, int], str] = field(default_factory=dict)
    #: Every message that there ever was.
    told: set[UUID] = field(default_factory=set)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.said.append(Said(uuid4(), "character", 0, content="어서 와. *waves*"))

    @property
    def answer(self) -> Said:
        return self.said[-1]

    @property
    def run(self) -> Run | None:
        return self.answer.run

    # What the user asks

    def say(self, text: str) -> None:
        if self.answer.status == "writing":
            return
        user = Said(uuid4(), "user", self.answer.position + 1, content=text)
        self.said.append(user)
        self.told.add(user.id)
        self.head += 1
        request_id = self._request_id()
        self.hub.publish(self.room_id, encode(UserMessage(
            request_id=request_id, room_id=self.room_id, message_id=user.id, text=text, position=user.position,
            created_at=CREATED_AT, head=self.head,
        )))
        self._begin(Said(uuid4(), "character", user.position + 1, user.id, request_id=request_id))

    def regenerate(self) -> None:
        self._vary("")

    def go_on(self) -> None:
        """`continue_message`: a variant that begins with the text."""
        if self.answer.content:
            self._vary(self.answer.content)

    def stop(self, seen_length: int) -> None:
        if self.run is not None:
            self._end(Generation.Status.STOPPED, self.run.text[:seen_length], "stopped")

    def edit(self, text: str) -> None:
        self.said[0].content = text
        self._changed()

    def rewind(self) -> None:
        """Drops the last turn."""
        if self.answer.status != "writing" and len(self.said) > 2:
            del self.said[-2:]
            self.hidden = [said for said in self.hidden if said.position <= self.answer.position]
            self._changed()

    # What the model and the processes do

    def write(self, text: str) -> None:
        """The model goes on; where nobody asked, somebody asks; where nobody owns the answer, somebody claims it."""
        self.say(text)
        self.claim(in_vain=False)
        self.append(text)

    def append(self, text: str) -> None:
        if self.run is not None:
            self.run.append(text)
            self._note(self.run.seq, self.run.text)

    def finish(self) -> None:
        if self.run is not None:
            done = (Generation.Status.DONE, "stop") if self.run.length else (Generation.Status.FAILED, "")
            self._end(done[0], self.run.text, done[1])

    def break_off(self) -> None:
        """The provider gave up; what is there is kept."""
        if self.run is not None:
            kept = (Generation.Status.INTERRUPTED, "interrupted") if self.run.length else (Generation.Status.FAILED, "")
            self._end(kept[0], self.run.text, kept[1])

    def checkpoint(self) -> None:
        if self.run is not None:
            self.answer.checkpoint = (self.run.seq, self.run.text)

    def die(self, cutting: bool) -> None:
        """The owner is gone, with everything after the checkpoint; `cutting`: it held the sockets too."""
        if self.run is not None:
            self.run.abandon()
            self.answer.run = None
        for tab in self.tabs if cutting else []:
            tab.lose()

    def claim(self, in_vain: bool) -> None:
        """A new owner; `in_vain`: that dies too, before its first checkpoint."""
        answer = self.answer
        if answer.status != "writing" or answer.run is not None:
            return
        answer.attempt += 1
        seq, text = answer.checkpoint
        self._note(seq, text)
        if not in_vain:
            self._start(answer, text=text, first_seq=seq + 1)

    def take_over(self, cutting: bool, in_vain: int) -> None:
        """The owner dies, then `in_vain` of its successors; the next one stays."""
        self.die(cutting)
        for _ in range(in_vain):
            self.claim(in_vain=True)
        self.claim(in_vain=False)

    # What the database and the runner tell

    def get(self, message_id: UUID) -> Run | None:
        return next((said.run for said in self.said if said.id == message_id), None)

    def in_room(self, room_id: UUID) -> list[Run]:
        return [run for said in self.said if (run := said.run or said.mirror) is not None]

    async def find(self, user_id: int, message_id: UUID, room_id: UUID | None = None) -> Run | End | Failure | None:
        """As `streaming.running.Running`: an answer that nobody owns is shown as of its checkpoint."""
        said = next((said for said in [*self.said, *self.hidden] if said.id == message_id), None)
        if said is None or said.request_id is None:
            return None
        if said.run is None and said.ending is None and said.mirror is None:
            seq, text = said.checkpoint
            self._note(seq, text)
            said.mirror = self._run(said, text=text, first_seq=seq, is_whole=False)
        return said.run or said.ending or said.mirror

    def ready(self) -> str:
        return encode(Ready(
            room_id=self.room_id, head=self.head, path="stream", heartbeat_seconds=20.0, window=self.window
        ))

    def page(self) -> dict[str, Any]:
        """As `GET /chat/rooms/<id>/messages` would show the room now."""
        return {
            "roomId": str(self.room_id), "head": self.head, "title": "", "hasMore": False,
            "messages": [self._view(said) for said in self.said],
        }

    def truth(self) -> list[tuple[str, str, int, str, str]]:
        """(id, role, position, text, status) of what is on show, as of this moment."""
        return [
            (str(said.id), said.role, said.position, said.run.text if said.run else said.content, said.status)
            for said in self.said
        ]

    # Internal

    def _request_id(self) -> str:
        return f"request-{next(self._numbers):04d}"

    def _vary(self, prefix: str) -> None:
        old = self.answer
        if old.status == "writing" or old.role != "character" or old.reply_to is None:
            return
        self.said.remove(old)
        self.hidden.append(old)
        self.head += 1
        self._begin(Said(uuid4(), "character", old.position, old.reply_to, request_id=self._request_id()), prefix)

    def _begin(self, answer: Said, prefix: str = "") -> None:
        answer.status, answer.attempt = "writing", 1
        answer.checkpoint = (1, prefix) if prefix else (0, "")
        self.said.append(answer)
        self.told.add(answer.id)
        self._start(answer)
        if prefix:
            self.append(prefix)

    def _start(self, answer: Said, *, text: str = "", first_seq: int = 0) -> None:
        answer.run = self._run(answer, text=text, first_seq=first_seq)
        self._note(first_seq, text)
        self.hub.present(answer.run)
        if answer.mirror is not None:
            answer.mirror.abandon()
            answer.mirror = None

    def _run(self, answer: Said, *, text: str, first_seq: int, is_whole: bool = True) -> Run:
        assert answer.request_id is not None
        return Run(
            RunKey(answer.request_id, self.room_id, answer.id, answer.attempt), reply_to=answer.reply_to,
            position=answer.position, head=self.head, text=text, first_seq=first_seq, is_whole=is_whole,
        )

    def _note(self, seq: int, text: str) -> None:
        self.text_at[self.answer.id, self.answer.attempt, seq] = text

    def _end(self, status: Generation.Status, text: str, reason: str) -> None:
        answer, run = self.answer, self.run
        assert run is not None
        code = "provider_unavailable" if status == Generation.Status.FAILED else ""
        outcome = Outcome(
            status=status, text=text, last_seq=run.next_seq, finish_reason=reason, error_code=code, total_ms=1.0
        )
        answer.content, answer.status = text, str(MESSAGE_STATUS[status])
        answer.ending = end_of(run.key, outcome)
        run.finish(answer.ending)
        answer.run = None

    def _changed(self) -> None:
        self.head += 1
        self.hub.moved(self.room_id, self.head)
        self.hub.publish(self.room_id, encode(RoomChanged(room_id=self.room_id, head=self.head)))

    def _view(self, said: Said) -> dict[str, Any]:
        ending = said.ending
        seq, text = said.checkpoint if said.status == "writing" else (getattr(ending, "seq", 0), said.content)
        place = (said.position, said.reply_to)
        variants = [other for other in self.hidden if (other.position, other.reply_to) == place]
        view = {
            "messageId": str(said.id), "role": said.role, "position": said.position, "createdAt": CREATED_AT,
            "replyTo": str(said.reply_to) if said.reply_to else None, "text": text, "status": said.status,
            "edited": False, "variants": [*(str(other.id) for other in variants), str(said.id)],
            "variantIndex": len(variants), "length": len(text), "checksum": checksum(text),
            "requestId": said.request_id, "attempt": said.attempt, "seq": seq,
            "finishReason": getattr(ending, "finish_reason", ""), "errorCode": getattr(ending, "code", ""),
        }
        return view | (said.run.position_view() if said.run else {})
