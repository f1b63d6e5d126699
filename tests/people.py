"""The standing cast: alice owns, bob is staff, charlie must see nothing. And a room to talk in."""

from __future__ import annotations

import itertools
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from chat import rooms
from chat.models import Card, Character, ModelRoute, Room, User

_numbers = itertools.count(1)

CARD = {
    "spec": "chara_card_v2",
    "data": {
        "name": "Mina",
        "description": "{{char}} keeps a lighthouse.",
        "personality": "calm",
        "scenario": "A storm is coming.",
        "first_mes": '*She looks up.* "You came, {{user}}."',
        "alternate_greetings": ['"The lamp is lit."'],
        "mes_example": "",
        "extensions": {"soksak": {"tagline": "She waits.", "intro": "A keeper."}, "other": {"kept": True}},
    },
}


def make_user(name: str, **fields: Any) -> User:
    return User.objects.create_user(username=name, password="correct horse", **fields)


def make_character(slug: str = "mina") -> Character:
    character, _ = Character.objects.get_or_create(slug=slug, defaults={"portrait": "portraits/mina.svg"})
    Card.objects.get_or_create(character=character, language="en", defaults={"raw": CARD})
    return character


def make_room(owner: User) -> Room:
    make_character()
    return rooms.create_room(user=owner, character_slug="mina", greeting=0, language="en")


def make_route(**fields: Any) -> ModelRoute:
    """A scripted way to a model; `options` is its script."""
    defaults: dict[str, Any] = {"name": "scripted", "kind": "scripted", "model": "scripted", "sort": 1}
    return ModelRoute.objects.create(**{**defaults, **fields})


def sign_in(user: User) -> str:
    """A session of this user; returns its key."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    assert session.session_key
    return session.session_key


def request_id() -> str:
    return f"request-{next(_numbers):06d}"
