"""Which sockets of this process are in which room. Other processes are reached by hints, not from here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Protocol
from uuid import UUID

from streaming.events import Path
from streaming.reader import SocketReader
from streaming.run import Run


class Seat(Protocol):
    """A socket in a room. `recheck` runs in a database thread; `checked_at` is monotonic seconds."""

    reader: SocketReader
    room_id: UUID
    user_id: int
    checked_at: float
    is_staff: bool
    is_load: bool
    #: As its page was told.
    path: Path

    def recheck(self) -> None: ...
    def close_soon(self, code: int) -> None: ...


class Hub:
    """Also remembers each open room's newest known head, for heartbeats."""

    def __init__(self) -> None:
        self._heads: dict[UUID, int] = {}
        self._rooms: dict[UUID, set[Seat]] = defaultdict(set)
        self._sockets_by_user: dict[int, int] = defaultdict(int)

    def enter(self, seat: Seat, head: int) -> None:
        self._rooms[seat.room_id].add(seat)
        self.moved(seat.room_id, head)
        self._sockets_by_user[seat.user_id] += 1

    def leave(self, seat: Seat) -> None:
        seats = self._rooms.get(seat.room_id, set())
        if seat not in seats:
            return
        seats.discard(seat)
        if not seats:
            del self._rooms[seat.room_id], self._heads[seat.room_id]
        self._sockets_by_user[seat.user_id] -= 1
        if not self._sockets_by_user[seat.user_id]:
            del self._sockets_by_user[seat.user_id]

    def sockets_of(self, user_id: int) -> int:
        return self._sockets_by_user.get(user_id, 0)

    @property
    def has_anybody(self) -> bool:
        return bool(self._rooms)

    def seats(self) -> Iterator[Seat]:
        for seats in tuple(self._rooms.values()):
            yield from tuple(seats)

    def moved(self, room_id: UUID, head: int) -> None:
        """The room's head is at least this; only rooms with an open socket are remembered."""
        if room_id in self._rooms:
            self._heads[room_id] = max(head, self._heads.get(room_id, 0))

    def heads(self) -> dict[UUID, int]:
        """Every room somebody here sits in, with its newest known head."""
        return dict(self._heads)

    def has_seats(self, room_id: UUID) -> bool:
        return room_id in self._rooms

    def head_of(self, room_id: UUID) -> int:
        return self._heads.get(room_id, 0)

    def publish(self, room_id: UUID, frame: str) -> None:
        """To every tab in the room, the sender's too."""
        for seat in self._rooms.get(room_id, ()):
            seat.reader.post(frame)

    def present(self, run: Run, *, after: int | None = None, opening: list[str] | None = None) -> None:
        """Every tab in its room follows the run from seq `after`; unless said, from its first event."""
        self.moved(run.key.room_id, run.head)
        for seat in self._rooms.get(run.key.room_id, ()):
            frames = run.opening() if opening is None else list(opening)
            seat.reader.attach(run, after=run.first_seq if after is None else after, opening=frames)
