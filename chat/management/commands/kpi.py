"""`manage.py kpi`: what users felt, K1 to K4, from the traces."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from chat import kpi
from chat.kpi import report
from chat.kpi.comparison import compare


class Command(BaseCommand):
    help = "K1 to K4 of the last weeks (or `--days`), with confidence intervals; `--by` splits them."

    def add_arguments(self, parser: CommandParser) -> None:
        span = parser.add_mutually_exclusive_group()
        span.add_argument("--weeks", type=int, default=4, help="so many, this week included; 4 if nothing is said")
        span.add_argument("--days", type=int, help="days instead of weeks")
        parser.add_argument("--by", nargs="+", choices=list(kpi.DIMENSIONS), default=["path", "cohort"])
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, weeks: int, days: int | None, by: list[str], **options: Any) -> None:
        if not 1 <= (weeks if days is None else days) <= 400:
            raise CommandError("Weeks and days are whole numbers from 1 to 400.")
        by = list(dict.fromkeys(by))
        now = timezone.now()
        spans = kpi.weeks(weeks, now) if days is None else kpi.days(days, now)
        if options["json"]:
            self.stdout.write(json.dumps(as_json(spans, by), ensure_ascii=False, indent=2))
            return
        for span in spans:
            self.write(span, by)
        self.stdout.write("\n".join(f"{name}: {words}" for name, words in report.DEFINITIONS.items()))

    def write(self, span: kpi.Span, by: list[str]) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(str(span)))
        whole = kpi.measure(span)
        if not whole:
            self.stdout.write("no sends\n")
            return
        for line in report.lines([*whole, *kpi.measure(span, by)]):
            self.stdout.write(line)
        self.stdout.write(report.compared(compare(kpi.measure(span, ["cohort"]))) + "\n")


def as_json(spans: list[kpi.Span], by: list[str]) -> dict[str, Any]:
    return {"definitions": report.DEFINITIONS, "spans": [as_plain(span, by) for span in spans]}


def as_plain(span: kpi.Span, by: list[str]) -> dict[str, Any]:
    return {
        "period": span.period, "starts_on": span.starts_on.isoformat(),
        "starts_at": span.starts_at.isoformat(), "ends_at": span.ends_at.isoformat(),
        "all": [report.plain(each) for each in kpi.measure(span)],
        "groups": [report.plain(each) for each in kpi.measure(span, by)],
        "K4": report.plain_comparison(compare(kpi.measure(span, ["cohort"]))),
    }
