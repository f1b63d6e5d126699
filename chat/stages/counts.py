"""What the gate counts of the traces of one cohort. What a browser alone says counts by its user: it may be forged.

A user who lies says so of every answer; many users to whom the same happens say so each. So a failure of which the
server knows nothing counts once a user and look, and no longer once they have told of TOLD_PER_HOUR; lost or doubled
text once a user and stage.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet

from chat.figures import BROKEN, NOT_OURS
from chat.kpi.definitions import ACK_TIMEOUT, COMPLETED_LATE, LOST_SEND, WORDS_LATE
from chat.models import Trace
from chat.rollout.slos import ACK_TIMEOUTS, COMPLETION, FAILURES, FIRST_WORDS
from chat.rollout.tallies import Tally
from chat.traces import LOST_SENDS_PER_HOUR

#: As many as are kept at all of sends that never arrived.
TOLD_PER_HOUR = LOST_SENDS_PER_HOUR
FAILED = ~Q(failure="")
#: As the server saw it, too.
KNOWN = Q(outcome__in=BROKEN) & ~Q(error_code__in=NOT_OURS)
TOLD = FAILED & ~KNOWN
#: Never any words, and not by the reader's own wish.
SILENT = Q(ttft_ms=None) & FAILED

_COUNTS = {
    "sends": Count("pk", filter=~LOST_SEND), "failed": Count("pk", filter=FAILED & KNOWN),
    "with_words": Count("ttft_ms"), "words_late": Count("pk", filter=WORDS_LATE),
    "silent": Count("pk", filter=SILENT & KNOWN), "completed": Count("completion_ms"),
    "completed_late": Count("pk", filter=COMPLETED_LATE), "timed": Count("pk", filter=Q(ttft_source="browser")),
    "checked": Count("pk", filter=Q(client_marks__has_key="end") | Q(mismatched=True)),
    "lost_sends": Count("user", filter=LOST_SEND, distinct=True),
}
_TOLD = {
    "failed": Count("user", distinct=True), "ack_timeout": Count("user", filter=ACK_TIMEOUT, distinct=True),
    "silent": Count("user", filter=SILENT, distinct=True),
}


def counted(stage: QuerySet[Trace], new: QuerySet[Trace], since: datetime) -> dict[str, int]:
    """`new`: those of the cohort that came since the last look, which was at `since`; `stage`: all of the stage."""
    counts: dict[str, int] = new.aggregate(**_COUNTS)
    tellers = list(new.filter(TOLD).values_list("user", flat=True).distinct())
    told: dict[str, int] = dict.fromkeys(_TOLD, 0)
    if tellers:
        lately = stage.filter(TOLD, user__in=tellers, settled_at__gte=since - timedelta(hours=1), settled_at__lt=since)
        times = lately.values("user").annotate(times=Count("pk")).filter(times__gte=TOLD_PER_HOUR)
        told = new.filter(TOLD).exclude(user__in=times.values("user")).aggregate(**_TOLD)
    return {
        **counts, "sends": counts["sends"] + counts["lost_sends"], "ack_timeout": told["ack_timeout"],
        "failed": counts["failed"] + told["failed"], "silent": counts["silent"] + told["silent"],
    }


def tallies(counts: dict[str, int]) -> dict[str, Tally]:
    return {
        FIRST_WORDS.key: Tally(counts["with_words"] + counts["silent"], counts["words_late"] + counts["silent"]),
        COMPLETION.key: Tally(counts["completed"], counts["completed_late"]),
        FAILURES.key: Tally(counts["sends"], counts["failed"]),
        ACK_TIMEOUTS.key: Tally(counts["sends"], counts["ack_timeout"]),
    }


def readers_who_lost(streamed: QuerySet[Trace]) -> int:
    """Users whose browsers found text lost or doubled, however late they told."""
    found: dict[str, Any] = streamed.filter(mismatched=True).aggregate(users=Count("user", distinct=True))
    return int(found["users"])
