"""Guests come in without an account, become members in place, and lose nothing on the way."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory

from chat.accounts import SocialAccountAdapter, absorb, create_guest
from chat.models import Persona, Room, User
from tests.people import make_room, make_user

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]

PASSWORD = "a rather long phrase 42"


@pytest.fixture
def guest_client(client: Client) -> Client:
    assert client.post("/accounts/guest/", {}, content_type="application/json").status_code == 200
    return client


def the_guest() -> User:
    return User.objects.get(is_guest=True)


def test_a_guest_is_signed_in_without_credentials(guest_client: Client) -> None:
    assert guest_client.get("/chat/rooms").json() == {"rooms": []}
    assert not the_guest().has_usable_password()


def test_coming_in_twice_is_the_same_guest(guest_client: Client) -> None:
    again = guest_client.post("/accounts/guest/", {}, content_type="application/json")
    assert again.json() == {"userId": the_guest().pk}


def test_guests_from_one_address_are_bounded(settings: Any) -> None:
    settings.CHAT_GUESTS_PER_HOUR = 1
    first = Client(REMOTE_ADDR="10.9.8.7").post("/accounts/guest/", {}, content_type="application/json")
    second = Client(REMOTE_ADDR="10.9.8.7").post("/accounts/guest/", {}, content_type="application/json")
    assert (first.status_code, second.status_code) == (200, 429)


def test_signing_up_turns_the_guest_into_a_member_with_everything_kept(guest_client: Client) -> None:
    guest = the_guest()
    room = make_room(guest)
    response = guest_client.post(
        "/accounts/signup/", {"username": "alice", "email": "alice@example.com", "password1": PASSWORD}
    )
    assert response.status_code == 302
    alice = User.objects.get(username="alice")
    assert (alice.pk, alice.is_guest, alice.check_password(PASSWORD)) == (guest.pk, False, True)
    assert Room.objects.get(pk=room.pk).owner_id == alice.pk
    assert [entry["roomId"] for entry in guest_client.get("/chat/rooms").json()["rooms"]] == [str(room.pk)]


def test_a_failed_sign_up_leaves_the_guest_a_guest(guest_client: Client) -> None:
    guest_client.post("/accounts/signup/", {"username": "alice", "password1": "short"})
    assert the_guest().username.startswith("guest-")


def test_signing_in_as_a_guest_brings_the_rooms_along(guest_client: Client) -> None:
    alice = make_user("alice", email="alice@example.com")
    EmailAddress.objects.create(user=alice, email="alice@example.com", verified=True, primary=True)
    room = make_room(the_guest())
    response = guest_client.post("/accounts/login/", {"login": "alice", "password": "correct horse"})
    assert response.status_code == 302
    assert Room.objects.get(pk=room.pk).owner_id == alice.pk
    assert not User.objects.filter(is_guest=True).exists()


def test_a_member_keeps_their_own_persona_when_a_guest_is_absorbed() -> None:
    alice, guest = make_user("alice"), create_guest()
    Persona.objects.create(user=alice, name="Ari")
    Persona.objects.create(user=guest, name="Nobody")
    absorb(guest, alice)
    assert Persona.objects.get().name == "Ari"


def test_a_social_sign_up_fills_in_the_guests_own_row() -> None:
    guest = create_guest()
    request = RequestFactory().get("/")
    request.user = guest
    adapter = SocialAccountAdapter()
    user = adapter.new_user(request, SocialLogin(account=SocialAccount(provider="kakao", uid="7")))
    login = SocialLogin(user=user, account=SocialAccount(provider="kakao", uid="7"))
    populated = adapter.populate_user(request, login, {"username": "haneul", "email": "h@example.com"})
    assert (populated.pk, populated.username, populated.is_guest) == (guest.pk, "haneul", False)


def test_a_stranger_gets_a_new_row_at_social_sign_up() -> None:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    assert SocialAccountAdapter().new_user(request, SocialLogin()).pk is None


def test_a_persona_is_kept_and_bounded(guest_client: Client) -> None:
    def send(**body: str) -> Any:
        return guest_client.post("/accounts/persona/", body, content_type="application/json")

    assert send(name="  Ari   Kim ", about="A sailor.").json() == {"name": "Ari Kim", "about": "A sailor."}
    assert send(name=" ").json()["error"]["code"] == "text_empty"
    assert send(name="x" * 25).json()["error"]["code"] == "text_too_long"
    assert send(name="Ari", colour="red").json()["error"]["code"] == "invalid_fields"
    assert Persona.objects.get().name == "Ari Kim"
