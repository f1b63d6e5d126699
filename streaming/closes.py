"""Close codes. The range carries the policy: x000–x499 come back, x500–x999 don't."""

from __future__ import annotations

GOING_AWAY = 4000
SLOW_READER = 4008
TOO_MANY_SOCKETS = 4029
TRY_LATER = 4030
FLOOD = 4031
SESSION_ENDED = 4501
ROOM_NOT_FOUND = 4504

CLOSE_CODES: dict[int, str] = {
    GOING_AWAY: "This process is about to stop; reconnect.",
    SLOW_READER: "Nothing was acknowledged for too long; reconnect and resume.",
    TOO_MANY_SOCKETS: "Too many open connections for this user; come back later.",
    TRY_LATER: "The room could not be opened just now; come back.",
    FLOOD: "Nothing but refused commands for too long; come back later.",
    SESSION_ENDED: "Not signed in, or the session has ended.",
    ROOM_NOT_FOUND: "There is no such room for this user.",
}
#: The error code that says the same, where there is one; two of them are told in no other way.
CODE_OF_CLOSE: dict[int, str] = {
    GOING_AWAY: "draining", SLOW_READER: "slow_reader", TOO_MANY_SOCKETS: "too_many_sockets",
    TRY_LATER: "database_unavailable", SESSION_ENDED: "session_expired", ROOM_NOT_FOUND: "room_not_found",
}
