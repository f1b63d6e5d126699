"""One heap for all threads of the process. Knows the C library, and nothing of ours.

glibc gives each thread a heap of its own, and keeps in each what was freed there: with a dozen database threads that is
some KiB for every answer. They take turns at Python anyway, and so have nothing to gain from it.
"""

from __future__ import annotations

import ctypes
import sys

#: glibc's number for it (malloc.h).
_M_ARENA_MAX = -8


def share_one_heap() -> bool:
    """Before the first thread. False: this C library has no such option."""
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and mallopt(_M_ARENA_MAX, 1) == 1
