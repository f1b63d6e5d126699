"""An operator turned a switch or changed a route or a card: this process forgets what it remembers, others are told."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save

from streaming import engine, remembered
from streaming.hints import FlagsChanged

WATCHED = ("waffle.Switch", "chat.ModelRoute", "chat.Card", "chat.RolloutDecision")


def connect() -> None:
    for sender in WATCHED:
        for signal in (post_save, post_delete):
            signal.connect(_changed, sender=sender, dispatch_uid=f"{sender}.{id(signal)}")


def _changed(sender: Any, **kwargs: Any) -> None:
    transaction.on_commit(_tell)


def _tell() -> None:
    """Runs in whatever thread saved the row."""
    remembered.forget()
    engine.tell_neighbours(FlagsChanged())
