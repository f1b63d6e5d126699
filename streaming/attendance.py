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
    __slots__ = (
        "_clock", "_elsewhere", "_here", "_left_at", "absent_since", "back_at", "is_excused", "on_change", "resumes",
        "was_read",
    )

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._here = 0
        #: Which other process said when that it has a reader.
        self._elsewhere: dict[str, float] = {}
        # Nobody has come yet; those who are in the room follow at once.
        self._left_at = clock()
        #: When somebody last came who had not been there from the beginning.
        self.back_at: float | None = None
        self.was_read = False
        #: This process sends its readers away itself: nobody left.
        self.is_excused = False
        #: Called when the first reader has come here, and when the last one has gone.
        self.on_change: Callable[[], object] | None = None
        #: Once closed: since when nobody read, None when somebody read to the end.
        self.absent_since: float | None = None
        self.resumes = 0

    @property
    def is_read_here(self) -> bool:
        return self._here > 0

    @property
    def is_read_elsewhere(self) -> bool:
        since = self._clock() - ELSEWHERE_SECONDS
        return any(at > since for at in self._elsewhere.values())

    @property
    def is_read(self) -> bool:
        return self.is_excused or self._here > 0 or self.is_read_elsewhere

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
        if self._here == 1:
            self._changed()

    def went(self) -> None:
        self._here -= 1
        if self._here == 0:
            self._left_at = self._clock()
            self._changed()

    @contextmanager
    def seat(self) -> Iterator[None]:
        """Somebody reads for as long as this lasts."""
        self.came()
        try:
            yield
        finally:
            self.went()

    def read_elsewhere(self, process: str) -> None:
        """Another process says that it has a reader."""
        if not self.is_read:
            self._note_coming()
        self._elsewhere[process] = self._clock()

    def left_elsewhere(self, process: str) -> None:
        """Another process says that its last reader has gone."""
        if self._elsewhere.pop(process, None) is not None and not self.is_read:
            self._left_at = self._clock()

    def excuse(self) -> None:
        """From now on nobody leaves by themselves."""
        self.is_excused = True

    def close(self) -> None:
        """The answer is about to end: who leaves from now on has read it."""
        self.absent_since = None if self.is_read else max([self._left_at, *self._elsewhere.values()])

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change()

    def _note_coming(self) -> None:
        if self.was_read:
            self.back_at = self._clock()
            self.resumes += not self.is_read
        self.was_read = True
