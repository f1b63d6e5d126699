"""When Python looks for garbage: while nobody waits for a word, if it can.

What answers leave behind is no cycle and is freed at once; handshakes and pages do leave some. Python counts what was
made and not yet let go, and answers that run are that: at 10,000 of them it looked through all, for 13 to 38 ms every
other second, and found nothing.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

LOOK_SECONDS = 1.0
#: New objects until one looks whoever waits: so much more than the answers of a full process are, and 10 MB at most.
THRESHOLDS = (50_000, 20, 20)
#: So few are not worth it.
WORTH_LOOKING = 2_000


def settle() -> None:
    """What is here now stays for ever: to look through it, again and again, is a tenth of a second each."""
    if not gc.get_freeze_count():
        gc.collect()
        gc.freeze()
    gc.set_threshold(*THRESHOLDS)


async def keep(is_quiet: Callable[[], bool]) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if is_quiet() and gc.get_count()[0] > WORTH_LOOKING:
            gc.collect(0)
