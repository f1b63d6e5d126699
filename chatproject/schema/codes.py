"""The stable error codes, as a client meets them: with which HTTP status, and whether to try again."""

from __future__ import annotations

from chat.errors import CODES
from streaming.closes import CODE_OF_CLOSE
from streaming.endings import RETRYABLE

#: Told by a close code only.
CLOSE_ONLY = ("too_many_sockets", "slow_reader")
#: The same, or of a frame: there is no HTTP answer with these.
SOCKET_ONLY = ("binary_frame", *CLOSE_ONLY)
STATUS_OF_CODE: dict[str, int] = {
    "bad_json": 400, "unknown_type": 400, "invalid_fields": 400, "frame_too_large": 400, "text_empty": 400,
    "text_too_long": 400,
    "not_signed_in": 401, "session_expired": 401, "csrf_failed": 403,
    "room_not_found": 404, "message_not_found": 404, "character_not_found": 404, "not_found": 404,
    "method_not_allowed": 405,
    "request_id_conflict": 409, "generation_running": 409, "message_running": 409, "message_not_running": 409,
    "not_last_message": 409, "not_regenerable": 409, "not_continuable": 409,
    "rate_limited": 429, "too_many_generations": 429,
    "internal_error": 500, "database_unavailable": 503, "draining": 503, "overloaded": 503,
}
#: An answer that failed, as `POST /chat/messages` tells it.
ANSWER_FAILED = 502


def status_of(code: str) -> int | None:
    """The HTTP status of a refusal with this code; None where there is none."""
    if code in SOCKET_ONLY:
        return None
    return STATUS_OF_CODE.get(code, ANSWER_FAILED)


def is_retryable(code: str) -> bool:
    return code in (*RETRYABLE, *CLOSE_ONLY) or status_of(code) in (429, 503)


def closes_of(code: str) -> list[int]:
    """The close codes that say the same."""
    return [number for number, name in CODE_OF_CLOSE.items() if name == code]


def by_status(codes: tuple[str, ...]) -> dict[int, list[str]]:
    """The given codes in the order of CODES, grouped by status."""
    groups: dict[int, list[str]] = {}
    for code in CODES:
        status = status_of(code)
        if code in codes and status is not None:
            groups.setdefault(status, []).append(code)
    return dict(sorted(groups.items()))
