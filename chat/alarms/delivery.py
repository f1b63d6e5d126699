"""Notices on their way: each to its receiver until it is taken, more and more patiently; never in anybody's way."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import httpx
import structlog
from django.conf import settings
from django.core.mail import get_connection, send_mail
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from chat.models import AlarmIncident, AlarmNotice
from chat.outbox.jobs import backoff_seconds

WEBHOOK = "webhook"
TIMEOUT_SECONDS = 5.0
#: After so long no other notice is begun.
PATIENCE_SECONDS = 5.0
#: As many as a lease of the periodic job has time for.
BATCH = 8

log = structlog.get_logger(__name__)


def receivers() -> list[str]:
    return [*settings.ALARM_EMAILS, *([WEBHOOK] if settings.ALARM_WEBHOOK_URL else [])]


def deliver() -> int:
    """What is due, oldest first; returns how many were taken by their receivers."""
    due = AlarmNotice.objects.filter(delivered_at=None, next_at__lte=timezone.now())
    notices = due.select_related("incident").order_by("next_at")[:BATCH]
    until, taken = time.monotonic() + PATIENCE_SECONDS, 0
    for notice in notices:
        if time.monotonic() > until:
            # The rest is due at the next look: what else the schedule has, the gate before all, comes first.
            break
        taken += _try(notice)
    return taken


def send(receiver: str, subject: str, text: str) -> None:
    """To one receiver, now. Raises whatever keeps it from being taken."""
    if receiver != WEBHOOK:
        send_mail(subject, text, None, [receiver], connection=get_connection(timeout=TIMEOUT_SECONDS))
        return
    if not settings.ALARM_WEBHOOK_URL:
        raise RuntimeError("ALARM_WEBHOOK_URL is not set any more.")
    asyncio.run(_post({"text": f"*{subject}*\n{text}"}))


# Internal


async def _post(body: dict[str, str]) -> None:
    # All of it: httpx counts anew with each byte, and a receiver that drips would hold up the gate.
    async with asyncio.timeout(TIMEOUT_SECONDS), httpx.AsyncClient(follow_redirects=False) as client:
        (await client.post(settings.ALARM_WEBHOOK_URL, json=body)).raise_for_status()


def _try(notice: AlarmNotice) -> bool:
    """The claim is the attempt itself: who is overtaken sends nothing."""
    pause = timedelta(seconds=backoff_seconds(min(notice.attempts + 1, 20)))
    ours = AlarmNotice.objects.filter(pk=notice.pk, attempts=notice.attempts, delivered_at=None)
    if not ours.update(attempts=F("attempts") + 1, next_at=timezone.now() + pause):
        return False
    told = AlarmNotice.objects.filter(pk=notice.pk)
    try:
        send(notice.receiver, _subject(notice), _text(notice.incident, is_recovery=notice.is_recovery))
    except Exception as error:  # noqa: BLE001 - whatever a mail server or a webhook does; it is on the row
        log.warning("alarm_notice_failed", receiver=notice.receiver, error=type(error).__name__)
        told.update(last_error=_said(error))
        return False
    told.update(delivered_at=timezone.now(), last_error="")
    return True


def _said(error: Exception) -> str:
    """Without the webhook's URL, which is its password."""
    text = f"{type(error).__name__}: {error}"
    return text.replace(settings.ALARM_WEBHOOK_URL or "\0", "the webhook")[:2_000]


def _subject(notice: AlarmNotice) -> str:
    told = _("Over: {rule}") if notice.is_recovery else _("Alarm: {rule}")
    return f"[Soksak] {told.format(rule=notice.incident.rule)}"


def _text(incident: AlarmIncident, *, is_recovery: bool) -> str:
    """In the language of the installation."""
    since = f"{timezone.localtime(incident.opened_at):%Y-%m-%d %H:%M}"
    if is_recovery and incident.closed_at:
        minutes = f"{(incident.closed_at - incident.opened_at).total_seconds() / 60:.0f}"
        first = _("Over after {minutes} minutes (since {since}). It was: {text}").format(
            minutes=minutes, since=since, text=incident.in_words
        )
    else:
        first = _("{text} Since {since}.").format(text=incident.in_words, since=since)
    what_to_do = _("What to do: RUNBOOK.md, {rule}.").format(rule=incident.rule)
    return f"{first}\n{what_to_do} {settings.SITE_URL}/admin/chat/alarmincident/"
