"""Which social sign-ins are on: those whose client id and secret are in the environment. And where they lead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from environs import Env

#: Provider → the origins a sign-in is redirected through before its first page: Chrome holds the whole chain of
#: redirects after a form against the Content-Security-Policy of the page with the form.
SIGN_IN_ORIGINS: dict[str, tuple[str, ...]] = {
    "kakao": ("https://kauth.kakao.com", "https://accounts.kakao.com"),
    "naver": ("https://nid.naver.com",),
    "google": ("https://accounts.google.com",),
}
SOCIAL_PROVIDERS = tuple(SIGN_IN_ORIGINS)


def social_apps(env: Env) -> dict[str, dict[str, Any]]:
    """SOCIALACCOUNT_PROVIDERS for every provider with KAKAO_CLIENT_ID and KAKAO_CLIENT_SECRET (and so on)."""
    apps: dict[str, dict[str, Any]] = {}
    for name in SOCIAL_PROVIDERS:
        client_id = env.str(f"{name.upper()}_CLIENT_ID", "")
        if client_id:
            secret = env.str(f"{name.upper()}_CLIENT_SECRET", "")
            apps[name] = {"APPS": [{"client_id": client_id, "secret": secret, "key": ""}]}
    return apps


def sign_in_origins(names: Iterable[str]) -> list[str]:
    """For the form-action of our pages, which hold the buttons of these providers."""
    return [origin for name in names for origin in SIGN_IN_ORIGINS[name]]
