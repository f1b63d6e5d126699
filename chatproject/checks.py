"""System checks: a configuration that would fail later says so at the start, with what to do about it."""

from __future__ import annotations

import ipaddress
import os
from collections import Counter
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from chat.routes import RouteError, routes_from

#: A lease is renewed three times in its life; a busy second must not cost a process its answers.
SHORTEST_LEASE_SECONDS = 2.0
#: Readers acknowledge every third of the window.
SMALLEST_WINDOW_EVENTS = 4
#: Something is done each time they have gone by, or may be late by so much.
MORE_THAN_ZERO = (
    "OUTBOX_POLL_SECONDS", "OUTBOX_LEASE_SECONDS", "OUTBOX_SWEEP_SECONDS", "STREAM_HEARTBEAT_SECONDS",
    "STREAM_CHECKPOINT_SECONDS", "STREAM_SLOW_READER_SECONDS", "STREAM_SESSION_RECHECK_SECONDS",
)
ZERO_OR_MORE = (
    "OUTBOX_GATHER_SECONDS", "OUTBOX_HOLD_SECONDS", "STREAM_TICK_SECONDS", "STREAM_DRAIN_SECONDS",
    "ROUTES_CACHE_SECONDS",
)
#: What spans are made and sent with; not in the lock, for most sites send none.
EXPORTER = ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http")


@register()
def check_routes(**kwargs: Any) -> list[CheckMessage]:
    try:
        routes = routes_from(os.environ, local_model_url=settings.LOCAL_MODEL_URL)
    except RouteError as error:
        return [Error(str(error), hint="Set it, or unset the others of its family.", id="chatproject.E001")]
    messages: list[CheckMessage] = []
    ways = Counter((route["kind"], route["base_url"], route["model"]) for route in routes if route["base_url"])
    for (_, base_url, model), count in ways.items():
        if count > 1:
            hint = "A fallback to the same helps nobody: unset one of the families, or name another model."
            messages.append(Warning(f"{count} routes ask {model} at {base_url}.", hint=hint, id="chatproject.W006"))
    for route in routes:
        name = route["name"].upper()
        if route["kind"] == "scripted" and not settings.DEBUG and not is_local(settings.SITE_URL):
            hint = f"Unset {name}_KIND and name a real model."
            messages.append(Warning("A scripted provider answers the public.", hint=hint, id="chatproject.W001"))
        elif name != "LOCAL" and route["base_url"] and not route["api_key_env"] and not is_local(route["base_url"]):
            hint = f"Set {name}_API_KEY in the environment of every server process."
            messages.append(Warning(f"{name}_BASE_URL is used without a key.", hint=hint, id="chatproject.W002"))
    return messages


@register(Tags.security)
def check_site_url(**kwargs: Any) -> list[CheckMessage]:
    """Not a deploy check: plain http beyond this machine is wrong from the first day."""
    if settings.IS_HTTPS or is_local(settings.SITE_URL):
        return []
    hint = "Put a proxy with TLS before it and set SITE_URL=https://… and BEHIND_PROXY=1."
    return [Warning(f"{settings.SITE_URL} sends sessions in the clear.", hint=hint, id="chatproject.W003")]


@register(Tags.database)
def check_halves(**kwargs: Any) -> list[CheckMessage]:
    """DATABASE_URL and REDIS_URL decide between the embedded default and production: both or neither."""
    if settings.REDIS_URL and settings.DATABASE_IS_SQLITE:
        hint = "Set DATABASE_URL to a PostgreSQL, or unset REDIS_URL."
        return [Warning("REDIS_URL is set, but the database is SQLite.", hint=hint, id="chatproject.W004")]
    return []


