"""Who owns an answer: the answers of processes that have gone become ours, those that were taken from us are let go.

The database decides, by compare-and-set; being wrong about a death costs a rewind, never text.
"""

from __future__ import annotations

import asyncio
import time
from uuid import UUID

import structlog
from django.conf import settings
from django.utils import timezone

from chat import generations
from chat.errors import Unavailable
from chat.models import Generation
from streaming.database import in_database
from streaming.event_log import EventLog
from streaming.instrumentation import StageClock
from streaming.lease import Lease, died_here
from streaming.log_entries import assemble
from streaming.runner import Runner
from streaming.turns import Takeover, load_takeover

#: How often the abandoned are looked for, and what readers elsewhere want of our answers.
LOOK_SECONDS = 0.5

log = structlog.get_logger(__name__)


class Ownership:
    def __init__(self, runner: Runner, lease: Lease, event_log: EventLog) -> None:
        self._runner = runner
        self._lease = lease
        self._event_log = event_log
        #: What one look has claimed and not begun yet is nobody's in the eyes of another.
        self._looking = asyncio.Lock()

    async def keep(self) -> None:
        """Renew four times a lease."""
        while True:
            try:
                await self._lease.renew()
            except Unavailable:
                log.warning("lease_not_renewed", owner=self._lease.owner)
            except Exception:
                # Without this duty every answer of the process would soon be another's.
                log.exception("lease_duty_crashed", owner=self._lease.owner)
            await asyncio.sleep(settings.STREAM_LEASE_SECONDS / 4)

    async def keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.adopt()
                await self.look_after()
            except Unavailable:
                log.warning("abandoned_not_looked_for", owner=self._lease.owner)
            except Exception:
                log.exception("ownership_duty_crashed", owner=self._lease.owner)

    async def adopt(self) -> None:
        """Continue every answer whose owner has gone, and those of ours whose beginning was cut off."""
        async with self._looking:
            await self._adopt()

    async def _adopt(self) -> None:
        for takeover in await in_database(_claim_abandoned, self._lease.owner, self._written()):
            generation = takeover.generation
            await self._read_further(generation)
            log.info(
                "takeover", requestId=generation.request_id, roomId=str(generation.room_id), userId=generation.user_id,
                characterId=generation.room.character.slug, path=generation.path, attempt=generation.attempt,
            )
            # Its reader has waited since the request came, not since this process heard of it.
            waited = max(0.0, (timezone.now() - generation.created_at).total_seconds())
            self._runner.take_over(takeover, StageClock.since(time.monotonic() - waited))
            if generation.stop_length is not None:
                # After the task's first step: one that is ended before it would leave nothing behind.
                asyncio.get_running_loop().call_soon(self._runner.stop, generation.pk, generation.stop_length)

    async def _read_further(self, generation: Generation) -> None:
        """What the owner before us logged after its last checkpoint: readers have seen it."""
        found = assemble(await self._event_log.read(generation.pk))
        # Older attempts' words are not what the last owner's readers have.
        if found is not None and found.attempt == generation.attempt - 1 and found.seq > generation.checkpoint_seq:
            generation.checkpoint_text, generation.checkpoint_seq = found.whole, found.seq

    async def look_after(self) -> None:
        """What is ours: what others have claimed is let go, what a reader elsewhere has had enough of is ended."""
        # Listed before the rows are read: what begins meanwhile is not among them.
        written = self._written()
        if not written:
            return
        owned = await in_database(generations.owned, self._lease.owner)
        for message_id in written:
            if self._runner.get(message_id) is None or self._runner.is_closing(message_id):
                continue
            if message_id not in owned:
                self._runner.lose(message_id)
            elif (seen := owned[message_id]) is not None:
                self._runner.stop(message_id, seen)

    def _written(self) -> list[UUID]:
        return [run.key.message_id for run in self._runner.runs()]


def _claim_abandoned(owner: str, written: list[UUID]) -> list[Takeover]:
    running = generations.running(owner, seconds=settings.STREAM_LEASE_SECONDS)
    elsewhere = [row for row in running if row.owner != owner]
    lost = [row for row in running if row.owner == owner and row.message_id not in written]
    if elsewhere:
        alive = generations.live_owners(seconds=settings.STREAM_LEASE_SECONDS)
        lost += [row for row in elsewhere if row.owner not in alive or died_here(row.owner)]
    claimed = [generations.claim(row.message_id, row.attempt, owner) for row in lost]
    return [load_takeover(generation) for generation in claimed if generation is not None]
