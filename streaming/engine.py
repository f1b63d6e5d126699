"""One of each, for this process: hub, providers, runner, log, lease, deferred work. Started with the loop."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Coroutine
from functools import partial
from typing import Any

import structlog
from django.conf import settings

from chat.errors import Unavailable
from chat.outbox import OutboxThread
from streaming import garbage, metrics, remembered, telemetry
from streaming.checkpoint import DatabaseCheckpoint
from streaming.duties import complain
from streaming.hints import Hint
from streaming.hub import Hub
from streaming.lease import Lease, new_owner
from streaming.neighbours import Neighbours
from streaming.ownership import Ownership
from streaming.paths import Paths
from streaming.providers import Providers
from streaming.providers.admission import Admission
from streaming.providers.hedging import Budget, Hedging
from streaming.pulse import Pulse
from streaming.repeats import Repeats
from streaming.rounds import Rounds
from streaming.runner import Runner
from streaming.running import Running
from streaming.shared_latencies import SharedLatencies
from streaming.trips import Trips
from streaming.warming import Warmer

GIL_SWITCH_SECONDS = 0.001

log = structlog.get_logger(__name__)


class Engine:
    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        self.owner = new_owner()
        self.hub = Hub()
        self.providers = Providers(
            tick_seconds=settings.STREAM_TICK_SECONDS, allow_requests=settings.ALLOW_PROVIDER_REQUESTS,
            hedging=Hedging(Budget(settings.HEDGE_BUDGET_PERCENT), settings.HEDGE_QUANTILE),
            admission=Admission(
                calls_most=settings.ADMISSION_MAX_CALLS, queue_most=settings.ADMISSION_QUEUE_MAX,
                spare=settings.ADMISSION_QUEUE_MAX,
                wait_seconds=settings.ADMISSION_WAIT_SECONDS,
            ),
        )
        self.shared_latencies = _shared(self.providers.hedging)
        self.warmer = Warmer(self.providers)
        self.lease = Lease(self.owner)
        self.neighbours = Neighbours(self.owner, self.hub)
        self.trips = Trips()
        self.runner = Runner(self.hub, self.providers, self.warmer, self.lease, self.trips, self.neighbours)
        self.neighbours.mirrors.own = self.runner.get
        self.running = self.neighbours.running = Running(self.runner, self.neighbours.mirrors)
        self.ownership = self.neighbours.ownership = Ownership(self.runner, self.lease, self.neighbours.log)
        self.rounds = self.neighbours.rounds = Rounds(self.hub, self.running, self.owner)
        self.checkpoint = DatabaseCheckpoint(self.runner, self.owner, self.ownership.look_after)
        self.pulse = Pulse(self.hub)
        self.paths = Paths(self.hub)
        self.outbox = OutboxThread()
        self.started_at = time.time()
        self.is_draining = False
        #: Turns that are being accepted: more would only stand before the ends of answers.
        self.accepting = asyncio.Semaphore(settings.DATABASE_THREADS)
        self.repeats = Repeats(self.trips)
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Must be called on the loop that serves."""
        self.loop = asyncio.get_running_loop()
        self.providers.start()
        # Where spans are sent, what sends them is imported before anybody waits for a word.
        telemetry.tracer()
        # A thread in the database keeps the loop from running for at most so long; Python's own 5 ms is a first word's.
        sys.setswitchinterval(GIL_SWITCH_SECONDS)
        self.neighbours.start()
        for keep in (
            self.ownership.keep, self.ownership.keep_looking, self.checkpoint.keep, self.neighbours.mirrors.keep,
            self.rounds.keep, self.pulse.keep, self.pulse.keep_checking, self.paths.keep, remembered.keep_fresh,
            self.runner.desk.keep, self.runner.keep_telling, self.trips.keep,
            partial(garbage.keep, self.runner.is_quiet),
        ):
            self._keep(keep())
        if self.shared_latencies is not None:
            self._keep(self.shared_latencies.keep())
        self.outbox.start()
        garbage.settle()
        log.info("engine_started", owner=self.owner)

    async def stop(self) -> None:
        """Answers that end soon end here; the others are checkpointed and let go, for a neighbour or the next start."""
        self.is_draining = True
        for run in (*self.runner.runs(), *self.neighbours.mirrors.runs()):
            run.attendance.excuse()
        await self.pulse.say_goodbye()
        self.warmer.stop()
        await self.runner.finish(within=settings.STREAM_DRAIN_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self.checkpoint.flush()
            await self.runner.aclose()
            await self.runner.desk.flush()
            await self.lease.give_up()
        except Unavailable:
            log.warning("stopped_without_database")
        await self.neighbours.aclose()
        if self.shared_latencies is not None:
            await self.shared_latencies.aclose()
        self.outbox.stop()
        await self.trips.aclose()
        await self.providers.aclose()
        log.info("engine_stopped", owner=self.owner)

    def _keep(self, duty: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(duty)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(complain)


def _shared(hedging: Hedging) -> SharedLatencies | None:
    return SharedLatencies(settings.REDIS_URL, hedging.latencies) if settings.REDIS_URL else None


_engine: Engine | None = None


def get_engine() -> Engine:
    """This process's engine; started at the first call, on the running loop."""
    global _engine
    if _engine is None:
        engine = Engine()
        engine.start()
        # Not before it has started: half an engine would be found ever after.
        _engine = engine
    return _engine


def tell_neighbours(hint: Hint) -> None:
    """From any thread. A command has no engine: others see its change when what they remember has gone stale."""
    if _engine is not None:
        _engine.loop.call_soon_threadsafe(_engine.neighbours.hints.say, hint)


async def stop_engine(*, for_good: bool = False) -> None:
    """`for_good`: the process ends. Whoever still asks finds the stopped engine, which refuses with `draining`.

    A second engine would take over what this one lets go, and its threads would keep the process from ending.
    """
    global _engine
    if _engine is not None:
        try:
            await _engine.stop()
        finally:
            if not for_good:
                _engine = None
    metrics.SOCKETS.set(0)
    metrics.RUNNING.set(0)
