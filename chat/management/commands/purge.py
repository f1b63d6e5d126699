"""`manage.py purge`: delete traces that are older than they should be kept, now."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chat import retention


class Command(BaseCommand):
    help = "Delete traces older than TRACE_RETENTION_DAYS (`--days`), a batch at a time; `--dry-run` counts them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, help="instead of TRACE_RETENTION_DAYS")
        parser.add_argument("--dry-run", action="store_true", help="delete nothing")

    def handle(self, *args: Any, days: int | None, dry_run: bool, **options: Any) -> None:
        kept = settings.TRACE_RETENTION_DAYS if days is None else days
        if days is None and kept == 0:
            self.stdout.write("Traces are kept for ever: TRACE_RETENTION_DAYS is 0.")
            return
        if not 1 <= kept <= 36_500:
            raise CommandError("Days are a whole number from 1 to 36500.")
        if dry_run:
            self.stdout.write(f"{retention.old_traces(kept).count()} traces are older than {kept} days.")
        else:
            self.stdout.write(f"{retention.purge(kept)} traces older than {kept} days are deleted.")
