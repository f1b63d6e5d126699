"""Runs answers: one task each, owned by this process, held by a strong reference, in its own context.

From a committed turn to a committed end. Sockets attach and detach; none of them is needed.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Iterator
from typing import Protocol
from uuid import UUID

import structlog

from chat.generations import Outcome
from chat.log_fields import bind_who
from chat.models import Generation
from streaming import metrics
from streaming.closing import close_up, settle_until_committed
from streaming.desk import Desk
from streaming.duties import complain
from streaming.endings import end_of
from streaming.hub import Hub
from streaming.instrumentation import StageClock
from streaming.latecomers import Latecomers
from streaming.lease import Lease
from streaming.prompting import RoomPrompts
from streaming.providers import Providers
from streaming.run import Run, RunKey
from streaming.trips import Trips
from streaming.turns import Takeover, Turn
from streaming.warming import Warmer
from streaming.writing import Job, Superseded, write_answer

#: How long a process that stops waits for ends that are being committed.
LAST_SETTLE_SECONDS = 5.0
TELL_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Delegate(Protocol):
    """Who tells the other processes."""

    def began(self, run: Run) -> None: ...

    def lost(self, message_id: UUID, room_id: UUID) -> None:
        """Another process, or another attempt, owns the answer."""


class Runner:
    def __init__(
        self, hub: Hub, providers: Providers, warmer: Warmer, lease: Lease, trips: Trips, delegate: Delegate
    ) -> None:
        self._lease = lease
        self._trips = trips
        self._delegate = delegate
        self._hub = hub
        self._providers = providers
        self._warmer = warmer
        self._jobs: dict[UUID, Job] = {}
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self.latecomers = Latecomers()
        self.desk = Desk()

    def start(self, turn: Turn, clock: StageClock, said: str = "") -> Run:
        """Begin the answer of a new turn; every tab in the room sees what was `said`, a frame, and it begin."""
        accepted = turn.accepted
        assert turn.context is not None, "a repeat has nothing to start"
        key = RunKey(accepted.request_id, accepted.room_id, accepted.message_id, accepted.attempt)
        run = Run(key, reply_to=accepted.reply_to, position=accepted.position, head=accepted.head)
        self._launch(Job(
            run, RoomPrompts(turn.context, clock.mark), turn.routes, clock,
            accepted.user_id, accepted.character_id, accepted.room.character_id, accepted.path, self._lease,
            turn.assigned, accepted.kind,
        ), said)
        if accepted.prefix:
            run.append(accepted.prefix)
        return run

    def take_over(self, takeover: Takeover, clock: StageClock) -> Run:
        """Go on with the answer of a process that has gone: cut to what was logged, continue from there."""
        generation = takeover.generation
        message = generation.message
        key = RunKey(generation.request_id, generation.room_id, generation.pk, generation.attempt)
        run = Run(
            key, reply_to=message.reply_to_id, position=message.position, head=generation.room.head,
            text=generation.checkpoint_text, first_seq=generation.checkpoint_seq + 1,
        )
        metrics.TAKEOVERS.inc()
        self._launch(Job(
            run, RoomPrompts(takeover.context, clock.mark), takeover.routes, clock, generation.user_id,
            generation.room.character.slug, generation.room.character_id, generation.path, self._lease,
            takeover.assigned, generation.kind, clock.now_ms() if run.base else None,
        ))
        return run

    def stop(self, message_id: UUID, seen_length: int) -> bool:
        """The reader has had enough: end now, clamped to `seen_length`. False: it is ending already."""
        run, task = self.get(message_id), self._tasks.get(message_id)
        if run is None or task is None or run.is_closing:
            return False
        run.stopped_at = seen_length
        task.cancel()
        return True

    def is_closing(self, message_id: UUID) -> bool:
        """Its end is being committed here; too late to stop."""
        run = self.get(message_id)
        return run is not None and run.is_closing

    def get(self, message_id: UUID) -> Run | None:
        job = self._jobs.get(message_id)
        return job.run if job else None

    def running_in(self, room_id: UUID) -> list[Run]:
        return [run for run in self.runs() if run.key.room_id == room_id]

    def runs(self) -> Iterator[Run]:
        return (job.run for job in tuple(self._jobs.values()))

    def lose(self, message_id: UUID) -> None:
        """Another process owns this answer now; its readers here are told where it goes on."""
        job = self._jobs.get(message_id)
        if job is not None:
            log.warning("run_lost", **job.who, messageId=str(message_id), attempt=job.run.key.attempt)
            self._drop(message_id)
            del self._jobs[message_id]
            self._delegate.lost(message_id, job.run.key.room_id)

    async def keep_telling(self) -> None:
        """How many there are: nobody asks more often, and to count each as it comes and goes costs more."""
        while True:
            metrics.RUNNING.set(len(self._tasks))
            await asyncio.sleep(TELL_SECONDS)

    def is_quiet(self) -> bool:
        """Nothing is written here."""
        return not self._tasks

    async def settled(self) -> None:
        """Every answer that is ending has ended, with its trace written."""
        closing = [task for message_id, task in self._tasks.items() if message_id not in self._jobs]
        await asyncio.gather(*closing, return_exceptions=True)
        await self.desk.flush()

    async def finish(self, *, within: float) -> None:
        """Wait for the answers that end by themselves in so many seconds."""
        tasks = list(self._tasks.values())
        if tasks and within > 0:
            await asyncio.wait(tasks, timeout=within)

    async def aclose(self) -> None:
        """Let go of every run without an end: their rows stay running, for the next owner."""
        closing = [task for message_id, task in self._tasks.items() if self._ends(message_id)]
        if closing:
            await asyncio.wait(closing, timeout=LAST_SETTLE_SECONDS)
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # Internal

    def _ends(self, message_id: UUID) -> bool:
        run = self.get(message_id)
        return run is None or run.is_closing

    def _drop(self, message_id: UUID) -> None:
        task = self._tasks.get(message_id)
        if task is not None:
            task.cancel()

    def _launch(self, job: Job, said: str = "") -> None:
        key = job.run.key
        self._drop(key.message_id)
        self._jobs[key.message_id] = job
        # Before anybody is told: the model is asked first, while readers' frames are still to be written.
        self._tasks[key.message_id] = self._task(job)
        self._delegate.began(job.run)
        if said:
            self._hub.publish(key.room_id, said)
        self._hub.present(job.run)
        job.run.attendance.began()

    def _task(self, job: Job) -> asyncio.Task[None]:
        # A context of its own: the request that caused the answer may end long before it.
        context = contextvars.Context()
        context.run(bind_who, job.who)
        task = asyncio.create_task(self._live(job), context=context)
        task.add_done_callback(complain)
        return task

    async def _live(self, job: Job) -> None:
        try:
            outcome = await self._written(job)
            job.run.is_closing = True
            await self._close(job, outcome)
        except Superseded:
            self.lose(job.run.key.message_id)
        finally:
            job.run.abandon()
            self._forget(job.run)

    def _forget(self, run: Run) -> None:
        """A newer attempt at the same answer may stand in its place."""
        message_id = run.key.message_id
        if self.get(message_id) is run:
            del self._jobs[message_id]
        if self._tasks.get(message_id) is asyncio.current_task():
            del self._tasks[message_id]

    async def _written(self, job: Job) -> Outcome:
        try:
            return await write_answer(job, self._providers, self._warmer)
        except Superseded:
            raise
        except Exception:
            log.exception("answer_crashed")
            status = Generation.Status.INTERRUPTED if job.run.length else Generation.Status.FAILED
            return Outcome(
                status=status, text=job.run.text, last_seq=job.run.next_seq, error_code="internal_error",
                finish_reason="interrupted" if job.run.length else "", total_ms=job.clock.now_ms(),
            )

    async def _close(self, job: Job, outcome: Outcome) -> None:
        key = job.run.key
        if not await settle_until_committed(job, outcome, self._trips):
            log.warning("answer_superseded", attempt=key.attempt)
            raise Superseded
        job.clock.mark("settled")
        job.run.attendance.close()
        job.run.finish(end_of(key, outcome))
        job.clock.mark("end_frame")
        self._jobs.pop(key.message_id, None)
        close_up(job, outcome, self.latecomers, self.desk)
