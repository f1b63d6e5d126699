"""What comes back by itself: each a function without arguments that may run twice, late, or at two places at once."""

from __future__ import annotations

from dataclasses import dataclass

# Said in the reader's language by whoever shows it.
from django.utils.translation import gettext_noop as _


@dataclass(frozen=True, slots=True)
class Periodic:
    """`does` names the function; it is imported when it is first due, so that nobody pays for it at the start.

    `is_urgent`: a process has a thread for such jobs alone. They are quick, and no other job holds them up.
    """

    name: str
    every_seconds: float
    does: str
    what: str
    is_urgent: bool = False


SCHEDULE: tuple[Periodic, ...] = (
    Periodic(
        "rollout_gate", 15.0, "chat.stages.gate.watch", _("judges the stage of the rollout and rolls it back"),
        is_urgent=True,
    ),
    Periodic("alarms", 60.0, "chat.alarms.watch", _("reads the alarm rules and tells of incidents")),
    Periodic("kpi_rollups", 300.0, "chat.kpi.rollups.keep_up", _("rolls up K1 to K4 by day and week")),
    Periodic("prune_outbox", 3600.0, "chat.outbox.upkeep.prune", _("forgets deferred jobs that were done long ago")),
    Periodic("purge_traces", 3600.0, "chat.retention.keep_up", _("deletes traces older than TRACE_RETENTION_DAYS")),
)


def named(name: str) -> Periodic | None:
    return next((job for job in SCHEDULE if job.name == name), None)
