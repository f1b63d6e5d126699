"""What can be wrong with what a client asks, each with a stable code.

    ChatError
    ├── BadCommand         the frame or body itself
    ├── Refused            understood, but not now or not like this
    ├── NotFound           missing and forbidden look the same to a stranger
    ├── NotSignedIn        no session, or one that has ended
    ├── Unavailable        ours to mend; the client may try again
    └── Crashed            a fault of ours
"""

from __future__ import annotations


class ChatError(Exception):
    """`code` is stable and machine-readable; `message` is one English sentence for people.

    `retryable` says whether the same request may succeed later; `status` is the HTTP status.
    """

    status = 400
    retryable = False

    def __init__(self, code: str, message: str, *, retry_after_ms: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after_ms = retry_after_ms


class BadCommand(ChatError):
    status = 400


class Refused(ChatError):
    status = 409


class TooMany(Refused):
    status = 429
    retryable = True


class NotFound(ChatError):
    status = 404


class NotSignedIn(ChatError):
    status = 401


class Unavailable(ChatError):
    status = 503
    retryable = True


class Crashed(ChatError):
    status = 500
    retryable = True


#: Every code a client can meet, with what it means. Documented in PROTOCOL.md and tested against the code.
CODES: dict[str, str] = {
    # the frame or body
    "bad_json": "The frame or body is not JSON.",
    "unknown_type": "The command's type is not one of the contract's.",
    "invalid_fields": "A field is unknown, missing or of the wrong type; the message names it.",
    "binary_frame": "Frames are text.",
    "frame_too_large": "The frame or body is over the limit.",
    "text_empty": "The text is empty or only spaces.",
    "text_too_long": "The text is over the limit.",
    # not now, or not like this
    "request_id_conflict": "This requestId was used for something else.",
    "generation_running": "One answer is already being written in this room.",
    "message_running": "The message is still being written.",
    "message_not_running": "The message is not being written any more.",
    "not_last_message": "Only the newest turn can be changed like this; rewind first.",
    "not_regenerable": "A greeting cannot be written again; choose another one.",
    "not_continuable": "There is nothing to continue: the message is not an answer with text.",
    "rate_limited": "Too many commands; wait and try again.",
    "too_many_sockets": "Too many open connections for this user.",
    "too_many_generations": "Too many answers are being written for this user.",
    "slow_reader": "The reader acknowledged nothing for too long; reconnect and resume.",
    # missing, forbidden, signed out
    "room_not_found": "There is no such room for this user.",
    "message_not_found": "There is no such message in this room.",
    "character_not_found": "There is no such character.",
    "not_signed_in": "Sign in, or start as a guest.",
    "session_expired": "The session has ended; sign in again.",
    "csrf_failed": "The CSRF token is missing or wrong.",
    "method_not_allowed": "This address does not answer to that method.",
    "not_found": "There is nothing at this address.",
    # ours to mend
    "draining": "This process is about to stop; reconnect.",
    "overloaded": "Too many answers are waited for; nothing was written, try again in a moment.",
    "database_unavailable": "The database did not answer; nothing was sent to the model.",
    "internal_error": "Something went wrong on our side.",
    # the model's side
    "provider_not_configured": "No model is configured.",
    "provider_refused": "The model refused the request (credentials, model name or content rules).",
    "provider_rate_limited": "The model is over its rate limit.",
    "provider_busy": "Too many wait for the model.",
    "provider_unavailable": "The model could not be reached or answered with a server error.",
    "provider_first_content_timeout": "The model sent nothing in time.",
    "provider_gap_timeout": "The model stopped sending midway.",
    "provider_total_timeout": "The answer took too long as a whole.",
    "provider_incomplete": "The model's stream ended without its end marker.",
    "provider_garbage": "The model's stream could not be understood.",
    "provider_error_frame": "The model sent an error inside its stream.",
    "provider_empty": "The model ended without writing anything.",
    "context_too_long": "The prompt is longer than the model can take.",
    "content_filtered": "The model's content filter stopped the answer.",
}
