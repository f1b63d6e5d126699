"""JSON over HTTP: the body in, errors with stable codes out. The same for every view."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views.defaults import page_not_found
from prometheus_client import Counter
from psycopg_pool import PoolTimeout

from chat.errors import CODES, BadCommand, ChatError, NotSignedIn, Unavailable
from chat.log_fields import bind_who

REFUSED = Counter("soksak_http_refused_total", "Requests of the API that were refused, by code.", ["code"])

log = structlog.get_logger(__name__)

API_PREFIXES = ("/chat/", "/accounts/guest/", "/accounts/persona/")

View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]


def json_view(*methods: str, signed_in: bool = True) -> Callable[[View], View]:
    """An async view that answers `methods` only, to signed-in users only, and turns ChatError into JSON."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        async def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                return await _guarded(view, request, methods, signed_in, *args, **kwargs)
            except ChatError as error:
                return error_response(error)
            except (OperationalError, InterfaceError, PoolTimeout):
                log.exception("database_unavailable")
                return error_response(Unavailable("database_unavailable", CODES["database_unavailable"]))
            except Exception:
                log.exception("view_crashed", view=view.__name__)
                return JsonResponse(error_body("internal_error", CODES["internal_error"], retryable=True), status=500)

        return wrapped

    return decorate


async def _guarded(
    view: View, request: HttpRequest, methods: tuple[str, ...], signed_in: bool, *args: Any, **kwargs: Any
) -> HttpResponseBase:
    if request.method not in methods:
        response = JsonResponse(error_body("method_not_allowed", CODES["method_not_allowed"]), status=405)
        response["Allow"] = ", ".join(methods)
        return response
    user = await sync_to_async(_load_user)(request)
    if signed_in and not user.is_authenticated:
        raise NotSignedIn("not_signed_in", CODES["not_signed_in"])
    bind_who({"userId": user.pk})
    return await view(request, *args, **kwargs)


def _load_user(request: Any) -> AbstractBaseUser | AnonymousUser:
    """Once a request, for `user` and `auser` alike; its connection goes back at once: an answer may take a minute."""
    try:
        user = request._cached_user = request._acached_user = get_user(request)
    finally:
        if not settings.DATABASE_IS_SQLITE:
            connection.close()
    return user


def body_of(request: HttpRequest) -> bytes:
    """The request's body, bounded whether or not its length was told. Raises frame_too_large."""
    body = request.read(settings.CHAT_FRAME_MAX_BYTES + 1)
    if len(body) > settings.CHAT_FRAME_MAX_BYTES:
        raise BadCommand("frame_too_large", f"A body holds {settings.CHAT_FRAME_MAX_BYTES} bytes at most.")
    return body


def form_field(request: HttpRequest, name: str) -> str | None:
    """For what a page can only send as a form; None when the body is none. Raises frame_too_large."""
    if request.content_type != "application/x-www-form-urlencoded":
        return None
    text = request.POST.get(name, "")
    if len(text.encode("utf-8", "replace")) > settings.CHAT_FRAME_MAX_BYTES:
        raise BadCommand("frame_too_large", f"A body holds {settings.CHAT_FRAME_MAX_BYTES} bytes at most.")
    return text


def decoded(body: bytes, kind: Any) -> Any:
    """`body` as `kind`, a msgspec type. Raises bad_json, invalid_fields."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise BadCommand("invalid_fields", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadCommand("bad_json", "The body is not JSON.") from None


def error_body(
    code: str, message: str, *, retryable: bool = False, retry_after_ms: int | None = None
) -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": message, "retryable": retryable}
    if retry_after_ms is not None:
        error["retryAfterMs"] = retry_after_ms
    return {"error": error}


def error_response(error: ChatError) -> JsonResponse:
    REFUSED.labels(error.code).inc()
    body = error_body(error.code, error.message, retryable=error.retryable, retry_after_ms=error.retry_after_ms)
    response = JsonResponse(body, status=error.status)
    if error.retry_after_ms is not None:
        response["Retry-After"] = str(-(-error.retry_after_ms // 1000))
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW: JSON for the API, Django's page for people."""
    if request.path.startswith(API_PREFIXES):
        REFUSED.labels("csrf_failed").inc()
        return JsonResponse(error_body("csrf_failed", CODES["csrf_failed"]), status=403)
    from django.views.csrf import csrf_failure as django_page

    return django_page(request, reason=reason)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """handler404: JSON for the API, our page for people."""
    if request.path.startswith(API_PREFIXES):
        return JsonResponse(error_body("not_found", CODES["not_found"]), status=404)
    return page_not_found(request, exception)

