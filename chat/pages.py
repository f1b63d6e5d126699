"""The pages a person sees. Gathers what a page shows; what may be done on it is the API's business."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.templatetags.static import static
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from chat import excerpts, history, rooms
from chat.errors import NotFound, NotSignedIn
from chat.models import Persona, Room
from chat.routes import LOCAL_ROUTE

#: Rooms on the home page's strip.
STRIP_ROOMS = 20


@require_safe
@ensure_csrf_cookie
def home(request: HttpRequest) -> HttpResponse:
    characters = rooms.list_characters(_language())
    recent = rooms.list_rooms(request.user, limit=STRIP_ROOMS)
    for room in recent:
        room["excerpt"] = excerpts.plain(room["lastText"])
    return render(
        request, "chat/home.html", {"characters": characters, "rooms": recent, "featured": _featured(characters)}
    )


def _featured(characters: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The day's character, another one every day, with the words that open their story."""
    able = [character for character in characters if character["greetings"]]
    if not able:
        return None
    chosen = able[timezone.localdate().toordinal() % len(able)]
    return {**chosen, "opening": excerpts.opening_line(chosen["greetings"][0])}


@require_safe
@ensure_csrf_cookie
def character(request: HttpRequest, slug: str) -> HttpResponse:
    shown = next((c for c in rooms.list_characters(_language()) if c["characterId"] == slug), None)
    if shown is None:
        raise Http404
    return render(request, "chat/character.html", {"character": shown, "persona": _persona(request)})


@require_safe
@never_cache
@ensure_csrf_cookie
def room(request: HttpRequest, room_id: UUID) -> HttpResponse:
    try:
        opened = rooms.get_room_for(request.user, room_id)
    except NotSignedIn:
        return redirect_to_login(request.get_full_path())
    except NotFound as error:
        raise Http404 from error
    about = _character_of(opened)
    data = {
        **history.load_page(opened),
        "character": about,
        "personaName": opened.persona_name,
        "messageMaxChars": settings.CHAT_MESSAGE_MAX_CHARS,
    }
    return render(
        request,
        "chat/room.html",
        {"room": opened, "character": about, "room_data": data, "demo_model": _is_demo(opened)},
    )


def _character_of(opened: Room) -> dict[str, Any]:
    """Who the room's story is with; also when they are no longer published."""
    cards = {card.language: card for card in opened.character.cards.all()}
    card = cards.get(opened.language) or next(iter(cards.values()), None)
    return {
        "characterId": opened.character.slug,
        "name": card.name if card else opened.character.slug,
        "tagline": card.tagline if card else "",
        "tags": card.tags if card else [],
        "portrait": rooms.portrait_url(opened.character.portrait),
        "accent": opened.character.accent,
    }


def _is_demo(opened: Room) -> bool:
    """Whether the packaged small model is what answers here."""
    route = opened.first_route
    return route is not None and route.name == LOCAL_ROUTE["name"]


@require_safe
@never_cache
@ensure_csrf_cookie
def profile(request: HttpRequest) -> HttpResponse:
    return render(request, "chat/profile.html", {"persona": _persona(request)})


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask here on pages that name no icon, such as the admin's."""
    return HttpResponsePermanentRedirect(static("icons/icon.svg"))


def _persona(request: HttpRequest) -> Persona | None:
    if not request.user.is_authenticated:
        return None
    return Persona.objects.filter(user_id=request.user.pk).first()


def _language() -> str:
    return get_language() or settings.LANGUAGE_CODE
