"""A process's threads that see to due jobs: do them themselves, or hand them to Celery and sweep what is left."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import connections
from prometheus_client import Gauge

from chat.models import AlarmIncident, AlarmNotice
from chat.outbox import jobs, periodic, upkeep
from chat.outbox.work import BATCH_JOBS, drain

STOP_SECONDS = 5.0
#: Scrapers come about as often; every process asks for itself.
MEASURE_EVERY_SECONDS = 15.0
#: Beat looks every five seconds. What nobody ran for so long has no beat, or no worker that is free.
OVERDUE_SECONDS, URGENT_OVERDUE_SECONDS = 12.0, 6.0


def _told(name: str, what: str) -> Gauge:
    """Of the whole installation: every process asks for itself, and the last one to ask is right."""
    return Gauge(name, what, multiprocess_mode="livemostrecent")


WAITING = _told("soksak_outbox_waiting", "Deferred jobs that are not done yet, in the whole installation.")
DEAD = _told("soksak_outbox_dead", "Deferred jobs that were given up.")
OLDEST_DUE = _told("soksak_outbox_oldest_due_seconds", "How long the oldest waiting job has been due.")
ALARMS = _told("soksak_alarms_open", "Alarms that are open.")
UNDELIVERED = _told("soksak_alarms_undelivered", "Notices of alarms that nobody has taken yet.")

log = structlog.get_logger(__name__)


class OutboxThread:
    """With REDIS_URL a kick becomes a Celery message, and only jobs that nobody took for
    OUTBOX_SWEEP_SECONDS are done here: no worker, no beat and no Redis still means no lost job.

    What is urgent on the schedule has a thread beside it: a job that stands still holds up none of it.
    """

    def __init__(self) -> None:
        self._kicked: deque[int] = deque(maxlen=10_000)
        self._awake = threading.Event()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._measured_at = -MEASURE_EVERY_SECONDS

    def start(self) -> None:
        """Starting twice is starting once."""
        if self._threads:
            return
        self._stopping.clear()
        lives = (("outbox", self._live), ("outbox-urgent", self._live_urgently))
        self._threads = [threading.Thread(target=live, name=name, daemon=True) for name, live in lives]
        for thread in self._threads:
            thread.start()
        jobs.listeners.add(self.wake)

    def stop(self) -> None:
        """Looks once more and ends; waits STOP_SECONDS at most, as an unfinished job is run again by somebody."""
        jobs.listeners.discard(self.wake)
        self._stopping.set()
        self._awake.set()
        until = time.monotonic() + STOP_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        self._threads = []

    def wake(self, job_id: int) -> None:
        """This job is due. Never blocks."""
        self._kicked.append(job_id)
        self._awake.set()

    def _live(self) -> None:
        is_last = False
        while not is_last:
            self._awake.clear()
            # Asked before looking: what was released before the stop is still seen to.
            is_last = self._stopping.is_set()
            _survive(self._look)
            if not is_last and self._awake.wait(settings.OUTBOX_POLL_SECONDS):
                # What ends in the same moment is seen to in one go, and not in the way of first words.
                self._stopping.wait(settings.OUTBOX_GATHER_SECONDS)
        connections.close_all()

    def _live_urgently(self) -> None:
        _survive(self._look_urgently)
        while not self._stopping.wait(settings.OUTBOX_POLL_SECONDS):
            _survive(self._look_urgently)
        connections.close_all()

    def _look_urgently(self) -> None:
        periodic.run_due(idle_seconds=URGENT_OVERDUE_SECONDS if settings.REDIS_URL else 0.0, urgent=True)

    def _look(self) -> None:
        if settings.REDIS_URL:
            self._hand_over()
            self._drain(idle_seconds=settings.OUTBOX_SWEEP_SECONDS)
        else:
            self._kicked.clear()
            self._drain(idle_seconds=0.0)
        if time.monotonic() - self._measured_at >= MEASURE_EVERY_SECONDS:
            self._measured_at = time.monotonic()
            self._measure()

    def _measure(self) -> None:
        found = upkeep.backlog()
        WAITING.set(found.waiting)
        DEAD.set(found.dead)
        OLDEST_DUE.set(found.oldest_due_seconds)
        ALARMS.set(AlarmIncident.objects.filter(closed_at=None).count())
        UNDELIVERED.set(AlarmNotice.objects.filter(delivered_at=None).count())

    def _drain(self, *, idle_seconds: float) -> None:
        # Between batches too: a heap of jobs must not keep the alarms waiting.
        overdue = min(idle_seconds, OVERDUE_SECONDS)
        periodic.run_due(idle_seconds=overdue, urgent=False)
        while drain(idle_seconds=idle_seconds) == BATCH_JOBS and not self._stopping.is_set():
            periodic.run_due(idle_seconds=overdue, urgent=False)

    def _hand_over(self) -> None:
        """Celery is imported only where it is used: the embedded default never pays for it."""
        from chat.tasks import run_outbox_jobs

        while self._kicked:
            # A message costs a thousand times what a number in it costs.
            job_ids = [self._kicked.popleft() for _ in range(min(len(self._kicked), BATCH_JOBS))]
            try:
                run_outbox_jobs.apply_async(job_ids, retry=False)
            except Exception as error:  # noqa: BLE001 - kombu lets the client's own errors through; the row waits
                log.warning("outbox_kick_lost", jobs=job_ids, error=repr(error))
                self._kicked.clear()


def _survive(look: Callable[[], None]) -> None:
    try:
        look()
    except Exception:
        # A database that is away, or a fault of ours: the thread must live to look again.
        log.exception("outbox_look_failed")
    finally:
        # A pooled connection goes back; SQLite's is the thread's own and is kept to its end.
        if not settings.DATABASE_IS_SQLITE:
            connections.close_all()
