"""Social sign-ins: a form may lead to the providers that are switched on, and nowhere else."""

from __future__ import annotations

import runpy
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter
from django.conf import settings
from django.test import Client

from chatproject.social import SIGN_IN_ORIGINS, SOCIAL_PROVIDERS, sign_in_origins

SETTINGS = Path(__file__).resolve().parents[2] / "chatproject" / "settings.py"


def form_action(monkeypatch: pytest.MonkeyPatch, *switched_on: str) -> list[str]:
    """The policy's form-action in a process with these providers' credentials in its environment."""
    for name in SOCIAL_PROVIDERS:
        monkeypatch.delenv(f"{name.upper()}_CLIENT_ID", raising=False)
    for name in switched_on:
        monkeypatch.setenv(f"{name.upper()}_CLIENT_ID", "an-id")
    policy: dict[str, Any] = runpy.run_path(str(SETTINGS))["CONTENT_SECURITY_POLICY"]
    targets: list[str] = policy["DIRECTIVES"]["form-action"]
    return targets


def test_without_providers_a_form_leads_to_this_site_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert form_action(monkeypatch) == ["'self'"]


@pytest.mark.parametrize("name", SOCIAL_PROVIDERS)
def test_a_form_may_lead_to_the_provider_that_is_on_and_to_no_other(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert form_action(monkeypatch, name) == ["'self'", *SIGN_IN_ORIGINS[name]]


def test_every_provider_that_is_on_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = ["'self'", *sign_in_origins(SOCIAL_PROVIDERS)]
    assert form_action(monkeypatch, *SOCIAL_PROVIDERS) == expected


@pytest.mark.parametrize("name", SOCIAL_PROVIDERS)
def test_where_the_library_sends_a_sign_in_is_allowed(name: str) -> None:
    views = import_module(f"allauth.socialaccount.providers.{name}.views")
    adapters: list[Any] = [
        value for value in vars(views).values()
        if isinstance(value, type) and issubclass(value, OAuth2Adapter) and value is not OAuth2Adapter
    ]
    assert len(adapters) == 1
    target = urlsplit(adapters[0].authorize_url)
    assert f"{target.scheme}://{target.netloc}" in SIGN_IN_ORIGINS[name]


@pytest.mark.django_db
def test_the_sign_in_page_says_so_to_the_browser(client: Client) -> None:
    policy = client.get("/accounts/login/").headers["Content-Security-Policy"]
    told = {name: targets for name, *targets in (part.split() for part in policy.split(";"))}
    assert told["form-action"] == ["'self'", *sign_in_origins(settings.SOCIALACCOUNT_PROVIDERS)]
