"""Where an answer's events are, beside its owner's memory: the seam of the in-process and the Redis log.

Written behind the readers: no reader of this process ever waits for it. Which one it is, REDIS_URL decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import UUID

from streaming.log_entries import Entry, entries_after, whole
from streaming.run import Run

#: Told that the store refused an entry: another owner has written since.
Fenced = Callable[[], None]


class EventLog(Protocol):
    @property
    def is_up(self) -> bool:
        """Whether a reader elsewhere can go on from here."""

    def start(self) -> None: ...

    async def aclose(self) -> None:
        """Everything that can be written has been."""

    def follow(self, run: Run) -> None:
        """Log `run` from now on, to its end."""

    def hurry(self, message_id: UUID) -> None:
        """Somebody elsewhere reads this answer: log it at every tick, for a while."""

    async def flush(self) -> None: ...

    async def read(self, message_id: UUID) -> list[Entry]:
        """Everything the log has of an answer, oldest first; empty when it has nothing or is away."""

    def watch(self, message_id: UUID, after: str) -> None:
        """Tell of its entries after the id `after` from now on."""

    def unwatch(self, message_id: UUID) -> None: ...


class Watcher(Protocol):
    """Who hears of watched answers, in the order of their entries."""

    def logged(self, message_id: UUID, entries: Sequence[Entry | None]) -> None:
        """None stands for an entry that nobody of ours wrote."""


class LocalLog:
    """One process alone: the runs themselves are the log, and nobody else writes."""

    is_up = True

    def __init__(self) -> None:
        self._runs: dict[UUID, Run] = {}

    def start(self) -> None:
        """Nothing to begin."""

    async def aclose(self) -> None:
        self._runs.clear()

    def follow(self, run: Run) -> None:
        message_id = run.key.message_id
        self._runs[message_id] = run
        run.ended.add_done_callback(lambda _: self._forget(run))

    def _forget(self, run: Run) -> None:
        # An abandoned run is nobody's truth; a newer attempt may stand in its place.
        if self._runs.get(run.key.message_id) is run:
            del self._runs[run.key.message_id]

    def hurry(self, message_id: UUID) -> None:
        """It could not be fresher."""

    async def flush(self) -> None:
        """Nothing is behind."""

    async def read(self, message_id: UUID) -> list[Entry]:
        run = self._runs.get(message_id)
        return [whole(run), *entries_after(run, run.text_seq)] if run is not None else []

    def watch(self, message_id: UUID, after: str) -> None:
        """Nobody else writes here."""

    def unwatch(self, message_id: UUID) -> None:
        """Nothing is watched."""
