"""The figures of one request, from the marks of both sides: first words, completion, failure, abandonment.

Pure: marks in, figures out. The server's marks are since `received`, the browser's since the click; the moment of
`received` on the browser's clock is not before its `sent` and not after its `accepted` less the server's.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from chat.client_marks import ABANDONED, STATES

#: Browsers tell time coarsely, on purpose: by up to 100 ms where fingerprinting is resisted.
TOLERANCE_MS = 100.0
#: Ways on which nothing is seen before the whole answer is there.
WHOLE = ("completed", "fallback")
#: Ends that are no fault of the backend's.
NOT_OURS = ("content_filtered", "context_too_long")
#: Outcomes that are failures, unless an end of those was the cause.
BROKEN = ("failed", "interrupted")
#: (the browser's mark, the server's that comes before it).
_SEEN_AFTER = (
    ("accepted", "accepted"), ("start", "accepted"), ("first_chunk", "first_frame"), ("end", "end_frame"),
)


class Measured(NamedTuple):
    """What is known of a request. Without `server` nothing of it can be checked, or it was never accepted.

    Beside the stages, `server` may have `left` (since then nobody read), `back` (somebody came again) and
    `took_over` (there was text of an owner before: when its first words were seen is not known).
    """

    path: str
    kind: str = "reply"
    outcome: str = ""
    error_code: str = ""
    server: Mapping[str, float] = MappingProxyType({})
    client: Mapping[str, float] = MappingProxyType({})


class Figures(NamedTuple):
    """Named as on Trace. `is_doubtful`: the browser's marks contradict the server's."""

    ttft_ms: float | None = None
    ttft_source: str = ""
    completion_ms: float | None = None
    failure: str = ""
    abandoned: str = ""
    is_doubtful: bool = False


def figures(of: Measured) -> Figures:
    words, doubtful = _words_at(of), is_doubtful(of)
    # What a continued answer shows at once is old text.
    paint = None if doubtful or of.kind == "continue" else of.client.get("first_paint")
    end_seen = None if doubtful else of.client.get("end")
    ttft, source = (words, "server") if paint is None else (paint, "browser")
    if not _has_words(of) or ttft is None:
        ttft, source = None, ""
    end = of.server.get("end_frame")
    return Figures(
        ttft_ms=ttft, ttft_source=source,
        # Seen or not, it was complete: leaving out whom the reader did not wait for would flatter us.
        completion_ms=None if of.outcome != "done" or end is None else end if end_seen is None else end_seen,
        failure=_failure(of), abandoned=_abandoned(of, words), is_doubtful=doubtful,
    )


def is_doubtful(of: Measured) -> bool:
    """Nobody can have seen what had not been written yet; nor measured an answer that nobody knows."""
    if not of.server or not of.client:
        return False
    earliest = of.client.get("sent", 0.0) - TOLERANCE_MS
    written = {"accepted": of.server.get("accepted"), "end": of.server.get("end_frame")}
    if of.kind != "continue":
        words = _words_at(of) if _has_words(of) else float("inf")
        written["first_paint"] = words
        written["first_chunk"] = None if of.path in WHOLE else words
    return any(
        at is not None and name in of.client and of.client[name] < at + earliest for name, at in written.items()
    )


def on_one_clock(server: Mapping[str, float], client: Mapping[str, float]) -> list[tuple[float, str, str]]:
    """(ms since the click, side, mark) of both sides, in order; the server's moved by the offset that is likeliest:
    the middle of what is possible, since nothing was received before it was sent.
    """
    earliest = client.get("sent", 0.0)
    latest = min(
        (client[seen] - server[sent] for seen, sent in _SEEN_AFTER if seen in client and sent in server),
        default=earliest,
    )
    offset = (earliest + max(earliest, latest)) / 2
    marks = [(ms, "browser", name) for name, ms in client.items()]
    return sorted([*marks, *((ms + offset, "server", name) for name, ms in server.items())])


# Internal


def _has_words(of: Measured) -> bool:
    return "first_frame" in of.server or "took_over" in of.server


def _words_at(of: Measured) -> float | None:
    """When the first words could be seen at the earliest; None: never, or nobody knows when."""
    if not _has_words(of):
        return None
    if of.path in WHOLE:
        return of.server.get("end_frame")
    return None if "took_over" in of.server else of.server["first_frame"]


def _failure(of: Measured) -> str:
    """A send whose first way stayed silent has failed, though another way may have brought it."""
    is_broken = of.outcome in BROKEN and of.error_code not in NOT_OURS
    if is_broken or "failed" in of.client:
        return "backend_failed"
    return "ack_timeout" if "ack_timeout" in of.client else ""


def _abandoned(of: Measured, words: float | None) -> str:
    """Both sides may have noticed: one leaving, in the earlier of the states they saw."""
    seen = [state for state in (_left_browser(of), _left_server(of, words)) if state]
    return min(seen, key=STATES.index) if seen else ""


def _left_server(of: Measured, words: float | None) -> str:
    left = of.server.get("left")
    if left is None or of.outcome == "stopped" or of.server.get("back", -1.0) > left:
        return ""
    if left <= of.server.get("accepted", 0.0):
        return "before_accept"
    if "took_over" in of.server and of.path not in WHOLE:
        return "mid_answer"
    return "before_words" if words is None or left < words else "mid_answer"


def _left_browser(of: Measured) -> str:
    client, server = of.client, of.server
    if ABANDONED.keys().isdisjoint(client):
        return ""
    left = min((client[name], state) for name, state in ABANDONED.items() if name in client)
    if "returned" in client or client.get("stopped", float("inf")) <= left[0]:
        return ""
    at, state = left[0] - client.get("sent", 0.0), left[1]
    if server.get("back", -1.0) >= at:
        return ""
    if state == "before_accept" and server:
        # It was accepted after all. Who waits for the whole sees no ack; who never left came from the next page.
        if of.path in WHOLE and at > server.get("accepted", 0.0):
            return "before_words"
        return state if "left" in server else ""
    return state
