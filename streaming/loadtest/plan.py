"""What was asked for, checked: every refusal is one sentence for a person. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from streaming.loadtest.tails import Drawn, Lognormal

Way = Literal["socket", "sse", "completed"]
USERS_MOST = 5_000
SECONDS_MOST = 86_400.0
MESSAGES_MOST = 1_000_000
DEFAULT_SECONDS = 60.0
#: Unless said, so many people come a second.
ARRIVALS_A_SECOND = 5.0


class NoLoadTest(Exception):
    """Why there is no load test, or none any more."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`seconds` or `messages`, whichever is given, says when nothing more is sent. `character` "": the first one."""

    url: str
    users: int
    seconds: float | None
    messages: int | None
    ramp_seconds: float
    think: Lognormal
    way: Way
    character: str
    drain_seconds: float
    seed: int


def plan_of(options: Mapping[str, Any]) -> Plan:
    """Raises NoLoadTest."""
    users = int(_within(options["users"], 1, USERS_MOST, "--users"))
    messages = options["messages"]
    seconds = options["seconds"] if messages or options["seconds"] is not None else DEFAULT_SECONDS
    if messages is not None:
        _within(messages, 1, MESSAGES_MOST, "--messages")
    if seconds is not None:
        _within(seconds, 1, SECONDS_MOST, "--seconds")
    ramp = users / ARRIVALS_A_SECOND if options["ramp_seconds"] is None else options["ramp_seconds"]
    if options["ramp_seconds"] is None and seconds is not None:
        ramp = min(ramp, seconds / 4)
    _within(ramp, 0, SECONDS_MOST if seconds is None else seconds, "--ramp-seconds")
    return Plan(
        url=address_of(options["url"]), users=users, seconds=seconds, messages=messages, ramp_seconds=ramp,
        think=lognormal_of("--think", options["think"]), way=options["path"], character=options["character"],
        drain_seconds=_within(options["drain_seconds"], 0, 600, "--drain-seconds"), seed=options["seed"],
    )


def address_of(text: str) -> str:
    """Scheme and host alone."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise NoLoadTest(f"{text!r} is not an address.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise NoLoadTest(f"--url is the site's address, such as http://localhost:8000, not {text!r}.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    # As browsers write an origin: a port that goes without saying is not said.
    is_usual = port in (None, {"http": 80, "https": 443}[parts.scheme])
    return f"{parts.scheme}://{host}" + ("" if is_usual else f":{port}")


def lognormal_of(option: str, text: str) -> Lognormal:
    """"p50,p95" in seconds; "0": none."""
    numbers = _numbers(option, text, "p50,p95", most=2)
    p50, p95 = numbers if len(numbers) == 2 else (numbers[0], numbers[0])
    if p95 < p50:
        raise NoLoadTest(f"{option}: the 95th percentile ({p95:g}) is less than the median ({p50:g}).")
    if p95 > 0 and not p50:
        raise NoLoadTest(f"{option}: a median of 0 has no tail; say 0 alone for none.")
    _within(p95, 0, 600, option)
    return Lognormal(p50, p95)


def tail_of(text: str, answer: str) -> Drawn:
    """"p50,p95[,stalls in per cent]" and "tokens,tokens a second"."""
    numbers = _numbers("--tail", text, "p50,p95[,stalls in per cent]", most=3)
    if len(numbers) < 2:
        raise NoLoadTest(f"--tail is p50,p95[,stalls in per cent], not {text!r}.")
    stalls = _within(numbers[2] if len(numbers) == 3 else 0.0, 0, 100, "--tail: the share of stalls")
    first = lognormal_of("--tail", f"{numbers[0]!r},{numbers[1]!r}")
    length = _numbers("--answer", answer, "tokens,tokens a second", most=2)
    tokens = int(_within(length[0], 1, 4096, "--answer: the tokens"))
    return Drawn(first, stalls, tokens, _within(length[-1], 1, 10_000, "--answer: the tokens a second"))


# Internal


def _numbers(option: str, text: str, form: str, *, most: int) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= most or not all(math.isfinite(number) and number >= 0 for number in numbers):
        raise NoLoadTest(f"{option} is {form}, in numbers of 0 or more, not {text!r}.")
    return numbers


def _within(value: float, least: float, most: float, what: str) -> float:
    if not least <= value <= most:
        raise NoLoadTest(f"{what} must be from {least:g} to {most:g}, not {value:g}.")
    return value
