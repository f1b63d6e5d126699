"""The tail of one's own models, from the calls that traces keep (streaming/providers/calls.py). Reads the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.utils import timezone

from chat.kpi.definitions import PEOPLE
from chat.models import Trace
from streaming.loadtest.plan import NoLoadTest
from streaming.loadtest.tails import Past, Recorded

#: Below so many a tail is a matter of luck.
LEAST = 20
MOST = 50_000
#: A shorter answer has no pace.
PACED_TOKENS = 8
FINISHED = ("stop", "length")
#: Somebody waited, and gave up: the model was not broken, its words were later.
GIVEN_UP = ("lost", "cancelled", "provider_first_content_timeout")
#: Continuations know their text, and completed calls have no first words.
ASKED = ("first", "again", "next", "hedge")


def recorded(days: float) -> Recorded:
    """Of the newest requests of the last `days`, a load test's own left out. Raises NoLoadTest."""
    if not 0 < days <= 3650:
        raise NoLoadTest("--tail-from-traces is for more than 0 and at most 3650 days.")
    rows = Trace.objects.filter(PEOPLE, created_at__gte=timezone.now() - timedelta(days=days)).order_by("-created_at")
    past = [one for calls in rows.values_list("calls", flat=True)[:MOST].iterator() for one in _past(calls)]
    spoken = sum(one.first is not None for one in past)
    if spoken < LEAST:
        raise NoLoadTest(
            f"Only {spoken} requests of the last {days:g} days tell how long their model took, and a tail needs "
            f"{LEAST}: give --tail, or look further back."
        )
    return Recorded(past)


# Internal


def _past(calls: list[dict[str, Any]]) -> Iterator[Past]:
    for call in calls:
        if call.get("why") not in ASKED:
            continue
        first, whole = call.get("firstMs"), float(call.get("ms") or 0.0)
        if first is not None and call.get("outcome") in FINISHED:
            yield _finished(float(first), whole, int(call.get("completionTokens") or 0))
        elif first is None and call.get("outcome") in GIVEN_UP:
            yield Past(None, waited=whole / 1000)


def _finished(first: float, whole: float, tokens: int) -> Past:
    is_paced = tokens >= PACED_TOKENS and whole > first
    return Past(first / 1000, max(tokens, 1), tokens / (whole - first) * 1000 if is_paced else 0.0)
