"""Guests of a load test are nobody: no figure of people counts them, and all that is theirs can be taken away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from chat import kpi, load_guests, stages
from chat.alarms import RULES
from chat.kpi.dashboard import dashboard
from chat.models import Character, RolloutState, Room, Trace, User
from chat.rollout.slos import FAILURES
from chat.stages import gate
from chat.stages.changes import Order
from chat.stages.state import forget
from streaming.rollout import assignment
from tests.chat.kpi_traces import traces
from tests.people import make_room, make_user

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]
ALICE = Order("alice", "a test")


def enter(**body: Any) -> User:
    response = Client().post("/accounts/guest/", body, content_type="application/json")
    assert response.status_code == 200
    return User.objects.get(pk=response.json()["userId"])


@pytest.fixture
def nobody(db: None) -> User:
    forget()
    return enter(loadTest=True)


def assigned(user: User) -> tuple[str, str]:
    forget()
    found = assignment(user.pk, user.is_staff, is_load=user.is_load)
    return found.path, found.cohort


def test_only_who_says_so_is_nobody(nobody: User) -> None:
    assert nobody.is_load
    assert not enter().is_load
    assert not make_user("load-alice").is_load
    nobody.is_guest = False
    assert not nobody.is_load


def test_a_body_that_says_something_else_is_refused() -> None:
    response = Client().post("/accounts/guest/", {"loadTest": "yes"}, content_type="application/json")
    assert (response.status_code, response.json()["error"]["code"]) == (400, "invalid_fields")
    assert Client().post("/accounts/guest/").status_code == 200


def test_they_are_streamed_to_at_every_stage_but_none(nobody: User, settings: Any) -> None:
    assert assigned(nobody) == ("stream", "load")
    stages.rollback(ALICE, to=2)
    assert assigned(nobody) == ("stream", "load")
    stages.rollback(ALICE)
    assert assigned(nobody) == ("completed", "load")
    settings.CHAT_STREAMING_ENABLED = False
    assert assigned(nobody) == ("completed", "load")


def test_no_figure_of_people_counts_them(nobody: User) -> None:
    stages.rollback(ALICE, to=2)
    RolloutState.objects.update(since=timezone.now() - timedelta(minutes=4))
    bad = {"stage": 2, "failure": "backend_failed", "mismatched": True, "ttft_ms": 9_000.0, "completion_ms": 90_000.0}
    traces(make_room(nobody), timezone.now() - timedelta(minutes=3), [{**bad, "cohort": "load"}] * 500)
    gate.watch()
    assert gate.evidence_of(RolloutState.objects.get()).seen[FAILURES.key].stream.requests == 0
    assert stages.read().stage == 2
    assert kpi.measure(kpi.days(1, timezone.now())[0]) == []
    assert [rule.name for rule in RULES if (found := rule.read()) and found.is_broken] == []
    assert dashboard()["slowest"] == []


def test_what_is_theirs_goes_and_nothing_else(nobody: User) -> None:
    alices, theirs = make_room(make_user("alice")), make_room(nobody)
    traces(theirs, timezone.now(), [{"cohort": "load"}] * 2)
    traces(alices, timezone.now(), [{}])
    Room.objects.filter(pk=theirs.pk).update(message_count=6)
    Character.objects.update(talk_count=10)
    assert load_guests.of_rooms([theirs.pk, alices.pk]) == [nobody.pk]
    assert load_guests.of_rooms([uuid4()]) == []
    assert load_guests.delete(load_guests.guests()) == load_guests.Left(guests=1, rooms=1)
    assert list(Room.objects.values_list("pk", flat=True)) == [alices.pk]
    assert Trace.objects.count() == 1
    assert Character.objects.get().talk_count == 4
