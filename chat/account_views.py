"""Doors of accounts that allauth does not have: coming in as a guest, and who one is in the story."""

from __future__ import annotations

from typing import Any

import msgspec
from allauth.account.adapter import get_adapter
from asgiref.sync import sync_to_async
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from chat import rates
from chat.accounts import create_guest
from chat.api import body_of, decoded, json_view
from chat.errors import BadCommand
from chat.models import Persona
from chat.texts import clean_text


class GuestBody(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """`load_test`: nobody comes in, but a program that measures; its figures are not those of people."""

    load_test: bool = False


@json_view("POST", signed_in=False)
async def guest(request: HttpRequest) -> HttpResponseBase:
    """Sign in without an account; who is signed in already stays who they are."""
    user: Any = await request.auser()
    # Whoever sends no JSON is a guest like any other.
    is_told = request.content_type == "application/json"
    wanted = decoded(body_of(request) or b"{}", GuestBody) if is_told else GuestBody()
    if not user.is_authenticated:
        rates.take_guest(get_adapter(request).get_client_ip(request))
        user = await sync_to_async(_sign_in)(request, wanted.load_test)
    return JsonResponse({"userId": user.pk})


def _sign_in(request: HttpRequest, is_load: bool) -> Any:
    user = create_guest(is_load=is_load)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return user


class PersonaBody(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    about: str = ""


@json_view("POST")
async def persona(request: HttpRequest) -> HttpResponseBase:
    """Name (1–24 characters) and a few words about oneself (300 at most), for rooms made from now on."""
    wanted = decoded(body_of(request), PersonaBody)
    name = clean_text(" ".join(wanted.name.split()))
    about = clean_text(wanted.about).strip() if wanted.about.strip() else ""
    if len(name) > 24 or len(about) > 300:
        raise BadCommand("text_too_long", "The name holds 24 characters, the description 300.")
    user: Any = await request.auser()
    await Persona.objects.aupdate_or_create(user=user, defaults={"name": name, "about": about})
    return JsonResponse({"name": name, "about": about})
