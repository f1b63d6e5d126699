"""The first administrator: made once, with a password made once and shown once."""

from __future__ import annotations

import secrets

from chat.models import User

USERNAME = "admin"
PASSWORD_BYTES = 12


def create_first_administrator() -> tuple[str, str] | None:
    """(username, password) of the one just made; None when there is one already."""
    if User.objects.filter(is_superuser=True).exists():
        return None
    username = USERNAME
    while User.objects.filter(username=username).exists():
        username = f"{USERNAME}-{secrets.token_hex(2)}"
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    User.objects.create_superuser(username, password=password)
    return username, password
