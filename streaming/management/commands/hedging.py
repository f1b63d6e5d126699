"""`manage.py hedging`: what second requests for late first words won, and what they cost."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from chat.hedging import Figures, figures

HEAD = ("route", "answers", "raced", "extra", "won", "p50", "p95", "raced p95", "lost tokens", "lost $", "all $")


class Command(BaseCommand):
    help = "Show what racing a second route for late first words won and cost, by route."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=float, default=7.0, help="how far back to look (7)")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, days: float, **options: Any) -> None:
        if not 0 < days <= 3650:
            raise CommandError("--days is more than 0 and at most 3650.")
        found = figures(since=timezone.now() - timedelta(days=days))
        if options["json"]:
            self.stdout.write(json.dumps([each.row() for each in found], ensure_ascii=False, indent=2))
        else:
            self.stdout.write("\n".join(_lines(found)))


def _lines(found: list[Figures]) -> list[str]:
    if not found:
        return ["No answers in this time."]
    table = [HEAD, *map(_cells, found)]
    widths = [max(len(row[at]) for row in table) for at in range(len(HEAD))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]


def _cells(each: Figures) -> tuple[str, ...]:
    return (
        each.route, str(each.answers), str(each.raced), f"{100 * each.extra:.1f} %", str(each.won),
        _ms(each.waited(0.5)), _ms(each.waited(0.95)), _ms(each.waited(0.95, raced=True)),
        str(each.lost_tokens), f"{each.lost_cost:.4f}", f"{each.cost:.4f}",
    )


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} ms"
