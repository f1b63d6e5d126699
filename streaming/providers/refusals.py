"""What went wrong at a provider, in our words: HTTP statuses, error bodies, broken connections → ProviderError.

Messages are for operators: one line, bounded, without keys. What a reader is told hangs on the code.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import aiohttp
import httpx
import msgspec

from streaming.providers.base import ProviderError

MESSAGE_MAX_CHARS = 300
#: What httpx, aiohttp and the system raise when a connection cannot be made, or breaks.
NETWORK_ERRORS = (httpx.HTTPError, aiohttp.ClientError, OSError, ssl.SSLError)
#: With what is no address at all: a name that IDNA cannot encode is a UnicodeError.
UNREACHABLE = (*NETWORK_ERRORS, httpx.InvalidURL, UnicodeError)

_KEY = re.compile(r"(?i)\b(?:(?:sk|pk|(?:x-|api_)?(?:api-)?key|bearer)[-_:\s]+[\w*.\-]{8,}|AIza[\w\-]{8,})")
_TOO_LONG = re.compile(
    r"(?i)exceed_context_size|context_length_exceeded|context (?:length|window|size)|prompt is too long|too many tokens"
    r"|token count .{0,30}exceeds the maximum"
)
_FILTERED = re.compile(r"(?i)content_filter|content_policy|content management policy")
_PASSING = re.compile(r"(?i)overloaded|rate_limit|server_error|internal|unavailable|timeout|api_error|try again|busy")
_DELAY = re.compile(rb'"retryDelay"\s*:\s*"(\d+(?:\.\d+)?)s"')
_NO_MONEY = re.compile(r"(?i)insufficient_quota|billing|credit balance")


class _Fault(msgspec.Struct, gc=False):
    message: object = ""
    type: object = ""
    code: object = ""
    status: object = ""


def describe(error: object) -> str:
    """`type code status message` of a provider's error, whatever its shape; one line, bounded, no keys."""
    if isinstance(error, Mapping):
        error = error.get("error") or error
    if isinstance(error, Mapping):
        fault = msgspec.convert(dict(error), _Fault)
        error = " ".join(str(part) for part in (fault.type, fault.code, fault.status, fault.message) if part)
    return tidy(str(error))


def tidy(message: str) -> str:
    line = " ".join(message.split())
    return _KEY.sub("[key]", line)[:MESSAGE_MAX_CHARS]


def of_status(status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
    """The error of an answer that is not 200."""
    detail = f"HTTP {status}: {describe(_decoded(body))}"
    if status in (408, 409, 429):
        delay, wait = _delay_in(body), retry_after(headers)
        # Gemini speaks of billing with every limit; one that says how long to wait will pass.
        is_passing = delay is not None or not _NO_MONEY.search(detail)
        wait = delay if wait is None else wait
        return ProviderError("provider_rate_limited", detail, retryable=is_passing, retry_after_seconds=wait)
    if status >= 500:
        return ProviderError(
            "provider_unavailable", detail, retryable=True, retry_after_seconds=retry_after(headers)
        )
    if 300 <= status < 400:
        detail = f"HTTP {status}: a redirect; the route's base_url is wrong."
    return ProviderError(_code_of_refusal(detail), detail, retryable=False)


def of_frame(error: object) -> ProviderError:
    """The error that a provider sent inside an answer that had begun as 200."""
    detail = describe(error)
    code = _code_of_refusal(detail)
    if code != "provider_refused":
        return ProviderError(code, detail, retryable=False)
    return ProviderError("provider_error_frame", detail, retryable=_is_passing(error, detail))


def of_network(error: Exception) -> ProviderError:
    """No connection, no name, no TLS, or it broke before the answer began. The message begins with which of them."""
    if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL | aiohttp.InvalidURL | UnicodeError):
        return ProviderError("provider_not_configured", tidy(f"base_url: {error}"), retryable=False)
    return ProviderError("provider_unavailable", tidy(_network_words(_origin(error))), retryable=True)


def of_break(error: Exception) -> ProviderError:
    """The connection broke inside the answer."""
    cause = _origin(error)
    return ProviderError("provider_incomplete", tidy(f"{type(cause).__name__}: {cause}"), retryable=True)


def garbage(detail: str) -> ProviderError:
    return ProviderError("provider_garbage", tidy(detail), retryable=True)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from `retry-after-ms` or `retry-after` (seconds or a date); never negative."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        return max(0.0, float(headers["retry-after"]))
    except KeyError:
        return None
    except ValueError:
        return _until(headers.get("retry-after", ""))


def _origin(error: BaseException) -> BaseException:
    """What aiohttp raised: httpx-aiohttp calls whatever befalls a connection a ConnectTimeout."""
    return error.__cause__ if isinstance(error, httpx.HTTPError) and error.__cause__ else error


def _network_words(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "connect_timeout: No connection came about in time."
    if not isinstance(error, aiohttp.ClientConnectorError):
        return f"connection_broken: The connection ended before an answer came ({type(error).__name__}: {error})."
    where = f"{error.host}:{error.port}"
    cause = error.certificate_error if isinstance(error, aiohttp.ClientConnectorCertificateError) else error.os_error
    match cause:
        case socket.gaierror():
            return f"name_not_found: The name {error.host} leads to no address ({cause.strerror})."
        case ssl.SSLCertVerificationError():
            return f"tls_failed: The certificate of {where} is not accepted: {cause.verify_message}."
        case ssl.SSLError():
            return f"tls_failed: {where} speaks no TLS that we understand ({cause.reason or cause})."
        case ConnectionRefusedError():
            return f"connection_refused: Nothing takes connections at {where}."
        case ConnectionError():
            return f"connection_broken: {where} hung up while the connection was made."
    return f"unreachable: There is no way to {where} ({cause})."


def _delay_in(body: bytes) -> float | None:
    """Seconds, from Gemini's `"retryDelay": "32.5s"` in the error's details."""
    found = _DELAY.search(body)
    return float(found[1]) if found else None


def _until(date: str) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def _code_of_refusal(detail: str) -> str:
    if _TOO_LONG.search(detail):
        return "context_too_long"
    return "content_filtered" if _FILTERED.search(detail) else "provider_refused"


def _is_passing(error: object, detail: str) -> bool:
    """An error frame is worth another try when it says so, by name or by an HTTP status of its own."""
    code = error.get("code") if isinstance(error, Mapping) else None
    if isinstance(code, int):
        return code >= 500 or code in (408, 409, 429)
    return bool(_PASSING.search(detail))


def _decoded(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except ValueError:
        return body.decode("utf-8", "replace")