@register()
def check_live_path(**kwargs: Any) -> list[CheckMessage]:
    errors: list[CheckMessage] = []
    if settings.STREAM_LEASE_SECONDS < SHORTEST_LEASE_SECONDS:
        hint = f"At least {SHORTEST_LEASE_SECONDS:g}; it bounds how soon a dead process's answers are continued."
        errors.append(Error("STREAM_LEASE_SECONDS is too short to be renewed.", hint=hint, id="chatproject.E002"))
    if settings.STREAM_WINDOW_EVENTS < SMALLEST_WINDOW_EVENTS:
        hint = f"At least {SMALLEST_WINDOW_EVENTS}."
        errors.append(Error("STREAM_WINDOW_EVENTS leaves readers no window.", hint=hint, id="chatproject.E003"))
    limits = (
        settings.PROVIDER_FIRST_CONTENT_SECONDS, settings.PROVIDER_GAP_SECONDS, settings.PROVIDER_TOTAL_SECONDS,
    )
    if not all(0 < limit < float("inf") for limit in limits):
        hint = "PROVIDER_FIRST_CONTENT_SECONDS, PROVIDER_GAP_SECONDS and PROVIDER_TOTAL_SECONDS are more than 0."
        return [*errors, Error("A model is given less than no time.", hint=hint, id="chatproject.E008")]
    longest_part = max(settings.PROVIDER_FIRST_CONTENT_SECONDS, settings.PROVIDER_GAP_SECONDS)
    if longest_part >= settings.PROVIDER_TOTAL_SECONDS:
        hint = "Make it longer than PROVIDER_FIRST_CONTENT_SECONDS and PROVIDER_GAP_SECONDS."
        errors.append(Error("PROVIDER_TOTAL_SECONDS hides the other limits.", hint=hint, id="chatproject.E004"))
    return errors


@register()
def check_durations(**kwargs: Any) -> list[CheckMessage]:
    wrong = [(name, "more than 0") for name in MORE_THAN_ZERO if not getattr(settings, name) > 0]
    wrong += [(name, "0 or more") for name in ZERO_OR_MORE if not getattr(settings, name) >= 0]
    return [
        Error(f"{name} is no time that could go by.", hint=f"Make it {rule}.", id="chatproject.E009")
        for name, rule in wrong
    ]


@register()
def check_watching(**kwargs: Any) -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    if settings.TRACE_RETENTION_DAYS < 0 or not settings.TIMINGS_LATE_SECONDS > 0:
        hint = "TRACE_RETENTION_DAYS is 0 or more, TIMINGS_LATE_SECONDS more than 0."
        messages.append(Error("What is measured is kept for less than no time.", hint=hint, id="chatproject.E007"))
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT and not has_exporter():
        hint = f"pip install {' '.join(EXPORTER)}, or unset it."
        messages.append(Warning("OTEL_EXPORTER_OTLP_ENDPOINT is set, but spans cannot be sent: OpenTelemetry is not "
                                "installed.", hint=hint, id="chatproject.W005"))
    return messages


def has_exporter() -> bool:
    try:
        return all(find_spec(name) for name in ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"))
    except ModuleNotFoundError:
        return False


@register()
def check_hedging(**kwargs: Any) -> list[CheckMessage]:
    if 0 <= settings.HEDGE_BUDGET_PERCENT <= 100 and 0 < settings.HEDGE_QUANTILE < 1:
        return []
    hint = "HEDGE_BUDGET_PERCENT is 0 to 100, HEDGE_QUANTILE more than 0 and less than 1."
    return [Error("Hedging is told what cannot be.", hint=hint, id="chatproject.E005")]


@register()
def check_admission(**kwargs: Any) -> list[CheckMessage]:
    is_sound = min(settings.ADMISSION_MAX_CALLS, settings.ADMISSION_QUEUE_MAX) >= 0
    if is_sound and 0 < settings.ADMISSION_WAIT_SECONDS < float("inf"):
        return []
    hint = "ADMISSION_MAX_CALLS and ADMISSION_QUEUE_MAX are 0 or more, ADMISSION_WAIT_SECONDS is more than 0."
    return [Error("Admission is told what cannot be.", hint=hint, id="chatproject.E006")]


def is_local(url: str) -> bool:
    """Its host is this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
