"""One reader of a World: a real SocketReader at the server's end, the reference reader at the other.

Between them a link that passes frames only when a test says so, both ways, and that can be cut.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from streaming.answer import Change
from streaming.commands import Known, Received, Resume
from streaming.events import End, GenerationEvent, Path, Ready, decode
from streaming.reader import SocketReader
from streaming.resume import resume
from streaming.running import Running
from streaming.transcript import Transcript

if TYPE_CHECKING:
    from tests.contract.world import World

USER_ID = 1


@dataclass
class Sitting:
    """From one page to the next: what a browser's store would be given, and what it should ask for."""

    page: dict[str, Any]
    #: What the page says is not on show any more: rewound away, or another variant stands there.
    gone: frozenset[UUID]
    frames: list[str] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    #: What was on show when the next page came; see `Tab.view`.
    left: list[tuple[str, str, int, str, str]] = field(default_factory=list)


async def quiet() -> None:
    """Lets every writer that can go on go on."""
    for _ in range(4):
        await asyncio.sleep(0)


class Tab:
    """The client's manners are the contract's: resume after `ready` and on a gap, refetch when stale."""

    def __init__(self, world: World) -> None:
        self.user_id, self.room_id, self.checked_at = USER_ID, world.room_id, 0.0
        self.is_staff = self.is_load = False
        self.path: Path = "stream"
        #: Every request of this tab to be told again, beside the one after `ready`.
        self.gaps = 0
        self._world = world
        self._down: deque[str] = deque()
        self._up: deque[Resume | Received] = deque()
        self._is_open = False
        self._room_for, self._opened = 0, asyncio.Event()
        self._is_damaged = False
        #: Ends that came before what was lost could be asked for: only there may a difference be noticed.
        self.damaged_ends = 0
        #: (attempt, seq, length) that the client claims at its next resume, instead of the truth.
        self._lie: tuple[int, int, int] | None = None
        #: The sittings before the one that lasts.
        self.past: list[Sitting] = []
        world.tabs.append(self)
        self._take_page()
        self.connect()

    # The connection

    def connect(self) -> None:
        if self._is_open:
            return
        self._is_open = True
        self._down.clear()
        self._up.clear()
        self._room_for, self._opened = 0, asyncio.Event()
        self.reader = SocketReader(self._send, window=self._world.window)
        self.reader.post(self._world.ready())
        self.reader.start()
        self._world.hub.enter(self, self._world.head)

    def lose(self) -> None:
        """The network drops it, with everything on its way."""
        if self._is_open:
            self._is_open = False
            self._world.hub.leave(self)
            self.reader.stop()

    def recheck(self) -> None:
        """Nobody takes the room away from this reader."""

    def close_soon(self, code: int) -> None:
        self.lose()

    def pass_frames(self, number: int) -> None:
        """The link has room for `number` frames; when it is full, the writer waits in the middle of its work."""
        if self._is_open:
            self._room_for = number
            self._opened.set()

    async def hear(self, number: int) -> None:
        """The server handles `number` of the client's commands."""
        for _ in range(min(number, len(self._up)) if self._is_open else 0):
            match self._up.popleft():
                case Received(message_id=message_id, seq=seq):
                    self.reader.received(message_id, seq)
                case Resume(known=known):
                    await self._resume(known)

    # The client

    def reload(self) -> None:
        """What a client does at its start, and when it has doubts: first the page, then a new connection."""
        self.lose()
        self.refetch()
        self.connect()

    def refetch(self) -> None:
        """The page again, on the open socket: what is on its way is older than it."""
        self.sitting.left = self.view()
        self.past.append(self.sitting)
        self._take_page()

    def read(self, number: int) -> int:
        """Applies `number` frames; how many there were."""
        taken = 0
        while self._down and taken < number:
            self._apply(self._down.popleft())
            taken += 1
        return taken

    async def flow(self, number: int) -> None:
        """`number` frames come through, and the client's commands too."""
        self.pass_frames(number)
        await quiet()
        self.read(number)
        await self.hear(number)

    def claim_to_be_at(self, attempt: int, seq: int, length: int) -> None:
        """Comes back and tells a position that it may not be at."""
        self.lose()
        self.connect()
        self._lie = (attempt, seq, length)

    def read_again(self, index: int) -> None:
        """An event of this sitting arrives once more."""
        frames = [frame for frame in self.sitting.frames if isinstance(decode(frame), GenerationEvent)]
        if frames:
            self._apply(frames[index % len(frames)])

    def damage(self) -> None:
        """A character is lost at the client; what it tells at its next connection is true of what it has left."""
        for message in self.transcript.messages:
            if message.status == "writing" and message.text:
                message.text, self._is_damaged = message.text[:-1], True
        self.lose()
        self.connect()

    def acknowledge(self) -> None:
        for known in self.transcript.known():
            if known.seq >= 0:
                self._up.append(Received(message_id=known.message_id, seq=known.seq))

    def check_position(self) -> None:
        """At any moment: the text is exactly the text as of the position that the reader would tell."""
        for message in self.transcript.messages:
            if message.status == "writing" and not self._is_damaged:
                assert message.text == self._world.text_at[message.id, message.attempt, message.seq]

    def check_nothing_returned(self) -> None:
        """At any moment: no older frame brings back what the page knows to be gone."""
        assert not self.sitting.gone.intersection(message.id for message in self.transcript.messages)

    def view(self) -> list[tuple[str, str, int, str, str]]:
        """As `World.truth` tells it."""
        return [(str(m.id), m.role, m.position, m.text, m.status) for m in self.transcript.messages]

    @property
    def is_idle(self) -> bool:
        return not self._down and not self._up

    # Internal

    def _take_page(self) -> None:
        gone = self._world.told - {said.id for said in self._world.said}
        self.sitting = Sitting(self._world.page(), frozenset(gone))
        self.transcript = Transcript(self.sitting.page)

    async def _send(self, frame: str) -> None:
        while self._room_for == 0:
            self._opened.clear()
            await self._opened.wait()
        self._room_for -= 1
        self._down.append(frame)

    async def _resume(self, known: Sequence[Known]) -> None:
        await resume(
            cast(Running, self._world), self.reader, user_id=USER_ID, room_id=self.room_id, known=known
        )

    def _apply(self, frame: str) -> None:
        event = decode(frame)
        self.sitting.frames.append(frame)
        self.damaged_ends += isinstance(event, End) and self._lacks_a_character(event.message_id)
        changes = self.transcript.apply(event)
        self.check_position()
        self.check_nothing_returned()
        self.sitting.asked.update(change.kind for change in changes if change.kind in ("gap", "mismatch", "stale"))
        kinds = {change.kind for change in changes}
        if isinstance(event, Ready):
            self._ask(())
        elif "gap" in kinds:
            self.gaps += 1
            self._ask([change.message_id for change in changes if change.is_lost])
        if "stale" in kinds:
            self.reload()

    def _lacks_a_character(self, message_id: UUID) -> bool:
        return any(
            message.text != self._world.text_at.get((message.id, message.attempt, message.seq), message.text)
            for message in self.transcript.messages if message.id == message_id
        )

    def _ask(self, lost: Sequence[UUID | None]) -> None:
        known = [item for item in self.transcript.known() if item.message_id not in lost]
        if self._lie is not None:
            (attempt, seq, length), self._lie = self._lie, None
            known = [Known(message_id=item.message_id, attempt=attempt, seq=seq, length=length) for item in known]
        self._up.append(Resume(known=known))


__all__ = ["Change", "Sitting", "Tab"]
