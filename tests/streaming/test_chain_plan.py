from __future__ import annotations

from itertools import product

import pytest

from chat.errors import CODES
from streaming.providers.base import ProviderError, Route
from streaming.providers.plan import MAX_CONTINUATIONS, RETRY_PAUSE_SECONDS, Plan

A, B = (Route(name, "openai", "", "m") for name in "AB")


def error(code: str = "provider_unavailable", *, retryable: bool = True, after: float | None = None) -> ProviderError:
    return ProviderError(code, code, retryable=retryable, retry_after_seconds=after)


REFUSED = error("provider_refused", retryable=False)
LATE = error("provider_first_content_timeout")


def course(routes: list[Route], *failures: ProviderError, wrote: str = "", stream: bool = True) -> list[str]:
    """What is tried, e.g. ["A", "A", "B", "A completed"]; `wrote` has a "w" for each attempt that gave content."""
    plan = Plan(routes, stream)
    attempt, tried = plan.first(), []
    for failure, written in zip(failures, wrote.ljust(len(failures)), strict=True):
        tried.append(attempt.route.name + ("" if attempt.is_streamed else " completed"))
        following = plan.after(failure, wrote=written == "w")
        if following is None:
            return [*tried, "-"]
        attempt = following
    return [*tried, attempt.route.name + ("" if attempt.is_streamed else " completed")]


@pytest.mark.parametrize(
    ("routes", "failures", "expected"),
    [
        ([A], [error()] * 3, ["A", "A", "A completed", "-"]),
        ([A, B], [error()] * 5, ["A", "A", "B", "B", "A completed", "-"]),
        ([A, B], [REFUSED, REFUSED], ["A", "B", "-"]),
        ([A, B], [REFUSED, error(), error(), error()], ["A", "B", "B", "B completed", "-"]),
        ([A], [LATE, LATE], ["A", "A completed", "-"]),
        ([A, B], [LATE, LATE, LATE], ["A", "B", "A completed", "-"]),
        ([A], [error("provider_rate_limited", after=1.0)] * 2, ["A", "A", "-"]),
        ([A, B], [error("provider_rate_limited", after=30.0)] * 2, ["A", "B", "-"]),
    ],
)
def test_before_any_content(routes: list[Route], failures: list[ProviderError], expected: list[str]) -> None:
    assert course(routes, *failures) == expected


@pytest.mark.parametrize(
    ("routes", "failures", "wrote", "expected"),
    [
        ([A], [error()] * 3, "w  ", ["A", "A", "A", "-"]),
        ([A], [error()] * 3, "www", ["A", "A", "A", "-"]),
        ([A, B], [error()] * 3, "w  ", ["A", "A", "B", "-"]),
        ([A, B], [error()] * 4, " w  ", ["A", "A", "A", "B", "-"]),
        ([A, B], [REFUSED] * 3, "w  ", ["A", "B", "A", "-"]),
        ([A], [REFUSED], "w", ["A", "-"]),
        ([A, B], [error(after=9.0)] * 3, "w  ", ["A", "B", "A", "-"]),
    ],
)
def test_after_content(routes: list[Route], failures: list[ProviderError], wrote: str, expected: list[str]) -> None:
    assert course(routes, *failures, wrote=wrote) == expected


def test_with_streaming_off_only_completed_calls_are_made() -> None:
    expected = ["A completed", "A completed", "B completed", "B completed", "-"]
    assert course([A, B], *[error()] * 4, stream=False) == expected


def test_it_waits_as_long_as_the_route_asks_when_that_is_short() -> None:
    for after, pause in ((1.5, 1.5), (None, RETRY_PAUSE_SECONDS), (0.0, 0.0)):
        plan = Plan([A], is_streamed=True)
        plan.first()
        following = plan.after(error(after=after), wrote=False)
        assert following is not None
        assert following.pause_seconds == pause


def test_whatever_fails_however_it_ends_soon() -> None:
    failures = [error(code, retryable=retryable) for code, retryable in product(CODES, (True, False))]
    for failure, wrote, stream in product(failures, ("", "w", " w", "www"), (True, False)):
        most = 2 * 2 + 1 + MAX_CONTINUATIONS
        assert course([A, B], *[failure] * most, wrote=wrote, stream=stream)[-1] == "-"


def test_without_a_route_nothing_is_configured() -> None:
    with pytest.raises(ProviderError) as caught:
        Plan([], is_streamed=True).first()
    assert caught.value.code == "provider_not_configured"


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        (["provider_refused", "provider_unavailable"], "provider_unavailable"),
        (["provider_garbage", "provider_unavailable"], "provider_garbage"),
        (["provider_unavailable", "provider_rate_limited"], "provider_rate_limited"),
        (["provider_unavailable", "context_too_long"], "context_too_long"),
        (["provider_not_configured", "provider_refused"], "provider_refused"),
    ],
)
def test_the_most_telling_failure_is_told(codes: list[str], told: str) -> None:
    plan = Plan([A, B], is_streamed=True)
    plan.first()
    for code in codes:
        plan.after(error(code), wrote=False)
    assert plan.most_telling().code == told
