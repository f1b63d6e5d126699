"""One beat a second for all sockets of the process: heartbeats, slow readers, sessions that have ended."""

from __future__ import annotations

import asyncio
import random
import time

import structlog
from django.conf import settings

from chat.errors import NotFound, NotSignedIn, Unavailable
from streaming.closes import GOING_AWAY, ROOM_NOT_FOUND, SESSION_ENDED, SLOW_READER
from streaming.database import in_database
from streaming.events import Drain, Heartbeat, encode
from streaming.hub import Hub, Seat

BEAT_SECONDS = 1.0
GOODBYE_RETRY_MS = 3000
GOODBYE_BATCH = 100
GOODBYE_BATCH_SECONDS = 0.1

log = structlog.get_logger(__name__)


class Pulse:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def keep(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            now = time.monotonic()
            for seat in self._hub.seats():
                self._look_after(seat, now)

    async def keep_checking(self) -> None:
        """Beside the beats: a slow database must not look like a dead server to every reader."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            now = time.monotonic()
            for seat in self._hub.seats():
                if now - seat.checked_at > settings.STREAM_SESSION_RECHECK_SECONDS:
                    await self._recheck(seat, now)

    async def say_goodbye(self) -> None:
        """Some at a time, each with a moment of its own to come back: they all go to the processes that are left."""
        for number, seat in enumerate(self._hub.seats(), start=1):
            seat.reader.post(encode(Drain(retry_after_ms=random.randint(0, GOODBYE_RETRY_MS))))
            seat.close_soon(GOING_AWAY)
            if number % GOODBYE_BATCH == 0:
                await asyncio.sleep(GOODBYE_BATCH_SECONDS)

    def _look_after(self, seat: Seat, now: float) -> None:
        if seat.reader.blocked_seconds(now) > settings.STREAM_SLOW_READER_SECONDS:
            seat.close_soon(SLOW_READER)
        elif now - seat.reader.last_sent > settings.STREAM_HEARTBEAT_SECONDS:
            seat.reader.post(encode(Heartbeat(head=self._hub.head_of(seat.room_id))))

    async def _recheck(self, seat: Seat, now: float) -> None:
        try:
            await in_database(seat.recheck)
        except NotSignedIn:
            seat.close_soon(SESSION_ENDED)
        except NotFound:
            seat.close_soon(ROOM_NOT_FOUND)
        except Unavailable:
            log.warning("session_recheck_postponed", userId=seat.user_id)
        except Exception:
            log.exception("session_recheck_crashed", userId=seat.user_id)
        seat.checked_at = now
