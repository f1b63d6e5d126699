"""Answers that other processes write and somebody here reads: each a run of its own, fed by the event log.

The log is the quick way, the generation's row the truth: what a log that is away, behind or damaged does not tell is
read from the row about once a second. A hole is never shown as whole text: the reader is given a snapshot.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import structlog

from chat import generations
from chat.errors import Unavailable
from chat.models import Generation
from streaming import metrics
from streaming.database import in_database
from streaming.endings import ending_of, said_before
from streaming.event_log import EventLog
from streaming.events import encode
from streaming.hints import Hint, LeftElsewhere, ReadElsewhere
from streaming.hub import Hub
from streaming.log_entries import Entry, Over, Texts, Whole, assemble
from streaming.run import Run, RunKey, Terminal

LOOK_SECONDS = 1.0
#: How often an owner hears that somebody elsewhere reads its answer.
REMIND_SECONDS = 5.0

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Mirror:
    run: Run
    #: The log had a hole: the row, or the log read anew, must help.
    is_behind: bool = False
    reminded_at: float = 0.0


class Mirrors:
    """`say` tells the owner of an answer that it is read elsewhere, or no longer."""

    log: EventLog
    #: This process's own run of an answer, if it writes it.
    own: Callable[[UUID], Run | None]

    def __init__(self, hub: Hub, say: Callable[[Hint], None]) -> None:
        self._hub = hub
        self._say = say
        self._mirrors: dict[UUID, Mirror] = {}

    def get(self, message_id: UUID) -> Run | None:
        mirror = self._mirrors.get(message_id)
        return mirror.run if mirror else None

    def runs(self) -> Iterator[Run]:
        return (mirror.run for mirror in tuple(self._mirrors.values()))

    async def open(self, generation: Generation) -> Run:
        """The answer as far as it is known, growing from now on; every tab in its room is told of it."""
        known = self.get(generation.pk)
        if known is not None and known.key.attempt >= generation.attempt:
            return known
        run = await self._load(generation)
        # While the log was read it may have been opened, or taken over by this very process.
        known = self.own(generation.pk) or self.get(generation.pk)
        if known is not None and known.key.attempt >= run.key.attempt:
            return known
        if run.is_over:
            # Whoever is told of it here has waited for it.
            self.remind(generation.pk)
        else:
            self._follow(run)
        self._introduce(generation, run)
        return run

    def wait(self, message_id: UUID, ahead: int | None) -> None:
        """How many are ahead of it at its owner, as that says; words that are here are newer."""
        run = self.get(message_id)
        if run is not None and not run.length:
            run.wait(ahead)

    def forget(self, message_id: UUID) -> None:
        """It is written here from now on, or it is gone: whoever follows looks again."""
        mirror = self._mirrors.get(message_id)
        if mirror is not None:
            self._drop(message_id)
            mirror.run.abandon()

    def _drop(self, message_id: UUID) -> None:
        del self._mirrors[message_id]
        self.log.unwatch(message_id)
        metrics.MIRRORS.set(len(self._mirrors))

    def close(self) -> None:
        for message_id in tuple(self._mirrors):
            self.forget(message_id)

    def _follow(self, run: Run) -> None:
        message_id = run.key.message_id
        self._mirrors[message_id] = Mirror(run, reminded_at=time.monotonic())
        self._watch_seats(run)
        self.log.watch(message_id, f"{run.key.attempt}-{run.text_seq}")
        self.remind(message_id)
        metrics.MIRRORS.set(len(self._mirrors))

    def _introduce(self, generation: Generation, run: Run) -> None:
        if not self._hub.has_seats(generation.room_id):
            return
        said = said_before(generation)
        if said is not None:
            self._hub.publish(generation.room_id, encode(said))
        frame, seq = run.snapshot()
        self._hub.present(run, after=seq, opening=[run.start_frame(), frame])

    # From the log and from the row

    async def _load(self, generation: Generation) -> Run:
        """Whatever is further: the log, or the row's checkpoint."""
        found = assemble(await self.log.read(generation.pk))
        checkpoint = (generation.attempt, generation.checkpoint_seq)
        if found is None or (found.attempt, found.seq) < checkpoint:
            return checkpointed(generation)
        run = run_of(generation, found.attempt, found.first_seq, found.text)
        for chunk in found.chunks:
            run.append(chunk)
        if found.terminal is not None:
            run.finish(found.terminal)
        return run

    def logged(self, message_id: UUID, entries: Sequence[Entry | None]) -> None:
        for entry in entries:
            mirror = self._mirrors.get(message_id)
            if mirror is not None and entry is not None and entry.attempt >= mirror.run.key.attempt:
                self._apply(mirror, entry)

    def _apply(self, mirror: Mirror, entry: Entry) -> None:
        run = mirror.run
        is_next = entry.attempt > run.key.attempt
        match entry:
            case Whole(text=text, chunks=chunks) if is_next or entry.seq - run.text_seq > len(chunks):
                self._replace(mirror, successor(run, entry, text))
                extend(mirror.run, entry.seq, chunks)
            case Texts(chunks=chunks) if is_next or entry.seq - run.text_seq > len(chunks):
                self._is_behind(mirror)
            case Whole(chunks=chunks) | Texts(chunks=chunks):
                extend(run, entry.seq, chunks)
            case Over() if not is_next and (terminal := entry.terminal()) is not None:
                self._finish(mirror, terminal)
            case Over():
                self._is_behind(mirror)

    def _is_behind(self, mirror: Mirror) -> None:
        metrics.LOG_GAPS.inc()
        mirror.is_behind = True

    def _replace(self, mirror: Mirror, run: Run) -> None:
        """The same answer from another beginning: a rewind where the readers' text goes on from it."""
        old, mirror.run, mirror.is_behind = mirror.run, run, False
        self._watch_seats(run)
        is_rewind = run.key.attempt == old.key.attempt + 1 and old.text.startswith(run.base) and not run.chunks_after(
            run.first_seq
        )
        if is_rewind:
            self._hub.present(run)
        else:
            frame, seq = run.snapshot()
            self._hub.present(run, after=seq, opening=[frame])
        old.abandon()

    def _finish(self, mirror: Mirror, terminal: Terminal) -> None:
        self._drop(mirror.run.key.message_id)
        mirror.run.finish(terminal)

    async def keep(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except Unavailable:
                log.warning("mirrors_not_checked", answers=len(self._mirrors))
            except Exception:
                log.exception("mirrors_crashed")

    async def look(self) -> None:
        """What the rows say: an end, another owner, or more text than the log has told."""
        # Those that are opened while the rows are read are not among them, and not gone either.
        asked = tuple(self._mirrors.items())
        if not asked:
            return
        states = await in_database(generations.states, [message_id for message_id, _ in asked])
        for message_id, mirror in asked:
            if self._mirrors.get(message_id) is not mirror:
                continue
            state = states.get(message_id)
            if state is None:
                self.forget(message_id)
            elif self._is_news(mirror, *state):
                await self._reload(message_id)
            self._keep_reminding(message_id, mirror)

    def _is_news(self, mirror: Mirror, status: str, attempt: int, seq: int) -> bool:
        is_further = (attempt, seq) > (mirror.run.key.attempt, mirror.run.text_seq)
        return status != Generation.Status.RUNNING or is_further or mirror.is_behind

    async def _reload(self, message_id: UUID) -> None:
        generation = await in_database(generations.load, message_id)
        mirror = self._mirrors.get(message_id)
        if mirror is None:
            return None
        if generation is None:
            return self.forget(message_id)
        if generation.status != Generation.Status.RUNNING:
            return self._finish(mirror, ending_of(generation))
        run, now = await self._load(generation), mirror.run
        if self._mirrors.get(message_id) is mirror and is_further(run, now):
            self._replace(mirror, run)
            if run.is_over:
                return self._drop(message_id)
            self.log.watch(message_id, f"{run.key.attempt}-{run.text_seq}")
        return None

    # Who reads here

    def remind(self, message_id: UUID) -> None:
        self._say(ReadElsewhere(message_id))

    def _watch_seats(self, run: Run) -> None:
        # Looked at a step later: whoever goes over to another beginning of the answer has gone for a moment only.
        loop, message_id = asyncio.get_running_loop(), run.key.message_id
        run.attendance.on_change = partial(loop.call_soon, self._tell_seats, message_id)

    def _tell_seats(self, message_id: UUID) -> None:
        mirror = self._mirrors.get(message_id)
        if mirror is None or mirror.run.attendance.is_excused:
            return
        is_read, was_told = mirror.run.attendance.is_read_here, mirror.reminded_at > 0
        if is_read and not was_told:
            mirror.reminded_at = time.monotonic()
            self.remind(message_id)
        elif was_told and not is_read:
            mirror.reminded_at = 0.0
            self._say(LeftElsewhere(message_id))

    def _keep_reminding(self, message_id: UUID, mirror: Mirror) -> None:
        if not mirror.run.attendance.is_read_here:
            mirror.reminded_at = 0.0
        elif time.monotonic() - mirror.reminded_at > REMIND_SECONDS:
            mirror.reminded_at = time.monotonic()
            self.remind(message_id)


def is_further(run: Run, other: Run) -> bool:
    return (run.key.attempt, run.text_seq) > (other.key.attempt, other.text_seq)


def checkpointed(generation: Generation) -> Run:
    seq, text = generation.checkpoint_seq, generation.checkpoint_text
    return run_of(generation, generation.attempt, seq, text, is_whole=False)


def run_of(generation: Generation, attempt: int, seq: int, text: str, *, is_whole: bool = True) -> Run:
    message = generation.message
    key = RunKey(generation.request_id, generation.room_id, generation.pk, attempt)
    return Run(
        key, reply_to=message.reply_to_id, position=message.position, head=generation.room.head,
        text=text, first_seq=seq, is_whole=is_whole,
    )


def successor(run: Run, entry: Whole, text: str) -> Run:
    """The same answer from another beginning on."""
    key = RunKey(run.key.request_id, run.key.room_id, run.key.message_id, entry.attempt)
    return Run(key, reply_to=run.reply_to, position=run.position, head=run.head, text=text, first_seq=entry.first_seq)


def extend(run: Run, seq: int, chunks: Sequence[str]) -> None:
    """Append those of the events up to `seq` that the run lacks; there must be no hole between them and it."""
    run.place = None
    for chunk in chunks[len(chunks) - max(0, seq - run.text_seq) :]:
        run.append(chunk)
