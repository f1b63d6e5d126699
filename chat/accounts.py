"""Guests, members, and the step from one to the other with everything kept."""

from __future__ import annotations

import secrets
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.db import transaction
from django.http import HttpRequest

from chat.models import Generation, Persona, Room, Trace, User
from chat.models.users import LOAD_PREFIX


def create_guest(*, is_load: bool = False) -> User:
    """A user without credentials: only the session that made it can be it."""
    guest = User(username=f"{LOAD_PREFIX if is_load else 'guest-'}{secrets.token_hex(8)}", is_guest=True)
    guest.set_unusable_password()
    guest.save()
    return guest


def guest_of(request: HttpRequest) -> User | None:
    """The guest who is signed in, if it is one."""
    user = getattr(request, "user", None)
    return user if isinstance(user, User) and user.is_guest else None


@transaction.atomic
def absorb(guest: User, member: User) -> None:
    """The guest turned out to be `member`: rooms, answers and persona move over, the guest row goes."""
    if guest.pk == member.pk:
        return
    # Locked, so that a turn being accepted for the guest lands before the move or not at all.
    list(Room.objects.select_for_update().filter(owner=guest))
    Generation.objects.filter(user=guest).update(user=member)
    Trace.objects.filter(user=guest).update(user=member)
    Room.objects.filter(owner=guest).update(owner=member)
    if not Persona.objects.filter(user=member).exists():
        Persona.objects.filter(user=guest).update(user=member)
    guest.delete()


class AccountAdapter(DefaultAccountAdapter):
    """Signing up as a guest fills in that very row; signing in as a guest brings its rooms along."""

    def new_user(self, request: HttpRequest) -> Any:
        return guest_of(request) or super().new_user(request)

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        user.is_guest = False
        return super().save_user(request, user, form, commit)

    def login(self, request: HttpRequest, user: Any) -> None:
        guest = guest_of(request)
        super().login(request, user)
        if guest is not None and guest.pk != user.pk:
            absorb(guest, user)


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    def new_user(self, request: HttpRequest, sociallogin: Any) -> Any:
        return guest_of(request) or super().new_user(request, sociallogin)

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: Any) -> Any:
        user = super().populate_user(request, sociallogin, data)
        if getattr(user, "is_guest", False) and user.username.startswith("guest-"):
            # Emptied, so that allauth makes a name out of what the provider told.
            user.username = str(data.get("username") or "")
        user.is_guest = False
        return user
