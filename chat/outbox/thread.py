"""One thread a process that sees to due jobs: does them itself, or hands them to Celery and sweeps what is left."""

from __future__ import annotations

import threading
import time
from collections import deque

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
#: Beat looks every ten seconds. What nobody ran for so long has neither beat nor worker, and the gate is among it.
OVERDUE_SECONDS = 12.0


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
    """

    def __init__(self) -> None:
        self._kicked: deque[int] = deque(maxlen=10_000)
        self._awake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._measured_at = -MEASURE_EVERY_SECONDS

    def start(self) -> None:
        """Starting twice is starting once."""
        if self._thread is not None:
            return
        self._stopping.clear()
        self._thread = threading.Thread(target=self._live, name="outbox", daemon=True)
        self._thread.start()
        jobs.listeners.add(self.wake)

    def stop(self) -> None:
        """Looks once more and ends; waits STOP_SECONDS at most, as an unfinished job is run again by somebody."""
        jobs.listeners.discard(self.wake)
        self._stopping.set()
        self._awake.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)
            self._thread = None

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
            try:
                self._look()
            except Exception:
                # A database that is away, or a fault of ours: this thread must live to look again.
                log.exception("outbox_look_failed")
            finally:
                # A pooled connection goes back; SQLite's is this thread's own and is kept to its end.
                if is_last or not settings.DATABASE_IS_SQLITE:
                    connections.close_all()
            if not is_last and self._awake.wait(settings.OUTBOX_POLL_SECONDS):
                # What ends in the same moment is seen to in one go, and not in the way of first words.
                self._stopping.wait(settings.OUTBOX_GATHER_SECONDS)

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
        periodic.run_due(idle_seconds=overdue)
        while drain(idle_seconds=idle_seconds) == BATCH_JOBS and not self._stopping.is_set():
            periodic.run_due(idle_seconds=overdue)

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
