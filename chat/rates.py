"""How often a user may do what, in this process. Counting is in memory: a hop to a store would cost more.

Ours, because it stands before every first word: the library's store in memory starts a thread for a command.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings

from chat.errors import TooMany

MINUTE_SECONDS = 60.0
HOUR_SECONDS = 3600.0
#: So many counts may be kept; then those whose window is over go.
COUNTS_MOST = 20_000


@dataclass(slots=True)
class Rates:
    """Fixed windows: the first hit opens one, and within it `most` are allowed. Safe from any thread."""

    clock: Callable[[], float] = time.monotonic
    #: (what, who) → when its window ends, and the hits in it.
    _counts: dict[tuple[str, str], tuple[float, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_seconds(self, what: str, who: str, most: int, per_seconds: float) -> float:
        """One more hit: 0.0 when it is allowed, else how long until the next window."""
        now = self.clock()
        with self._lock:
            ends_at, hits = self._counts.get((what, who), (0.0, 0))
            if ends_at <= now:
                self._make_room(now)
                ends_at, hits = now + per_seconds, 0
            if hits >= most:
                return ends_at - now
            self._counts[what, who] = (ends_at, hits + 1)
        return 0.0

    def forget(self) -> None:
        with self._lock:
            self._counts.clear()

    def _make_room(self, now: float) -> None:
        if len(self._counts) >= COUNTS_MOST:
            self._counts = {key: count for key, count in self._counts.items() if count[0] > now}


_rates = Rates()


def take_command(user_id: int) -> None:
    """One command of any kind. Raises TooMany."""
    _take("command", str(user_id), settings.CHAT_COMMANDS_PER_MINUTE, MINUTE_SECONDS)


def take_turn(user_id: int) -> None:
    """One answer asked for. Raises TooMany."""
    _take("turn", str(user_id), settings.CHAT_TURNS_PER_MINUTE, MINUTE_SECONDS)


def take_guest(address: str) -> None:
    """One guest made from this address. Raises TooMany."""
    _take("guest", address, settings.CHAT_GUESTS_PER_HOUR, HOUR_SECONDS)


def forget() -> None:
    """Count from nothing again."""
    _rates.forget()


def _take(what: str, who: str, most: int, per_seconds: float) -> None:
    if wait := _rates.wait_seconds(what, who, most, per_seconds):
        wait_ms = max(1, round(wait * 1000))
        raise TooMany("rate_limited", "Too many commands; wait and try again.", retry_after_ms=wait_ms)
