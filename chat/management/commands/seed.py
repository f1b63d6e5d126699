"""`manage.py seed`: the shipped cast and the streaming switch. Idempotent; part of every start."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from waffle.models import Switch

from chat.characters.seeding import KEPT, seed_cast
from chat.characters.shipped import read_cast
from chat.sayings import N_

STREAMING_SWITCH = "chat_streaming"
#: Kept in English; said in the reader's language where it still is this one.
SWITCH_NOTE = N_("Off: every browser takes the completed response. CHAT_STREAMING_ENABLED must be on as well.")


class Command(BaseCommand):
    help = "Create or update the shipped characters and the streaming switch; what an operator edited is kept."

    def handle(self, *args: Any, verbosity: int = 1, **options: Any) -> None:
        outcomes = seed_cast(read_cast())
        _ensure_switch()
        if verbosity:
            told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
            self.stdout.write(f"Characters and cards: {told}.")
            if outcomes[KEPT]:
                self.stdout.write("Those kept were edited in the admin; they no longer follow our files.")


def _ensure_switch() -> None:
    """On when it is new. It is the kill switch: a restart must not turn on what an operator turned off."""
    Switch.objects.get_or_create(name=STREAMING_SWITCH, defaults={"active": True, "note": SWITCH_NOTE})
