"""Readings become incidents: opened once however long a rule is broken, closed when it has held for some looks."""

from __future__ import annotations

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from chat.alarms.delivery import receivers
from chat.alarms.rules import RULES, Reading, Rule
from chat.models import AlarmIncident, AlarmNotice
from chat.sayings import keep

#: A minute apart: what flutters around its limit is one incident.
CALM_LOOKS = 3

log = structlog.get_logger(__name__)


def look() -> None:
    """Every rule, each for itself: one that cannot be read keeps no other from being told."""
    failed = [error for rule in RULES if (error := _look_at(rule)) is not None]
    if failed:
        raise failed[0]


def _look_at(rule: Rule) -> Exception | None:
    try:
        reading = rule.read()
        if reading is not None:
            _judge(rule, reading)
    except Exception as error:  # noqa: BLE001 - told by the periodic job's row, after the other rules
        log.warning("alarm_rule_failed", rule=rule.name, error=repr(error))
        return error
    return None


def _judge(rule: Rule, reading: Reading) -> None:
    incident = AlarmIncident.objects.filter(rule=rule.name, closed_at=None).first()
    if incident is None:
        if reading.is_broken:
            _open(rule, reading)
    elif reading.value > reading.limit:
        AlarmIncident.objects.filter(pk=incident.pk).update(
            calm_looks=0, value=reading.value, worst=max(incident.worst, reading.value)
        )
    else:
        _calm(incident, reading)


def _open(rule: Rule, reading: Reading) -> None:
    try:
        with transaction.atomic():
            incident = AlarmIncident.objects.create(
                rule=rule.name, text=str(reading.text), saying=keep(reading.text), value=reading.value,
                limit=reading.limit, worst=reading.value,
            )
            _note(incident, is_recovery=False)
    except IntegrityError:
        return  # Another process saw it first.
    log.error("alarm_opened", rule=rule.name, text=reading.text)


def _calm(incident: AlarmIncident, reading: Reading) -> None:
    looks = AlarmIncident.objects.filter(pk=incident.pk, closed_at=None, calm_looks=incident.calm_looks)
    if incident.calm_looks + 1 < CALM_LOOKS:
        looks.update(calm_looks=F("calm_looks") + 1, value=reading.value)
        return
    with transaction.atomic():
        if looks.update(closed_at=timezone.now(), value=reading.value):
            _note(incident, is_recovery=True)
            log.info("alarm_closed", rule=incident.rule)


def _note(incident: AlarmIncident, *, is_recovery: bool) -> None:
    AlarmNotice.objects.bulk_create(
        AlarmNotice(incident=incident, is_recovery=is_recovery, receiver=receiver, next_at=timezone.now())
        for receiver in receivers()
    )
