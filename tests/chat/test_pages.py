"""The pages a person sees: who sees what, and what the browser finds in it."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone, translation

from chat.models import Character, Message, Persona, Room
from tests.people import make_character, make_room, make_route, make_user

pytestmark = [pytest.mark.data, pytest.mark.django_db]


@pytest.fixture
def room(db: None) -> Room:
    return make_room(make_user("alice"))


def visit(username: str | None = None, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    if username:
        client.login(username=username, password="correct horse")
    return client


def page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


def room_data(html: str) -> Any:
    found = re.search(r'<script id="room-data" type="application/json">(.*?)</script>', html)
    assert found
    return json.loads(found[1])


def test_home_shows_everybody_who_can_be_talked_to_without_signing_in() -> None:
    make_character("mina")
    Character.objects.filter(pk=make_character("hidden").pk).update(is_published=False)
    html = page(visit(), "/")
    assert "/characters/mina/" in html
    assert "/characters/hidden/" not in html
    assert "Pick up where you left off" not in html


def test_home_offers_the_owner_her_rooms_and_nobody_elses(room: Room) -> None:
    make_user("charlie")
    assert f"/rooms/{room.pk}/" in page(visit("alice"), "/")
    assert f"/rooms/{room.pk}/" not in page(visit("charlie"), "/")


def test_home_works_with_nobody_to_talk_to() -> None:
    assert "Nobody is here yet." in page(visit(), "/")


def test_the_featured_character_changes_from_day_to_day(monkeypatch: pytest.MonkeyPatch) -> None:
    for slug in ("ana", "ben"):
        make_character(slug)
    featured = set()
    for day in (1, 2):
        monkeypatch.setattr(timezone, "localdate", lambda day=day: date(2026, 1, day))
        found = re.search(r'class="whisper__card" href="/characters/(\w+)/"', page(visit(), "/"))
        assert found
        featured.add(found[1])
    assert featured == {"ana", "ben"}


def test_a_character_shows_every_greeting_to_choose_from() -> None:
    make_character()
    html = page(visit(), "/characters/mina/")
    assert html.count('type="radio" name="greeting"') == 2
    assert "You came, Traveler." in html


def test_a_character_knows_the_name_the_reader_has_given() -> None:
    make_character()
    Persona.objects.create(user=make_user("alice"), name="Ari", about="A cook.")
    html = page(visit("alice"), "/characters/mina/")
    assert 'value="Ari"' in html
    assert 'data-about="A cook."' in html


def test_a_character_who_is_not_there_is_a_page_of_its_own() -> None:
    response = visit().get("/characters/nobody/")
    assert response.status_code == 404
    assert "There is nothing to hear here." in response.content.decode()


@pytest.mark.parametrize("code", [403, 500])
def test_an_error_page_needs_nothing_of_the_request(code: int) -> None:
    with translation.override("en"):
        assert "Go home" in render_to_string(f"{code}.html")


def test_a_room_brings_its_newest_messages_along(room: Room) -> None:
    data = room_data(page(visit("alice"), f"/rooms/{room.pk}/"))
    assert data["roomId"] == str(room.pk)
    assert [message["text"] for message in data["messages"]] == ['*She looks up.* "You came, Traveler."']
    assert data["character"]["name"] == "Mina"
    assert data["messageMaxChars"] == settings.CHAT_MESSAGE_MAX_CHARS


def test_what_is_said_in_a_room_cannot_end_the_data_that_carries_it(room: Room) -> None:
    evil = "</script><script>alert(1)</script>"
    Message.objects.filter(room=room, selected=True).update(content=evil)
    html = page(visit("alice"), f"/rooms/{room.pk}/")
    assert "<script>alert(1)" not in html
    assert room_data(html)["messages"][0]["text"] == evil


def test_a_strangers_room_and_a_missing_one_look_the_same(room: Room) -> None:
    make_user("charlie")
    charlie = visit("charlie")
    answers = [charlie.get(f"/rooms/{pk}/") for pk in (room.pk, uuid4())]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


def test_a_room_asks_who_is_signed_out_to_sign_in_and_come_back(room: Room) -> None:
    response = visit().get(f"/rooms/{room.pk}/")
    assert response.status_code == 302
    assert response["Location"] == f"/accounts/login/?next=/rooms/{room.pk}/"


def test_a_room_is_never_taken_from_a_cache(room: Room) -> None:
    response = visit("alice").get(f"/rooms/{room.pk}/")
    assert "no-store" in response["Cache-Control"]


def test_the_note_about_the_packaged_model_is_there_only_when_it_answers(room: Room) -> None:
    client = visit("alice")
    assert "data-demo-note" not in page(client, f"/rooms/{room.pk}/")
    local = make_route(name="local", kind="openai", sort=90)
    assert "data-demo-note" in page(client, f"/rooms/{room.pk}/")
    make_route(name="real", kind="openai", sort=10)
    assert "data-demo-note" not in page(client, f"/rooms/{room.pk}/")
    Room.objects.filter(pk=room.pk).update(route=local)
    assert "data-demo-note" in page(client, f"/rooms/{room.pk}/")


def test_every_page_sets_the_token_that_its_scripts_send() -> None:
    make_character()
    for path in ("/", "/characters/mina/", "/profile/"):
        client = visit()
        page(client, path)
        assert client.cookies["csrftoken"].value


@pytest.mark.parametrize("path", ["/", "/characters/mina/", "/profile/", "/accounts/login/", "/accounts/signup/"])
def test_no_page_has_what_the_content_policy_forbids(path: str) -> None:
    make_character()
    html = page(visit(), path)
    assert " style=" not in html
    assert "<style" not in html
    assert not re.search(r"\son\w+=", html)
    assert not re.search(r"<script(?![^>]*\b(?:src|type=\"application/json\"))", html)


@pytest.mark.parametrize("kind", ["guest", "member"])
def test_the_profile_tells_a_guest_and_a_member_where_they_stand(kind: str) -> None:
    make_user("alice", is_guest=kind == "guest")
    html = page(visit("alice"), "/profile/")
    assert ("You are here as a guest" in html) is (kind == "guest")
    assert ("Signed in as alice." in html) is (kind == "member")


def test_the_pages_speak_the_readers_language_and_korean_by_default() -> None:
    make_character()
    assert "Who will you whisper with today?" in page(visit(language="en"), "/")
    for language in ("ko", "fr"):
        html = page(visit(language=language), "/")
        assert "오늘은 누구와 속삭일까요?" in html
        assert '<html lang="ko"' in html


@pytest.mark.parametrize(("is_guest", "said"), [(True, "Keep your conversations"), (False, "An account keeps")])
def test_signing_up_tells_a_guest_that_the_rooms_are_kept(is_guest: bool, said: str) -> None:
    client = visit()
    if is_guest:
        make_user("alice", is_guest=True)
        client.login(username="alice", password="correct horse")
    assert said in page(client, "/accounts/signup/")


def test_an_icon_is_found_where_browsers_look_for_one() -> None:
    response = visit().get("/favicon.ico")
    assert response.status_code == 301
    assert response["Location"].endswith("icons/icon.svg")
