"""Alarms: rules over what is measured, an incident for each breach, a notice to each receiver at its ends."""

from __future__ import annotations

from chat.alarms.delivery import deliver, receivers, send
from chat.alarms.incidents import look
from chat.alarms.rules import RULES, Reading, Rule


def watch() -> None:
    """Look, then tell. Run by the schedule; twice at once is harmless."""
    look()
    deliver()


__all__ = ["RULES", "Reading", "Rule", "deliver", "look", "receivers", "send", "watch"]
