"""What a browser says it measured of one request: which marks there are, and whether they can be believed.

Pure: knows no request, no row and no Django. Milliseconds since the click, on the browser's clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

#: In the order of the way; `first_paint` and `end` may change places: a whole answer is painted after its end.
STEPS = ("click", "sent", "accepted", "start", "first_chunk", "first_paint", "end")
#: How a reader can leave, the earliest first; also what Trace.abandoned says.
STATES = ("before_accept", "before_words", "mid_answer")
ABANDONED = {f"abandoned_{state}": state for state in STATES}
#: What happened on the way. `refused`: for a reason of the sender's; `failed`: for one of ours.
INCIDENTS = ("ack_timeout", "fell_sse", "fell_completed", "refused", "failed", "stopped", "mismatch", "returned")
KNOWN = frozenset((*STEPS, *INCIDENTS, *ABANDONED))

#: The click is the beginning, but for what it takes to look at the clock twice.
CLICK_MOST_MS = 10.0
#: Longer than any answer; a mark beyond it is no measurement.
MOST_MS = 600_000.0

_IN_ORDER = (
    ("sent", "accepted"), ("sent", "start"), ("start", "first_chunk"), ("start", "first_paint"),
    ("first_chunk", "first_paint"), ("first_chunk", "end"), ("start", "end"), ("sent", "first_paint"), ("sent", "end"),
)


def known(marks: Mapping[str, float]) -> dict[str, float]:
    """Those that mean something here; a newer browser may say more."""
    return {name: float(ms) for name, ms in marks.items() if name in KNOWN}


def doubt(marks: Mapping[str, float]) -> str:
    """Why marks cannot be believed, as a word for counting; empty when they can."""
    if not marks:
        return "empty"
    times = marks.values()
    if not all(map(math.isfinite, times)):
        return "not_finite"
    if min(times) < 0:
        return "negative"
    if max(times) > MOST_MS:
        return "absurd"
    return "" if marks.get("click", 0.0) <= CLICK_MOST_MS and _is_ordered(marks) else "disordered"


def _is_ordered(marks: Mapping[str, float]) -> bool:
    return not any(one in marks and other in marks and marks[one] > marks[other] for one, other in _IN_ORDER)


def since_accepted(marks: Mapping[str, float]) -> float:
    """How long after the server had accepted the request the last mark was set, at least; 0 where nobody can tell."""
    seen = [marks[name] for name in ("accepted", "start") if name in marks]
    return max(marks.values()) - min(seen) if seen else 0.0


def completes(marks: Mapping[str, float], before: Mapping[str, float]) -> bool:
    """The same page tells on: it had said that it was left, and somebody came back to it."""
    return "returned" in marks and any(name in before for name in ABANDONED) and before.items() <= marks.items()


def is_lost_send(marks: Mapping[str, float]) -> bool:
    """Such marks are worth keeping although the server knows of no such request."""
    reached = {"accepted", "start", "first_chunk", "first_paint", "end"} & marks.keys()
    told = bool({"ack_timeout", "failed", "abandoned_before_accept"} & marks.keys())
    return told and not reached and "mismatch" not in marks
