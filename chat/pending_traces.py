"""Traces of answers that ended a moment ago, before they are written: many at once, about once a second.

A browser reports right after the end, and finds its trace here: then nothing has to be read for it, or written twice.
A process that is killed loses that second's. Safe from any thread; must not know the database.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field

from chat.models import Trace


@dataclass(slots=True)
class Kept:
    """`served` is the trace as its server alone has it."""

    trace: Trace
    served: Trace = field(init=False)

    def __post_init__(self) -> None:
        self.served = copy(self.trace)


class Pending:
    def __init__(self) -> None:
        self._kept: dict[tuple[int, str], Kept] = {}
        self._lock = threading.Lock()

    def put(self, trace: Trace) -> None:
        """With the figures of its server. A later attempt's takes the place of an older one's."""
        key = (trace.user_id, trace.request_id)
        kept = Kept(trace)
        with self._lock:
            if (before := self._kept.pop(key, None)) is not None:
                trace.client_marks, trace.mismatched = before.trace.client_marks, before.trace.mismatched
            self._kept[key] = kept

    @contextmanager
    def found(self, user_id: int, request_id: str) -> Iterator[Trace | None]:
        """The request's trace, to be changed here, if it is still to be written."""
        with self._lock:
            kept = self._kept.get((user_id, request_id))
            yield kept.trace if kept else None

    def collect(self) -> list[Kept]:
        """All of them; whoever asks writes them."""
        with self._lock:
            kept, self._kept = list(self._kept.values()), {}
        return kept
