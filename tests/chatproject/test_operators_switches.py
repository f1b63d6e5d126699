"""What an operator turns in one process is seen by the others; who stands behind a proxy is not the proxy."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from django.test import Client
from waffle.models import Switch

from chat.stages.words import SWITCH
from streaming import remembered
from streaming.rollout import assignment
from tests.live import LiveServer
from tests.waiting import wait_until


@pytest.mark.data
@pytest.mark.django_db
def test_a_switch_turned_by_another_process_is_seen_within_seconds(settings: Any) -> None:
    settings.ROUTES_CACHE_SECONDS = 60.0
    remembered.forget()
    Switch.objects.create(name=SWITCH, active=True)
    assert assignment(1, is_staff=False).path == "stream"
    # Another process's save: it cannot reach what this one remembers.
    Switch.objects.filter(name=SWITCH).update(active=False)
    assert assignment(1, is_staff=False).path == "stream"
    later = time.monotonic() + settings.ROUTES_CACHE_SECONDS
    with patch("streaming.remembered.time.monotonic", lambda: later):
        assert assignment(1, is_staff=False).path == "completed"
    remembered.forget()


@pytest.mark.data
@pytest.mark.django_db(transaction=True)
def test_guests_behind_a_proxy_are_told_apart_and_cannot_name_themselves(settings: Any) -> None:
    settings.CHAT_GUESTS_PER_HOUR = 1
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1

    def come_in(forwarded: str) -> int:
        client = Client(REMOTE_ADDR="127.0.0.1", headers={"x-forwarded-for": forwarded})
        return client.post("/accounts/guest/", {}, content_type="application/json").status_code

    assert [come_in("203.0.113.1"), come_in("203.0.113.2")] == [200, 200]
    assert come_in("198.51.100.9, 203.0.113.1") == 429


def test_metrics_are_not_for_whoever_comes_through_a_proxy(settings: Any, client: Client) -> None:
    settings.BEHIND_PROXY = True
    assert client.get("/metrics", REMOTE_ADDR="127.0.0.1").status_code == 404
    settings.BEHIND_PROXY = False
    assert client.get("/metrics", REMOTE_ADDR="127.0.0.1").status_code == 200
    for header in ("x-forwarded-for", "x-real-ip", "forwarded", "via"):
        assert client.get("/metrics", REMOTE_ADDR="127.0.0.1", headers={header: "10.0.0.1"}).status_code == 404
    settings.METRICS_TOKEN = "let me see"
    settings.BEHIND_PROXY = True
    assert client.get("/metrics", headers={"authorization": "Bearer let me see"}).status_code == 200


@pytest.mark.slow
def test_daphnes_own_command_starts_and_stops_the_engine(real_server: Callable[..., LiveServer]) -> None:
    live = real_server(server="plain daphne")
    wait_until(lambda: "engine_started" in live.log_text(), "the engine to start")
    live.terminate()
    assert "engine_stopped" in live.log_text()
    assert "never awaited" not in live.log_text()
