"""Days and weeks rolled up: the running ones again and again, those that are over once more, then never."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from chat import hedging
from chat.kpi.definitions import PEOPLE
from chat.kpi.measure import measure
from chat.kpi.report import plain
from chat.kpi.spans import Span, days, weeks
from chat.models import KpiRollup, Trace

DAYS, WEEKS = 28, 12
GROUPS = ("path", "cohort", "route")
#: Beside the groups, a day has what racing came to, a row a route, and its slowest requests.
HEDGING, SLOWEST = "hedging", "slowest"
SLOWEST_MOST = 10
#: Until then browsers may still report: TIMINGS_LATE_SECONDS and then some.
SETTLED = timedelta(hours=1)
#: Reading a week again is seven times a day's work: a quarter of a million traces take seconds.
WEEK_EVERY = timedelta(minutes=30)
#: Of those before the running ones, so that a lease is never outlived.
SPANS_A_RUN = 4


def keep_up() -> int:
    """Returns how many spans were rolled up. Idempotent; twice at once writes the same rows."""
    now = timezone.now()
    stale = [span for span in [*days(DAYS, now), *weeks(WEEKS, now)] if _is_stale(span, now)]
    running = [span for span in stale if span.ends_at + SETTLED > now]
    over = sorted((span for span in stale if span not in running), key=lambda span: span.ends_at, reverse=True)
    chosen = [*running, *over[:SPANS_A_RUN]]
    for span in chosen:
        roll_up(span, now)
    return len(chosen)


def roll_up(span: Span, now: datetime) -> None:
    whole = measure(span)
    rows = [_row(span, now, "", "", plain(whole[0]) if whole else {})]
    for by in GROUPS if whole else ():
        rows += [_row(span, now, by, kpis.group[by], plain(kpis)) for kpis in measure(span, (by,))]
    if whole and span.period == "day":
        raced = hedging.figures(since=span.starts_at, until=span.ends_at)
        rows += [_row(span, now, HEDGING, each.route, each.row()) for each in raced]
        rows.append(_row(span, now, SLOWEST, "", {"traces": _slowest(span)}))
    KpiRollup.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["period", "starts_on", "by", "value"],
        update_fields=["figures", "made_at"],
    )


# Internal


def _row(span: Span, now: datetime, by: str, value: str, figures: dict[str, object]) -> KpiRollup:
    return KpiRollup(
        period=span.period, starts_on=span.starts_on, by=by, value=value, figures=figures, made_at=now
    )


def _slowest(span: Span) -> list[dict[str, object]]:
    traces = Trace.objects.filter(
        PEOPLE, created_at__gte=span.starts_at, created_at__lt=span.ends_at, ttft_ms__isnull=False
    )
    fields = ("request_id", "ttft_ms", "path", "route_name", "character__slug")
    found = traces.order_by("-ttft_ms").values("id", *fields)[:SLOWEST_MOST]
    return [{**trace, "id": str(trace["id"])} for trace in found]


def _is_stale(span: Span, now: datetime) -> bool:
    """What is already half deleted is not measured any more: it would come out smaller than it was."""
    if settings.TRACE_RETENTION_DAYS and span.starts_at < now - timedelta(days=settings.TRACE_RETENTION_DAYS):
        return False
    made = KpiRollup.objects.filter(period=span.period, starts_on=span.starts_on, by="").first()
    if made is None:
        return True
    # A first message shows within minutes: to read an empty week again costs nothing.
    if span.period == "week" and now < span.ends_at and made.figures:
        return made.made_at <= now - WEEK_EVERY
    return made.made_at < span.ends_at + SETTLED
