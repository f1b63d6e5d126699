"""`manage.py protocol`: the published contract and the generated documents, written or checked."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chatproject.schema import generated


class Command(BaseCommand):
    help = "Write or check what is generated: AsyncAPI, OpenAPI, the tables of PROTOCOL.md, CONFIGURATION.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--write", action="store_true", help="bring the documents up to date")
        what.add_argument("--check", action="store_true", help="fail when one is not")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["write"]:
            for path in generated.write():
                self.stdout.write(f"written: {path.relative_to(generated.ROOT)}")
        elif stale := generated.stale():
            names = ", ".join(str(path.relative_to(generated.ROOT)) for path in stale)
            raise CommandError(f"Out of date: {names}. Run `manage.py protocol --write`.")
