"""Each check has its id, a hint, and silence when all is well."""

from __future__ import annotations

import pytest
from django.core.checks import CheckMessage, run_checks
from pytest_django import Settings

from chatproject.checks import MORE_THAN_ZERO, ZERO_OR_MORE


def ours(messages: list[CheckMessage]) -> list[str]:
    found = [message for message in messages if str(message.id).startswith("chatproject.")]
    assert all(message.hint for message in found)
    return [str(message.id) for message in found]


def test_the_embedded_default_is_clean() -> None:
    assert ours(run_checks()) == []


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"PROVIDER_MODEL": "m"}, "chatproject.E001"),
        ({"PROVIDER_BASE_URL": "example.org", "PROVIDER_MODEL": "m"}, "chatproject.E001"),
        ({"PROVIDER_BASE_URL": "https://models.example.org/v1", "PROVIDER_MODEL": "m"}, "chatproject.W002"),
        (
            {
                "OPENAI_API_KEY": "k", "PROVIDER_BASE_URL": "https://api.openai.com/v1/", "PROVIDER_API_KEY": "k",
                "PROVIDER_MODEL": "gpt-4.1-mini",
            },
            "chatproject.W006",
        ),
        (
            {"OPENAI_API_KEY": "k", "PROVIDER_BASE_URL": "HTTPS://API.openai.com/v1", "PROVIDER_API_KEY": "k",
             "PROVIDER_MODEL": "gpt-4.1-mini"},
            "chatproject.W006",
        ),
    ],
)
def test_a_half_configured_route_is_named(
    environ: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert ours(run_checks()) == [expected]


def test_a_scripted_provider_for_the_public_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setenv("PROVIDER_KIND", "scripted")
    assert ours(run_checks()) == []
    settings.SITE_URL, settings.IS_HTTPS = "https://soksak.example.org", True
    assert ours(run_checks()) == ["chatproject.W001"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SITE_URL", "http://soksak.example.org", "chatproject.W003"),
        ("STREAM_LEASE_SECONDS", 1.0, "chatproject.E002"),
        ("STREAM_WINDOW_EVENTS", 2, "chatproject.E003"),
        ("PROVIDER_TOTAL_SECONDS", 5.0, "chatproject.E004"),
        ("PROVIDER_TOTAL_SECONDS", float("inf"), "chatproject.E008"),
        ("PROVIDER_FIRST_CONTENT_SECONDS", float("nan"), "chatproject.E008"),
        ("PROVIDER_GAP_SECONDS", 0.0, "chatproject.E008"),
        ("PROVIDER_GAP_SECONDS", -3.0, "chatproject.E008"),
        ("HEDGE_BUDGET_PERCENT", -1.0, "chatproject.E005"),
        ("HEDGE_QUANTILE", 1.0, "chatproject.E005"),
        ("ADMISSION_MAX_CALLS", -1, "chatproject.E006"),
        ("ADMISSION_WAIT_SECONDS", 0.0, "chatproject.E006"),
        *((name, value, "chatproject.E009") for name in MORE_THAN_ZERO for value in (0.0, -1.0)),
        *((name, -0.5, "chatproject.E009") for name in ZERO_OR_MORE),
    ],
)
def test_a_setting_that_would_fail_later_is_named(
    name: str, value: object, expected: str, settings: Settings
) -> None:
    setattr(settings, name, value)
    assert ours(run_checks()) == [expected]


def test_no_time_at_all_is_allowed_where_nothing_is_repeated(settings: Settings) -> None:
    for name in ZERO_OR_MORE:
        setattr(settings, name, 0.0)
    assert ours(run_checks()) == []


def test_redis_without_a_database_server_is_half_of_production(settings: Settings) -> None:
    settings.REDIS_URL, settings.DATABASE_IS_SQLITE = "redis://127.0.0.1:1/0", True
    assert ours(run_checks(databases=["default"], tags=["database"])) == ["chatproject.W004"]
