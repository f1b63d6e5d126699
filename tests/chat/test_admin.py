"""The admin: bob is staff and sees every page, charlie is not and sees none; lists are bounded and searched."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from chat.models import (
    AlarmIncident,
    AlarmNotice,
    Character,
    Generation,
    KpiRollup,
    Message,
    ModelRoute,
    OutboxJob,
    PeriodicJob,
    Persona,
    ProcessLease,
    RolloutDecision,
    RolloutState,
    Room,
    Trace,
    User,
)
from tests.chat.admin_pages import answer, as_staff, delete_address, found, list_address, make_world, page_address
from tests.people import make_room, make_user

pytestmark = [pytest.mark.data, pytest.mark.django_db]

MODELS = [
    Character, Room, Message, Generation, Trace, OutboxJob, PeriodicJob, ModelRoute, Persona, User, ProcessLease,
    RolloutDecision, RolloutState, AlarmIncident, AlarmNotice, KpiRollup,
]
READ_ONLY = [
    Message, Generation, Trace, OutboxJob, PeriodicJob, ProcessLease, RolloutDecision, AlarmIncident,
]
NAMES = [model.__name__ for model in MODELS]


@pytest.fixture
def room(db: None) -> Room:
    return make_world()


@pytest.fixture
def bob(db: None, client: Client) -> Client:
    return as_staff(client)


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_staff_open_every_list_and_every_page(bob: Client, room: Room, model: Any) -> None:
    assert bob.get(list_address(model)).status_code == 200
    row = model._default_manager.first()
    assert row is not None
    assert bob.get(page_address(row)).status_code == 200


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_who_is_not_staff_is_sent_away_from_rows_that_are_and_are_not(client: Client, room: Room, model: Any) -> None:
    client.force_login(make_user("charlie"))
    row = model._default_manager.first()
    missing = page_address(row).replace(f"/{row.pk}/", "/404/")
    for address in (list_address(model), page_address(row), missing):
        response = client.get(address)
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("admin:login"))


def test_staff_without_permissions_see_nothing(client: Client, room: Room) -> None:
    client.force_login(make_user("bob", is_staff=True))
    for model in MODELS:
        assert client.get(list_address(model)).status_code == 403


@pytest.mark.parametrize("model", READ_ONLY, ids=[model.__name__ for model in READ_ONLY])
def test_what_the_product_wrote_cannot_be_added_changed_or_deleted(bob: Client, room: Room, model: Any) -> None:
    row = model._default_manager.first()
    names = f"admin:chat_{model._meta.model_name}"
    assert bob.get(reverse(f"{names}_add")).status_code == 403
    assert bob.post(page_address(row), {"content": "forged"}).status_code == 403
    assert bob.post(delete_address(row), {"post": "yes"}).status_code == 403
    assert model._default_manager.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", [Room, Message, Generation, Trace, OutboxJob], ids=lambda model: model.__name__)
def test_a_longer_list_asks_no_more_of_the_database(bob: Client, room: Room, model: Any) -> None:
    answer(room)
    bob.get(list_address(model))
    with CaptureQueriesContext(connection) as few:
        bob.get(list_address(model))
    for _ in range(4):
        answer(room)
        make_room(room.owner)
    with CaptureQueriesContext(connection) as many:
        bob.get(list_address(model))
    assert len(many) == len(few) <= 15


def test_a_list_counts_no_further_than_its_bound(
    bob: Client, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.admin.base.ROWS_MAX", 2)
    assert Message.objects.count() > 2
    response = bob.get(list_address(Message))
    assert response.context["cl"].result_count == 2


def test_every_page_of_ours_is_registered() -> None:
    ours = {model for model in admin.site._registry if model._meta.app_label == "chat"}
    assert ours == set(MODELS)


def test_rooms_are_found_by_owner_title_and_id(bob: Client, room: Room) -> None:
    Room.objects.filter(pk=room.pk).update(title="The storm")
    other = make_room(make_user("dora"))
    assert found(bob, Room, q="alice") == [room]
    assert found(bob, Room, q="storm") == [room]
    assert found(bob, Room, q=str(other.pk)) == [other]
    assert found(bob, Room, q="nobody") == []


@pytest.mark.parametrize("model", [Generation, Trace], ids=["Generation", "Trace"])
def test_a_request_is_found_by_its_id_its_message_and_its_room(bob: Client, room: Room, model: Any) -> None:
    generation = answer(room)
    assert [row.request_id for row in found(bob, model, q=generation.request_id)] == [generation.request_id]
    assert [row.request_id for row in found(bob, model, q=str(generation.pk))] == [generation.request_id]
    assert len(found(bob, model, q=str(room.pk))) == 2
    assert found(bob, model, q="not-a-uuid") == []


def test_messages_are_found_by_id_room_status_and_role(bob: Client, room: Room) -> None:
    message = Message.objects.filter(room=room, role="user").get()
    assert found(bob, Message, q=str(message.pk)) == [message]
    assert found(bob, Message, q="some words") == []
    assert len(found(bob, Message, q=str(room.pk))) == room.messages.count()
    assert found(bob, Message, role__exact="user") == [message]
    assert found(bob, Message, status__exact="writing") == []


def test_a_rooms_page_links_to_its_messages(bob: Client, room: Room) -> None:
    page = bob.get(page_address(room)).content.decode()
    link = re.search(r'href="(/admin/chat/message/\?room__id__exact=[^"]+)"', page)
    assert link is not None
    assert bob.get(link[1]).context["cl"].result_list[0].room_id == room.pk


def test_texts_of_models_and_people_are_escaped(bob: Client, room: Room) -> None:
    message = Message.objects.filter(room=room, role="character").latest("created_at")
    page = bob.get(page_address(message)).content.decode()
    assert "A &lt;b&gt;calm&lt;/b&gt; evening." in page
    assert "<b>calm</b>" not in page


def test_a_trace_shows_its_marks_in_order_with_the_steps_between(bob: Client, room: Room) -> None:
    page = bob.get(page_address(Trace.objects.get())).content.decode()
    rows = re.findall(r'<th scope="row">(\w+)</th><td>([\d.]+)</td><td>([+-][\d.]+)</td></tr>', page)
    assert rows == [("received", "0.0", "+0.0"), ("accepted", "4.0", "+4.0"), ("first_chunk", "12.3", "+8.3")]


def test_each_mark_is_told_once_and_what_was_written_can_be_opened(bob: Client, room: Room) -> None:
    Trace.objects.update(marks={"received": 0.0, "first_frame": 9.5}, client_marks={"click": 0.0, "first_paint": 15.25})
    shown, _, folded = bob.get(page_address(Trace.objects.get())).content.decode().partition("<details>")
    for mark in ("received", "first_frame", "click", "first_paint"):
        assert shown.count(f">{mark}<") == 1
        assert f"&quot;{mark}&quot;: " in folded


@pytest.mark.parametrize(("value", "said"), [(True, "yes"), (False, "no")])
def test_yes_and_no_are_words_since_no_may_be_the_good_one(bob: Client, room: Room, value: bool, said: str) -> None:
    Trace.objects.update(mismatched=value)
    RolloutState.objects.update(is_held=value)
    page, listed = bob.get(page_address(Trace.objects.get())), bob.get(list_address(RolloutState), {"o": "3"})
    assert re.search(rf'field-mismatched.*?readonly">{said}<', page.content.decode(), re.DOTALL)
    assert re.search(rf'field-is_held[^>]*>{said}<', listed.content.decode())


def test_what_may_only_be_looked_at_says_yes_and_no_too(client: Client, room: Room) -> None:
    viewer = make_user("vera", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_modelroute"))
    client.force_login(viewer)
    for address in (list_address(ModelRoute), page_address(ModelRoute.objects.get())):
        page = client.get(address).content.decode()
        assert "field-is_enabled" in page
        assert "icon-no" not in page
        assert "icon-yes" not in page


def test_a_trace_shows_every_request_to_a_model_with_its_price(bob: Client, room: Room) -> None:
    lost = {"route": "<A>", "why": "first", "outcome": "lost", "firstMs": None, "cost": 0.001, "isCounted": False}
    won = {"route": "B", "why": "hedge", "outcome": "stop", "firstMs": 300.5, "cost": 0.002, "isCounted": True}
    won |= {"askedMs": 1203.5}
    Trace.objects.update(calls=[lost, won])
    page = bob.get(page_address(Trace.objects.get())).content.decode()
    assert "<td>&lt;A&gt;</td>" in page
    assert "<td>0.001000 (estimated)</td>" in page
    assert "<td>1203.5</td><td>300.5</td>" in page
    assert "<td>0.002000</td>" in page


@pytest.mark.parametrize(
    ("counted", "shown", "new"),
    [((493, 433, 8), "433 + 60 / 8", "60"), ((9, 0, 1), "0 + 9 / 1", "9"), ((9, None, 1), "– + 9 / 1", "9")],
)
def test_an_answers_prompt_is_told_by_what_was_cached_and_what_was_read(
    bob: Client, room: Room, counted: tuple[int | None, ...], shown: str, new: str
) -> None:
    fields = dict(zip(("prompt_tokens", "cached_tokens", "completion_tokens"), counted, strict=True))
    Generation.objects.update(**fields)
    Trace.objects.update(calls=[{"route": "A", "promptTokens": counted[0], "cachedTokens": counted[1], "cost": 0.0}])
    assert f">{shown}</td>" in bob.get(list_address(Generation)).content.decode()
    page = bob.get(page_address(Generation.objects.get())).content.decode()
    assert re.search(rf"not cached.*?readonly[^>]*>{new}<", page, re.DOTALL)
    trace = bob.get(page_address(Trace.objects.get())).content.decode()
    assert f"<td>{counted[0]}</td><td>{'–' if counted[1] is None else counted[1]}</td>" in trace


def test_marks_that_are_no_numbers_are_left_out(bob: Client, room: Room) -> None:
    Trace.objects.update(marks=["odd"], client_marks={"click": "now", "end_seen": 3})
    page = bob.get(page_address(Trace.objects.get())).content.decode()
    assert '<th scope="row">end_seen</th>' in page
    assert '<th scope="row">click</th>' not in page
