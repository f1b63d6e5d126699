"""Days and weeks as people here count them: from midnight, weeks from Monday, in TIME_ZONE."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone


@dataclass(frozen=True, slots=True)
class Span:
    """From `starts_at` until just before `ends_at`."""

    period: str
    starts_on: date
    starts_at: datetime
    ends_at: datetime

    def __str__(self) -> str:
        return f"{self.period} of {self.starts_on:%Y-%m-%d}"


def weeks(count: int, now: datetime) -> list[Span]:
    """The week of `now` and those before it, the newest first."""
    today = timezone.localdate(now)
    monday = today - timedelta(days=today.weekday())
    return [_span("week", monday - timedelta(weeks=back), 7) for back in range(count)]


def days(count: int, now: datetime) -> list[Span]:
    """The day of `now` and those before it, the newest first."""
    return [_span("day", timezone.localdate(now) - timedelta(days=back), 1) for back in range(count)]


def _span(period: str, first: date, length_days: int) -> Span:
    return Span(period, first, _midnight(first), _midnight(first + timedelta(days=length_days)))


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
