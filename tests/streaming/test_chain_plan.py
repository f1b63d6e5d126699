from __future__ import annotations

from itertools import product

import pytest

from chat.errors import CODES
from streaming.providers.base import ProviderError, Route
from streaming.providers.plan import MAX_CONTINUATIONS, RETRY_PAUSE_SECONDS, Plan

A, B, C = (Route(name, "openai", "", "m") for name in "ABC")


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
        ([A], [error(after=1.5)] * 3, ["A", "A", "A completed", "-"]),
        ([A], [error(after=30.0)], ["A", "-"]),
        ([A, B], [error(after=30.0)] * 2, ["A", "B", "-"]),
        ([A, B], [error(after=30.0), error(), error()], ["A", "B", "B", "B completed"]),
        ([A, B], [error(), error(after=30.0), error(), error()], ["A", "A", "B", "B", "B completed"]),
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
        ([A, B], [error(after=9.0)] * 3, "w  ", ["A", "B", "-"]),
        ([A, B], [error(after=9.0), error(), error()], "w  ", ["A", "B", "B", "-"]),
        ([A, B], [error(after=9.0), error(), error()], " w ", ["A", "B", "B", "B"]),
        ([A, B, C], [error(after=9.0)] * 3, "w  ", ["A", "B", "C", "-"]),
        ([A], [error(after=9.0)], "w", ["A", "-"]),
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


@pytest.mark.parametrize("wrote", [False, True])
def test_a_short_wait_that_is_left_is_waited_whatever_the_route_is_asked_for(wrote: bool) -> None:
    """The completed call, or a continuation that comes back to the route."""
    plan = Plan([A, B], is_streamed=True)
    plan.first()
    plan.after(error(after=9.0), wrote=wrote, now=100.0)
    following = plan.after(REFUSED, wrote=False, now=107.5)
    assert following is not None
    assert (following.route, following.is_streamed) == (A, wrote)
    assert following.pause_seconds == 1.5


def test_a_wait_that_is_over_holds_nobody_up() -> None:
    plan = Plan([A, B], is_streamed=True)
    plan.first()
    plan.after(error(after=30.0), wrote=True, now=100.0)
    following = plan.after(error(), wrote=True, now=140.0)
    assert following is not None
    assert (following.route, following.pause_seconds) == (A, 0.0)


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
