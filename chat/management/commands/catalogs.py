"""`manage.py catalogs`: bring the translations up to date with what the code says, and compile them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chat.management.catalogs import LANGUAGES, SOURCES, po_path, update


class Command(BaseCommand):
    help = "Update chat/locale/*/LC_MESSAGES/*.po from the sources and compile them to .mo (needs Babel)."

    def handle(self, *args: Any, **options: Any) -> None:
        waiting = 0
        for language in LANGUAGES:
            for domain in SOURCES:
                for message in update(language, domain):
                    waiting += 1
                    self.stdout.write(f"{po_path(language, domain)}: no translation of {message!r}")
        if waiting:
            raise CommandError(f"{waiting} texts wait for a translation.")
        self.stdout.write("Every text is translated.")
