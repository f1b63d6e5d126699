"""`manage.py alarms`: every rule as it reads now, what is open, and what could not be delivered."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chat import alarms
from chat.models import AlarmIncident, AlarmNotice


class Command(BaseCommand):
    help = "Rules, open incidents and notices nobody took. `--test` sends a notice to every receiver, now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--test", action="store_true", help="send a test notice; fails if one is not taken")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["test"]:
            self.test()
        elif options["json"]:
            self.stdout.write(json.dumps(standing(), default=str, indent=2))
        else:
            self.show()

    def test(self) -> None:
        names = alarms.receivers()
        if not names:
            raise CommandError("Nobody is told: set ALARM_EMAILS or ALARM_WEBHOOK_URL.")
        failed = [name for name in names if not self.reach(name)]
        if failed:
            raise CommandError(f"Not delivered to {', '.join(failed)}.")

    def reach(self, name: str) -> bool:
        try:
            alarms.send(name, "[Soksak] Test", "A test notice: alarms arrive here.")
        except Exception as error:  # noqa: BLE001 - whatever keeps it away is what one wants to know
            self.stderr.write(f"{name}: {type(error).__name__}: {error}")
            return False
        self.stdout.write(f"{name}: delivered")
        return True

    def show(self) -> None:
        found = standing()
        for rule in found["rules"]:
            mark = self.style.ERROR("BROKEN") if rule["is_broken"] else "ok    " if rule["text"] else "–     "
            self.stdout.write(f"{mark} {rule['name']:14} {rule['text'] or 'nothing to measure'}")
        for incident in found["open"]:
            self.stdout.write(f"open since {incident['opened_at']}: {incident['rule']}: {incident['text']}")
        for notice in found["undelivered"]:
            self.stdout.write(f"NOT DELIVERED to {notice['receiver']} ({notice['attempts']}x): {notice['last_error']}")
        self.stdout.write(f"told: {', '.join(alarms.receivers()) or 'nobody; set ALARM_EMAILS or ALARM_WEBHOOK_URL'}")


def standing() -> dict[str, Any]:
    readings = [(rule, rule.read()) for rule in alarms.RULES]
    waiting = AlarmNotice.objects.filter(delivered_at=None)[:100]
    return {
        "rules": [
            {
                "name": rule.name, "what": rule.what, "text": reading.text if reading else None,
                "value": reading.value if reading else None, "is_broken": bool(reading and reading.is_broken),
            }
            for rule, reading in readings
        ],
        "open": list(AlarmIncident.objects.filter(closed_at=None).values("rule", "text", "opened_at", "worst")),
        "undelivered": list(waiting.values("receiver", "attempts", "last_error", "next_at")),
    }
