"""Traces of answers that ended a moment ago, before they are written: many at once, every second or two.

A browser reports right after the end, and what it tells is laid beside its trace here: then nothing has to be read for
it, or written twice. What can be done with both is done when they are collected: work that is done for many in a row
costs a fraction of the same between the tokens of others. A process that is killed loses theirs.
Safe from any thread; must not know the database.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from chat.figures import Figures
from chat.models import Trace

#: (userId, requestId)
Key: TypeAlias = tuple[int, str]
#: A report's marks, once they are wanted. Raises nothing.
Read: TypeAlias = Callable[[], Mapping[str, float]]


@dataclass(slots=True)
class Kept:
    """`make` gives the trace as its server alone has it; `told` give what browsers said of it, in that order."""

    make: Callable[[], Trace]
    told: list[Read] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ended:
    """A trace with what its browser told so far; `served` are the figures that its server alone has."""

    trace: Trace
    served: Figures

    @property
    def key(self) -> Key:
        return self.trace.user_id, self.trace.request_id


class Pending:
    def __init__(self) -> None:
        self._kept: dict[Key, Kept] = {}
        self._lock = threading.Lock()

    def put(self, key: Key, make: Callable[[], Trace]) -> None:
        """A later attempt's takes the place of an older one's."""
        with self._lock:
            before = self._kept.pop(key, None)
            self._kept[key] = Kept(make, before.told if before else [])

    def has(self, key: Key) -> bool:
        """There is such a trace that is still to be written."""
        return key in self._kept

    def tell(self, key: Key, read: Read) -> bool:
        """False: there is no such trace that is still to be written."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                kept.told.append(read)
        return kept is not None

    def collect(self, keys: Iterable[Key]) -> list[Kept]:
        """Those of them that are here; whoever asks writes them."""
        with self._lock:
            found = [self._kept.pop(key, None) for key in keys]
        return [kept for kept in found if kept is not None]
