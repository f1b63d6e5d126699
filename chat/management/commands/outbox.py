"""`manage.py outbox`: how deferred work stands; what may be done about it by hand."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from chat import outbox
from chat.models import OutboxJob

DEAD_SHOWN = 20


class Command(BaseCommand):
    help = "Show the outbox; --drain does what is due here and now, --retry gives dead jobs a new life."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--retry", action="store_true", help="make every dead job due again")
        parser.add_argument("--drain", action="store_true", help="do all that is due in this process")
        parser.add_argument("--prune", action="store_true", help="forget what was done long ago")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["retry"]:
            self.stdout.write(f"{outbox.retry()} dead jobs are due again")
        if options["drain"]:
            while outbox.drain():
                continue
        if options["prune"]:
            self.stdout.write(f"{outbox.prune()} rows forgotten")
        self._show()

    def _show(self) -> None:
        found = outbox.backlog()
        self.stdout.write(
            f"waiting {found.waiting}, dead {found.dead}, the oldest due for {found.oldest_due_seconds:.0f} s"
        )
        for job in OutboxJob.objects.filter(status=OutboxJob.Status.DEAD)[:DEAD_SHOWN]:
            last_line = (job.last_error.strip().splitlines() or [""])[-1]
            self.stdout.write(f"dead {job.pk} {job.kind} message {job.message_id}: {last_line}")
