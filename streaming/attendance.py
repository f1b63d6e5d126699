"""Who reads an answer while it is written, as far as is known here: whether somebody is there, left, or came back.

A room is one user's, so every reader is the sender. Pure: knows readers by number only. Times are by `clock`, seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: A reader at another process counts for so long without its process saying so again (mirrors.REMIND_SECONDS).
ELSEWHERE_SECONDS = 7.0


class Attendance:
    __slots__ = ("_clock", "_elsewhere_at", "_here", "_left_at", "absent_since", "back_at", "resumes", "was_read")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._here = 0
        self._elsewhere_at = float("-inf")
        # Nobody has come yet; those who are in the room follow at once.
        self._left_at = clock()
        #: When somebody last came who had not been there from the beginning.
        self.back_at: float | None = None
        self.was_read = False
        #: Once closed: since when nobody read, None when somebody read to the end.
        self.absent_since: float | None = None
        self.resumes = 0

    @property
    def is_read_here(self) -> bool:
        return self._here > 0

    @property
    def is_read_elsewhere(self) -> bool:
        return self._clock() - self._elsewhere_at < ELSEWHERE_SECONDS

    @property
    def is_read(self) -> bool:
        return self._here > 0 or self.is_read_elsewhere

    def began(self) -> None:
        """Those who are here now did not come back."""
        self.was_read = self._here > 0
        self.back_at, self.resumes = None, 0

    def reserve(self) -> None:
        """Somebody is about to come, and then leaves once more than they came: an answer may be quicker."""
        self._here += 1

    def came(self) -> None:
        self._note_coming()
        self._here += 1

    def went(self) -> None:
        self._here -= 1
        if self._here == 0:
            self._left_at = self._clock()

    @contextmanager
    def seat(self) -> Iterator[None]:
        """Somebody reads for as long as this lasts."""
        self.came()
        try:
            yield
        finally:
            self.went()

    def read_elsewhere(self) -> None:
        """Another process says that it has a reader."""
        if not self.is_read:
            self._note_coming()
        self._elsewhere_at = self._clock()

    def excuse(self) -> None:
        """This process sends its readers away itself: nobody left."""
        self._elsewhere_at = float("inf")

    def close(self) -> None:
        """The answer is about to end: who leaves from now on has read it."""
        self.absent_since = None if self.is_read else max(self._left_at, self._elsewhere_at)

    def _note_coming(self) -> None:
        if self.was_read:
            self.back_at = self._clock()
            self.resumes += not self.is_read
        self.was_read = True
