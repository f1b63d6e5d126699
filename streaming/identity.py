"""Who is at the other end of a socket: read from the session, again and again, never from memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.models import Session
from django.http import parse_cookie
from django.utils import timezone

from chat.accept_statements import Guard
from chat.errors import NotSignedIn
from chat.models import User
from chat.statements import Rows, tell


@dataclass(frozen=True, slots=True)
class Identity:
    """A signed-in user as a value.

    With a `session_key` it may be old and is checked again at every turn; without one, whoever made it
    has just checked. `password` is the stored hash: when it changes, other sessions end.
    """

    user_id: int
    is_staff: bool
    is_load: bool
    session_key: str = ""
    password: str = field(default="", repr=False)


def session_key_of(headers: list[tuple[bytes, bytes]]) -> str:
    """The session cookie of a handshake, or an empty string."""
    for name, value in headers:
        if name == b"cookie":
            return parse_cookie(value.decode("latin-1")).get(settings.SESSION_COOKIE_NAME, "")
    return ""


def load_user(session_key: str) -> User:
    """The session's user, if the session lives and its password has not changed. Raises NotSignedIn."""
    store = import_module(settings.SESSION_ENGINE).SessionStore(session_key or None)
    request: Any = SimpleNamespace(session=store)
    user = get_user(request)
    if not isinstance(user, User) or not user.is_active:
        raise NotSignedIn("session_expired", "The session has ended; sign in again.")
    return user


def identity_of(user: User, session_key: str = "") -> Identity:
    return Identity(user.pk, user.is_staff, user.is_load, session_key, user.password)


def recheck(identity: Identity) -> None:
    """Is this session still that user's? Raises NotSignedIn."""
    guard = guard_of(identity)
    if guard is not None:
        guard.check(tell(guard.statement)[0].rows)


def guard_of(identity: Identity) -> Guard | None:
    """The same question, to be asked together with others; None: it was answered a moment ago."""
    if not identity.session_key:
        return None

    values = [identity.user_id, identity.password, identity.session_key, timezone.now()]
    return Guard((_STILL_SIGNED_IN, values), _require_one)


def _require_one(rows: Rows) -> None:
    if not rows:
        raise NotSignedIn("session_expired", "The session has ended; sign in again.")


_STILL_SIGNED_IN = (
    f"SELECT 1 FROM {User._meta.db_table} u, {Session._meta.db_table} s "  # noqa: S608 - our own names
    "WHERE u.id = %s AND u.password = %s AND u.is_active AND s.session_key = %s AND s.expire_date > %s"
)
