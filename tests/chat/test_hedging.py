"""What `manage.py hedging` tells, from the traces of answers."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from chat.hedging import Figures, figures
from chat.models import Trace
from tests.people import make_room, make_user, request_id

pytestmark = [pytest.mark.data, pytest.mark.django_db]


def call(
    route: str, why: str, outcome: str, *, first: float | None, ms: float = 900.0, cost: float = 0.5
) -> dict[str, Any]:
    return {
        "route": route, "model": "m", "why": why, "outcome": outcome, "firstMs": first, "ms": ms,
        "promptTokens": 100, "cachedTokens": 0, "completionTokens": 10, "isCounted": outcome == "stop", "cost": cost,
    }


ALONE = [call("A", "first", "stop", first=300.0)]
WON = [call("A", "first", "lost", first=None, ms=1400.0), call("B", "hedge", "stop", first=400.0)]
LOST = [call("B", "hedge", "lost", first=None, ms=100.0), call("A", "first", "stop", first=1100.0)]


@pytest.fixture
def answers(db: None) -> None:
    alice = make_user("alice")
    room = make_room(alice)
    for calls in (ALONE, ALONE, WON, LOST, [], [call("A", "go_on", "stop", first=1.0)]):
        Trace.objects.create(
            request_id=request_id(), user=alice, room=room, character=room.character, path="stream", calls=calls
        )


def test_races_are_counted_by_the_route_that_was_late(answers: None) -> None:
    (found,) = figures(since=timezone.now() - timedelta(days=1))
    assert (found.route, found.answers, found.raced, found.won, found.extra) == ("A", 4, 2, 1, 0.5)
    assert (found.lost_tokens, found.lost_cost, found.cost) == (220, 1.0, 3.0)
    assert (found.waited(0.5), found.waited(0.95), found.waited(0.0, raced=True)) == (1100.0, 1400.0, 1100.0)


def of(*answers: list[dict[str, Any]]) -> Figures:
    found = Figures("A")
    for calls in answers:
        found.add(calls)
    return found


def test_what_failed_before_the_words_was_waited_for_as_well() -> None:
    timed_out = call("A", "first", "provider_first_content_timeout", first=None, ms=10_000.0)
    found = of(*[ALONE] * 90, *[[timed_out, call("B", "next", "stop", first=300.0)]] * 10)
    assert (found.waited(0.5), found.waited(0.95)) == (300.0, 10_300.0)


def test_a_continuation_is_not_waited_for_and_an_answer_without_words_has_no_wait() -> None:
    broken = call("A", "first", "provider_incomplete", first=300.0, ms=5000.0)
    assert of([broken, call("A", "go_on", "stop", first=900.0)]).waited(0.5) == 300.0
    assert of([call("A", "first", "provider_refused", first=None)]).waited(0.5) is None


GONE_ON = call("B", "go_on", "stop", first=100.0)
FAILED = call("A", "first", "provider_unavailable", first=None, ms=1400.0)


@pytest.mark.parametrize(
    ("calls", "won", "waited", "lost_cost"),
    [
        ([FAILED, call("B", "hedge", "stop", first=600.0)], 1, 2000.0, 0.5),
        ([WON[0], call("B", "hedge", "cancelled", first=400.0)], 1, 1400.0, 0.5),
        ([WON[0], call("B", "hedge", "provider_incomplete", first=400.0), GONE_ON], 1, 1400.0, 0.5),
        ([call("A", "first", "stop", first=1100.0), call("B", "hedge", "provider_empty", first=None)], 0, 1100.0, 0.5),
        ([call("A", "first", "cancelled", first=None), call("B", "hedge", "cancelled", first=None)], 0, None, 1.0),
        (
            [FAILED, call("B", "hedge", "provider_unavailable", first=None), call("A", "again", "stop", first=300.0)],
            0, 1700.0, 1.0,
        ),
    ],
    ids=["saved", "won and left", "won and broken", "rival failed", "both left", "both failed"],
)
def test_a_race_is_won_by_who_gives_the_words_and_what_the_other_cost_is_lost(
    calls: list[dict[str, Any]], won: int, waited: float | None, lost_cost: float
) -> None:
    found = of(calls)
    assert (found.raced, found.won, found.lost_cost) == (1, won, lost_cost)
    assert found.waited(0.5) == found.waited(0.5, raced=True) == waited


def test_a_rival_that_came_after_the_late_one_had_failed_was_waited_for_from_when_it_was_asked() -> None:
    failed, rival = FAILED | {"askedMs": 20.0}, call("B", "hedge", "stop", first=600.0) | {"askedMs": 1020.0}
    assert of([failed, rival]).waited(0.5) == 1600.0


def test_answers_from_before_do_not_count(answers: None) -> None:
    Trace.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert figures(since=timezone.now() - timedelta(days=1)) == []


def told(*options: str) -> str:
    out = StringIO()
    call_command("hedging", *options, stdout=out)
    return out.getvalue()


def test_the_command_tells_people_and_programs(answers: None) -> None:
    assert "50.0 %" in told()
    (row,) = json.loads(told("--json"))
    assert (row["raced"], row["won"], row["p95Ms"]) == (2, 1, 1400.0)


def test_an_empty_time_is_said_to_be_empty(db: None) -> None:
    assert told("--days", "0.5") == "No answers in this time.\n"


@pytest.mark.parametrize("days", ["0", "-1", "nan", "1e9"])
def test_a_time_that_is_none_is_refused(days: str) -> None:
    with pytest.raises(CommandError):
        told("--days", days)
