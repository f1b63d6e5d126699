"""Every answer that is being written and read here, whoever owns it: ours as runs, others' as mirrors of theirs."""

from __future__ import annotations

from uuid import UUID

from chat.models import Generation
from streaming.database import in_database
from streaming.endings import load_ending
from streaming.mirrors import Mirrors
from streaming.run import Run, Terminal
from streaming.runner import Runner


class Running:
    def __init__(self, runner: Runner, mirrors: Mirrors) -> None:
        self._runner = runner
        self._mirrors = mirrors

    def get(self, message_id: UUID) -> Run | None:
        return self._runner.get(message_id) or self._mirrors.get(message_id)

    def in_room(self, room_id: UUID) -> list[Run]:
        mirrored = [run for run in self._mirrors.runs() if run.key.room_id == room_id]
        return self._runner.running_in(room_id) or mirrored

    async def find(self, user_id: int, message_id: UUID, room_id: UUID | None = None) -> Run | Terminal | None:
        """The answer while it is written, wherever that is; its end when it is over; None: the user has no such."""
        run = self.get(message_id)
        if run is not None and room_id in (None, run.key.room_id):
            return run
        ending = await in_database(load_ending, user_id, message_id, room_id)
        if isinstance(ending, Generation):
            # It may have begun here while the row was read.
            return self.get(message_id) or await self._mirrors.open(ending)
        if ending is not None:
            self._runner.latecomers.read(message_id)
            self._mirrors.remind(message_id)
        return ending

    def read_elsewhere(self, message_id: UUID, process: str) -> None:
        """Another process has a reader of an answer that may be ours."""
        run = self._runner.get(message_id)
        if run is not None:
            run.attendance.read_elsewhere(process)
        else:
            self._runner.latecomers.read(message_id)

    def left_elsewhere(self, message_id: UUID, process: str) -> None:
        run = self._runner.get(message_id)
        if run is not None:
            run.attendance.left_elsewhere(process)

    def entered(self, room_id: UUID) -> None:
        """Somebody sees the room's newest page, at whichever process."""
        self._runner.latecomers.entered(room_id)

    async def discover(self, generation: Generation) -> Run:
        """Heard of by a hint or found by a look at the rows."""
        return self.get(generation.pk) or await self._mirrors.open(generation)
