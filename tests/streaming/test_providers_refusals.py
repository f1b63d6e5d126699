from __future__ import annotations

import json
import time
from email.utils import formatdate

import httpx
import pytest

from streaming.providers import refusals


def of(status: int, body: str = "", **headers: str) -> tuple[str, bool]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    error = refusals.of_status(status, httpx.Headers(named), body.encode())
    return error.code, error.retryable


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, "", ("provider_refused", False)),
        (401, "", ("provider_refused", False)),
        (403, "", ("provider_refused", False)),
        (404, "", ("provider_refused", False)),
        (422, "", ("provider_refused", False)),
        (302, "", ("provider_refused", False)),
        (408, "", ("provider_rate_limited", True)),
        (409, "", ("provider_rate_limited", True)),
        (429, "", ("provider_rate_limited", True)),
        (429, '{"error":{"code":"insufficient_quota"}}', ("provider_rate_limited", False)),
        (500, "", ("provider_unavailable", True)),
        (503, "<html>busy</html>", ("provider_unavailable", True)),
        (529, '{"type":"error","error":{"type":"overloaded_error"}}', ("provider_unavailable", True)),
        (400, '{"error":{"code":"context_length_exceeded","message":"…"}}', ("context_too_long", False)),
        (400, '{"error":{"type":"exceed_context_size_error"}}', ("context_too_long", False)),
        (400, '{"error":{"message":"prompt is too long: 9 tokens > 8"}}', ("context_too_long", False)),
        (400, '{"error":{"message":"The input token count (9) exceeds the maximum number of tokens allowed (8)."}}',
         ("context_too_long", False)),
        (429, '{"error":{"message":"Check your plan and billing details."}}', ("provider_rate_limited", False)),
        (400, '{"error":{"code":"content_filter"}}', ("content_filtered", False)),
        (400, '{"error":"plain words"}', ("provider_refused", False)),
        (400, '{"error":{"message":{"deep":[1]}}}', ("provider_refused", False)),
        (400, "[1]", ("provider_refused", False)),
    ],
)
def test_a_status_becomes_a_code(status: int, body: str, expected: tuple[str, bool]) -> None:
    assert of(status, body) == expected


def test_retry_after_may_be_seconds_milliseconds_or_a_date() -> None:
    def wait(**headers: str) -> float | None:
        return refusals.retry_after(httpx.Headers({name.replace("_", "-"): value for name, value in headers.items()}))

    assert wait(retry_after="3") == 3.0
    assert wait(retry_after="1.5") == 1.5
    assert wait(retry_after_ms="250", retry_after="9") == 0.25
    assert wait(retry_after="-4") == 0.0
    assert wait(retry_after=formatdate(time.time() - 60, usegmt=True)) == 0.0
    assert 60 < (wait(retry_after=formatdate(time.time() + 3600, usegmt=True)) or 0) <= 3600
    assert wait(retry_after="soon") is None
    assert wait() is None


def test_gemini_says_in_the_body_how_long_to_wait() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "32.5s"}]
    fault = {"code": 429, "message": "Check your plan and billing.", "status": "RESOURCE_EXHAUSTED", "details": details}
    body = json.dumps({"error": fault}).encode()
    error = refusals.of_status(429, httpx.Headers({}), body)
    assert (error.retryable, error.retry_after_seconds) == (True, 32.5)
    assert "RESOURCE_EXHAUSTED" in error.message
    told = refusals.of_status(429, httpx.Headers({"retry-after": "3"}), body)
    assert (told.retryable, told.retry_after_seconds) == (True, 3.0)


@pytest.mark.parametrize("key", ["AIzaSyA-1234567890_abcdefghij", "sk-1234567890abcdef"])
def test_a_key_that_an_error_repeats_is_not_told(key: str) -> None:
    for text in (f"Consumer 'api_key:{key}' has been suspended.", f"Wrong: {key}", f"x-goog-api-key: {key}"):
        assert key[8:] not in refusals.tidy(text)


def test_a_message_is_one_bounded_line_without_keys() -> None:
    message = "Incorrect API key provided: sk-proj-abcdefgh12345678.\nSee\r\nthe page " + "x" * 9000
    error = refusals.of_status(401, httpx.Headers({}), json.dumps({"error": {"message": message}}).encode())
    assert len(error.message) <= refusals.MESSAGE_MAX_CHARS + len("HTTP 401: ")
    assert error.message.isprintable()
    assert "abcdefgh" not in error.message


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ({"type": "overloaded_error", "message": "Overloaded"}, ("provider_error_frame", True)),
        ({"type": "rate_limit_error"}, ("provider_error_frame", True)),
        ({"code": 503, "message": "x"}, ("provider_error_frame", True)),
        ({"code": 400, "type": "server_error"}, ("provider_error_frame", False)),
        ({"type": "invalid_request_error", "message": "bad"}, ("provider_error_frame", False)),
        ({"type": "exceed_context_size_error"}, ("context_too_long", False)),
        ("the engine is overloaded", ("provider_error_frame", True)),
    ],
)
def test_an_error_frame_says_by_its_type_or_code_whether_to_try_again(
    frame: object, expected: tuple[str, bool]
) -> None:
    error = refusals.of_frame(frame)
    assert (error.code, error.retryable) == expected
