"""Who may enter: the only way to get a Room, and the lists a person chooses from."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Exists, OuterRef, Subquery
from django.templatetags.static import static

from chat.errors import BadCommand, NotFound, NotSignedIn
from chat.macros import resolve
from chat.models import Card, Character, Generation, Message, Persona, Room, User
from chat.prompts import CURRENT_VERSION, render_head
from chat.tokens import count_tokens

STAND_IN_PORTRAIT = "portraits/stand-in.svg"
DEFAULT_NAMES = {"ko": "나그네", "en": "Traveler"}


def get_room_for(user: User | AnonymousUser, room_id: UUID | str) -> Room:
    """The room, if `user` owns it. Missing and forbidden raise the same NotFound."""
    if not user.is_authenticated:
        raise NotSignedIn("not_signed_in", "Sign in, or start as a guest.")
    room = Room.objects.select_related("character").filter(pk=room_id, owner_id=user.pk).first()
    if room is None:
        raise NotFound("room_not_found", "There is no such room.")
    return room


@transaction.atomic
def create_room(*, user: User, character_slug: str, greeting: int, language: str) -> Room:
    """A new story with the character: head rendered and macros resolved once, greetings as variants."""
    card = _card(character_slug, language)
    persona = Persona.objects.filter(user=user).first()
    persona_name = persona.name if persona else DEFAULT_NAMES.get(card.language, DEFAULT_NAMES["en"])
    room_id = uuid4()
    head = render_head(
        card.data, persona_name=persona_name, persona_about=persona.about if persona else "",
        language=card.language, seed=room_id.int, version=CURRENT_VERSION,
    )
    room = Room.objects.create(
        id=room_id, owner=user, character=card.character, language=card.language, persona_name=persona_name,
        prompt_version=CURRENT_VERSION, prompt_head=head.text, prompt_head_tokens=head.tokens,
        next_position=1 if card.greetings else 0,
    )
    _write_greetings(room, card, greeting)
    return room


def _write_greetings(room: Room, card: Card, chosen: int) -> None:
    if card.greetings and not 0 <= chosen < len(card.greetings):
        raise BadCommand("invalid_fields", f"There are {len(card.greetings)} greetings.")
    for index, text in enumerate(card.greetings):
        content = resolve(text, user=room.persona_name, char=card.name, seed=room.id.int)
        Message.objects.create(
            room=room, role=Message.Role.CHARACTER, position=0, content=content,
            tokens=count_tokens(content), selected=index == chosen,
        )


def _card(slug: str, language: str) -> Card:
    """The card in the asked language, or in any the character speaks."""
    cards = Card.objects.select_related("character").filter(character__slug=slug, character__is_published=True)
    card = cards.filter(language=language).first() or cards.first()
    if card is None:
        raise NotFound("character_not_found", "There is no such character.")
    return card


def list_characters(language: str) -> list[dict[str, Any]]:
    """Published characters as `GET /chat/characters` shows them, in `language` where there is a card."""
    characters = Character.objects.filter(is_published=True).prefetch_related("cards")
    return [_character_view(character, card) for character in characters if (card := _speaks(character, language))]


def _speaks(character: Character, language: str) -> Card | None:
    cards = {card.language: card for card in character.cards.all()}
    return cards.get(language) or next(iter(cards.values()), None)


def _character_view(character: Character, card: Card) -> dict[str, Any]:
    # Nobody is known yet: greetings are shown with the name a stranger gets.
    user = DEFAULT_NAMES.get(card.language, DEFAULT_NAMES["en"])
    return {
        "characterId": character.slug,
        "name": card.name,
        "tagline": card.tagline,
        "intro": card.intro,
        "tags": card.tags,
        "portrait": portrait_url(character.portrait),
        "accent": character.accent,
        "greetings": [resolve(text, user=user, char=card.name, seed=0) for text in card.greetings],
        "talkCount": character.talk_count,
    }


def portrait_url(path: str) -> str:
    """The address of a portrait below the static root; the stand-in's when an operator named none that exists."""
    try:
        return static(path)
    except ValueError:
        return static(STAND_IN_PORTRAIT)


def heads(room_ids: Collection[UUID]) -> dict[UUID, int]:
    """Which command each room has seen last."""
    return dict(Room.objects.filter(pk__in=room_ids).values_list("pk", "head"))


def list_rooms(user: User | AnonymousUser, *, limit: int = 50) -> list[dict[str, Any]]:
    """The user's rooms as `GET /chat/rooms` shows them, newest activity first."""
    if not user.is_authenticated:
        return []
    last = Message.objects.filter(room=OuterRef("pk"), selected=True, deleted_at=None).order_by("-position")
    running = Generation.objects.filter(room=OuterRef("pk"), status=Generation.Status.RUNNING)
    rooms = (
        Room.objects.filter(owner_id=user.pk)
        .select_related("character")
        .prefetch_related("character__cards")
        .annotate(last_text=Subquery(last.exclude(content="").values("content")[:1]), is_running=Exists(running))
    )
    return [_room_view(room) for room in rooms[:limit]]


def _room_view(room: Any) -> dict[str, Any]:
    card = _speaks(room.character, room.language)
    return {
        "roomId": str(room.id),
        "title": room.title,
        "characterId": room.character.slug,
        "name": card.name if card else room.character.slug,
        "portrait": portrait_url(room.character.portrait),
        "accent": room.character.accent,
        "lastText": " ".join((room.last_text or "").split())[:120],
        "activeAt": room.active_at.isoformat(),
        "running": room.is_running,
    }
