"""How often a user may do what, in this process. Counting is in memory: a hop to a store would cost more."""

from __future__ import annotations

import time

from django.conf import settings
from limits import RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from chat.errors import TooMany

_limiter = FixedWindowRateLimiter(MemoryStorage())


def take_command(user_id: int) -> None:
    """One command of any kind. Raises TooMany."""
    _take(RateLimitItemPerMinute(settings.CHAT_COMMANDS_PER_MINUTE), "command", str(user_id))


def take_turn(user_id: int) -> None:
    """One answer asked for. Raises TooMany."""
    _take(RateLimitItemPerMinute(settings.CHAT_TURNS_PER_MINUTE), "turn", str(user_id))


def take_guest(address: str) -> None:
    """One guest made from this address. Raises TooMany."""
    _take(RateLimitItemPerHour(settings.CHAT_GUESTS_PER_HOUR), "guest", address)


def may_lose_a_send(user_id: int) -> bool:
    """One send that its browser says was never accepted; as many as there may be answers."""
    return _limiter.hit(RateLimitItemPerMinute(settings.CHAT_TURNS_PER_MINUTE), "lost send", str(user_id))


def forget() -> None:
    """Count from nothing again."""
    _limiter.storage.reset()


def _take(item: RateLimitItemPerMinute | RateLimitItemPerHour, what: str, who: str) -> None:
    if _limiter.hit(item, what, who):
        return
    reset_at = _limiter.get_window_stats(item, what, who).reset_time
    wait_ms = max(1, round((reset_at - time.time()) * 1000))
    raise TooMany("rate_limited", "Too many commands; wait and try again.", retry_after_ms=wait_ms)
