"""What the admin's tests open: a room with one whole turn and everything it leaves behind, and the way to its pages."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat import stages
from chat.generations import Outcome, settle
from chat.messages import Request, accept_send
from chat.models import (
    AlarmIncident,
    AlarmNotice,
    Generation,
    KpiRollup,
    PeriodicJob,
    Persona,
    ProcessLease,
    Room,
    Trace,
)
from chat.stages.changes import Order
from tests.chat.answers import write_trace
from tests.people import make_room, make_route, make_user, request_id


def make_world() -> Room:
    """Alice's room, and at least one row of every kind."""
    alice = make_user("alice")
    Persona.objects.create(user=alice, name="Ally")
    make_route()
    stages.rollback(Order("bob", "to look"), to=3)
    KpiRollup.objects.create(period="day", starts_on="2026-01-01", made_at=timezone.now())
    incident = AlarmIncident.objects.create(rule="failed_sends", text="3 % failed", value=0.03, limit=0.01, worst=0.03)
    AlarmNotice.objects.create(incident=incident, is_recovery=False, receiver="webhook", next_at=timezone.now())
    PeriodicJob.objects.create(name="purge_traces", next_at=timezone.now())
    ProcessLease.objects.create(owner="process-1", expires_at=timezone.now())
    room = make_room(alice)
    answer(room)
    return room


def as_staff(client: Client) -> Client:
    """bob, who may do everything, reading English."""
    client.force_login(make_user("bob", is_staff=True, is_superuser=True))
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def answer(room: Room, text: str = "A <b>calm</b> evening.") -> Generation:
    """One whole turn with everything it leaves behind."""
    request = Request(
        user_id=room.owner_id, room_id=room.pk, request_id=request_id(), path="stream", owner="process-1"
    )
    accepted = accept_send(request, "hello")
    outcome = Outcome(status="done", text=text, last_seq=3, first_ms=12.3, total_ms=45.6, route_name="scripted")
    assert settle(accepted.message_id, 1, outcome)
    trace = Trace(
        user_id=room.owner_id, request_id=request.request_id, room=room, character=room.character,
        message_id=accepted.message_id, path="stream", marks={"accepted": 4.0, "received": 0.0, "first_chunk": 12.3},
    )
    write_trace(trace)
    return Generation.objects.get(pk=accepted.message_id)


def list_address(model: Any) -> str:
    return reverse(f"admin:chat_{model._meta.model_name}_changelist")


def page_address(row: Any) -> str:
    return reverse(f"admin:chat_{row._meta.model_name}_change", args=[row.pk])


def delete_address(row: Any) -> str:
    return reverse(f"admin:chat_{row._meta.model_name}_delete", args=[row.pk])


def errors_of(response: Any) -> str:
    return " ".join(re.findall(r'<ul class="errorlist[^>]*>(.*?)</ul>', response.content.decode(), re.DOTALL))


def found(client: Client, model: Any, **query: str) -> list[Any]:
    """The rows of the model's list under this query."""
    response = client.get(list_address(model), query)
    assert response.status_code == 200
    return list(response.context["cl"].result_list)
