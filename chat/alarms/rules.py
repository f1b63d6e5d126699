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
from chat.sayings import N_, Saying

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
    text: Saying
    is_sure: bool = True

    @property
    def is_broken(self) -> bool:
        return self.value > self.limit and self.is_sure


@dataclass(frozen=True, slots=True)
class Rule:
    """`read` returns None where nothing can be said: that neither raises an alarm nor ends one."""

    name: str
    what: Saying
    read: Callable[[], Reading | None]


def _share_of(
    bad: tuple[str, ...], of: str, limit: float, what: Saying, where: Q = ANY
) -> Callable[[], Reading | None]:
    def read() -> Reading | None:
        counts = _lately(where)
        found = share(sum(counts[name] for name in bad), counts[of])
        if found is None:
            return None
        text = N_(
            "{share:.1%} of {count:,} {what} in {minutes} minutes; at most {limit:.1%} may be.",
            share=found.value, count=counts[of], what=what, minutes=settings.ALARM_WINDOW_MINUTES, limit=limit,
        )
        is_sure = counts[of] >= settings.ALARM_MIN_REQUESTS and found.low > limit
        return Reading(found.value, limit, text, is_sure)

    return read


def _lately(where: Q = ANY) -> dict[str, int]:
    since = timezone.now() - timedelta(minutes=settings.ALARM_WINDOW_MINUTES)
    return Trace.objects.filter(PEOPLE, where, created_at__gte=since).order_by().aggregate(**COUNTS)


def _mismatched() -> Reading:
    count = _lately()["mismatched"]
    text = N_("{count} answers were seen otherwise than they were written: lost or doubled text.", count=count)
    return Reading(count, 0, text)


def _dead_workers() -> Reading:
    before = timezone.now() - timedelta(seconds=SILENT_SECONDS)
    silent = ProcessLease.objects.filter(expires_at__lt=before).values("owner")
    left = Generation.objects.filter(status=Generation.Status.RUNNING, owner__in=silent).count()
    text = N_("{count} answers belong to processes that are dead, and nobody has taken them over.", count=left)
    return Reading(left, 0, text)


def _outbox_lag() -> Reading:
    seconds = backlog().oldest_due_seconds
    text = N_("A deferred job has been due for {seconds:.0f} s.", seconds=seconds)
    return Reading(seconds, OUTBOX_LAG_SECONDS_MOST, text)


def _dead_jobs() -> Reading:
    count = OutboxJob.objects.filter(status=OutboxJob.Status.DEAD).count()
    return Reading(count, 0, N_("{count} deferred jobs were tried too often and given up.", count=count))


def _failing_periodic() -> Reading:
    names = PeriodicJob.objects.filter(attempts__gte=FAILURES_IN_A_ROW).values_list("name", flat=True)
    text = N_("Periodic jobs fail time after time: {names}.", names=", ".join(names) or N_("none"))
    return Reading(len(names), 0, text)


def _rolled_back() -> Reading:
    since = timezone.now() - timedelta(minutes=settings.ALARM_WINDOW_MINUTES)
    last = RolloutDecision.objects.filter(at__gte=since, action="rollback", who="gate").first()
    if last is None:
        return Reading(0, 0, N_("The gate has not rolled streaming back."))
    return Reading(1, 0, N_("The gate rolled streaming back: {why}", why=last.reason))


#: Names are anchors in RUNBOOK.md.
RULES: tuple[Rule, ...] = (
    Rule("failed_sends", N_("share of failed sends (K3)"), _share_of(
        ("ack_timeout", "backend_failed"), "sends", FAILED_SHARE_MOST, N_("sends failed"))),
    Rule("ack_timeouts", N_("share of sends nobody acknowledged in time"), _share_of(
        ("ack_timeout",), "sends", ACK_TIMEOUT_SHARE_MOST, N_("sends had no acknowledgement in time"))),
    Rule("first_words", N_("share of streamed first words later than 1.5 s (K1)"), _share_of(
        ("words_late",), "with_words", LATE_SHARE_MOST, N_("streamed answers showed first words later than 1.5 s"),
        # Who gets the whole answer waits for its end: the control cohort must not be an alarm all through a rollout.
        ~Q(path__in=WHOLE))),
    Rule("completion", N_("share of answers complete later than 8 s (K2)"), _share_of(
        ("completed_late",), "completed", LATE_SHARE_MOST, N_("answers were complete later than 8 s"))),
    Rule("mismatches", N_("answers that were seen otherwise than written"), _mismatched),
    Rule("dead_workers", N_("running answers of processes that are gone"), _dead_workers),
    Rule("outbox_lag", N_("seconds the oldest deferred job has been due"), _outbox_lag),
    Rule("dead_jobs", N_("deferred jobs that were given up"), _dead_jobs),
    Rule("periodic_jobs", N_("periodic jobs that fail time after time"), _failing_periodic),
    Rule("rolled_back", N_("a rollback by the gate"), _rolled_back),
)
