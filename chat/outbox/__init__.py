"""Deferred work: rows written with their cause, run at least once, by whoever is there.

The row is the truth. Celery messages, wake-ups and threads only say "look": losing one costs time, never work.
"""

from __future__ import annotations

from chat.outbox.jobs import claim, claim_untried, due, held, kick, release
from chat.outbox.periodic import run_due, run_soon
from chat.outbox.thread import OutboxThread
from chat.outbox.upkeep import Backlog, backlog, prune, retry
from chat.outbox.work import BATCH_JOBS, drain, run, run_all

__all__ = [
    "BATCH_JOBS", "Backlog", "OutboxThread", "backlog", "claim", "claim_untried", "drain", "due", "held", "kick",
    "prune", "release", "retry", "run", "run_all", "run_due", "run_soon",
]
