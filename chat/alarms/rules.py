"""What must not be, measured now. A closed list; the limits of the promises come from chat/kpi/definitions.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from chat.figures import WHOLE
from chat.kpi.definitions import COUNTS, FAILED_SHARE_MOST, LATE_SHARE_MOST, PEOPLE
from chat.kpi.intervals import share
from chat.models import Generation, OutboxJob, PeriodicJob, ProcessLease, RolloutDecision, Trace
from chat.outbox.upkeep import backlog

ACK_TIMEOUT_SHARE_MOST = 0.005
OUTBOX_LAG_SECONDS_MOST = 300.0
#: Its answers are taken over within seconds; who is silent for longer is mourned by nobody.
SILENT_SECONDS = 30.0
FAILURES_IN_A_ROW = 3
ANY = Q()


@dataclass(frozen=True, slots=True)
class Reading:
    """`is_sure`: enough was seen to raise an alarm. What is under its limit may always end one."""

    value: float
    limit: float
    text: str
    is_sure: bool = True

    @property
    def is_broken(self) -> bool:
        return self.value > self.limit and self.is_sure


@dataclass(frozen=True, slots=True)
class Rule:
    """`read` returns None where nothing can be said: that neither raises an alarm nor ends one."""

    name: str
    what: str
    read: Callable[[], Reading | None]


def _share_of(bad: tuple[str, ...], of: str, limit: float, what: str, where: Q = ANY) -> Callable[[], Reading | None]:
    def read() -> Reading | None:
        counts = _lately(where)
        found = share(sum(counts[name] for name in bad), counts[of])
        if found is None:
            return None
        text = f"{found.value:.1%} of {counts[of]} {what} in {settings.ALARM_WINDOW_MINUTES} minutes"
        is_sure = counts[of] >= settings.ALARM_MIN_REQUESTS and found.low > limit
        return Reading(found.value, limit, f"{text}; at most {limit:.1%} may be.", is_sure)

    return read


def _lately(where: Q = ANY) -> dict[str, int]:
    since = timezone.now() - timedelta(minutes=settings.ALARM_WINDOW_MINUTES)
    return Trace.objects.filter(PEOPLE, where, created_at__gte=since).order_by().aggregate(**COUNTS)


def _mismatched() -> Reading:
    count = _lately()["mismatched"]
    return Reading(count, 0, f"{count} answers were seen otherwise than they were written: lost or doubled text.")


def _dead_workers() -> Reading:
    before = timezone.now() - timedelta(seconds=SILENT_SECONDS)
    silent = ProcessLease.objects.filter(expires_at__lt=before).values("owner")
    left = Generation.objects.filter(status=Generation.Status.RUNNING, owner__in=silent).count()
    return Reading(left, 0, f"{left} answers belong to processes that are dead, and nobody has taken them over.")


def _outbox_lag() -> Reading:
    seconds = backlog().oldest_due_seconds
    return Reading(seconds, OUTBOX_LAG_SECONDS_MOST, f"A deferred job has been due for {seconds:.0f} s.")


def _dead_jobs() -> Reading:
    count = OutboxJob.objects.filter(status=OutboxJob.Status.DEAD).count()
    return Reading(count, 0, f"{count} deferred jobs were tried too often and given up.")


def _failing_periodic() -> Reading:
    names = PeriodicJob.objects.filter(attempts__gte=FAILURES_IN_A_ROW).values_list("name", flat=True)
    return Reading(len(names), 0, f"Periodic jobs fail time after time: {', '.join(names) or 'none'}.")


def _rolled_back() -> Reading:
    since = timezone.now() - timedelta(minutes=settings.ALARM_WINDOW_MINUTES)
    last = RolloutDecision.objects.filter(at__gte=since, action="rollback", who="gate").first()
    return Reading(int(last is not None), 0, f"The gate rolled streaming back: {last.why if last else 'no'}")


#: Names are anchors in RUNBOOK.md.
RULES: tuple[Rule, ...] = (
    Rule("failed_sends", "share of failed sends (K3)", _share_of(
        ("ack_timeout", "backend_failed"), "sends", FAILED_SHARE_MOST, "sends failed")),
    Rule("ack_timeouts", "share of sends nobody acknowledged in time", _share_of(
        ("ack_timeout",), "sends", ACK_TIMEOUT_SHARE_MOST, "sends had no acknowledgement in time")),
    Rule("first_words", "share of streamed first words later than 1.5 s (K1)", _share_of(
        ("words_late",), "with_words", LATE_SHARE_MOST, "streamed answers showed first words later than 1.5 s",
        # Who gets the whole answer waits for its end: the control cohort must not be an alarm all through a rollout.
        ~Q(path__in=WHOLE))),
    Rule("completion", "share of answers complete later than 8 s (K2)", _share_of(
        ("completed_late",), "completed", LATE_SHARE_MOST, "answers were complete later than 8 s")),
    Rule("mismatches", "answers that were seen otherwise than written", _mismatched),
    Rule("dead_workers", "running answers of processes that are gone", _dead_workers),
    Rule("outbox_lag", "seconds the oldest deferred job has been due", _outbox_lag),
    Rule("dead_jobs", "deferred jobs that were given up", _dead_jobs),
    Rule("periodic_jobs", "periodic jobs that fail time after time", _failing_periodic),
    Rule("rolled_back", "a rollback by the gate", _rolled_back),
)
