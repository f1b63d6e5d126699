"""SQLite where the threads of this process take turns at writing. Django's own backend in everything else.

SQLite waits for a lock by sleeping, up to 100 ms at a time, and whoever wakes first has it: a first word may lose
against deferred work again and again. Here a writer goes on the moment the one before it has committed.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

_turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


class DatabaseWrapper(base.DatabaseWrapper):
    _has_turn = False

    def _start_transaction_under_autocommit(self) -> None:
        self._take_turn()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._end_turn()
            raise

    def _commit(self) -> Any:
        committed = super()._commit()  # type: ignore[misc]  # the stubs leave it out
        # One that failed is rolled back by whoever began it, and ends its turn then.
        self._end_turn()
        return committed

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _close(self) -> Any:
        try:
            return super()._close()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _take_turn(self) -> None:
        # As long as SQLite itself would have waited.
        if not self._has_turn and not self._turn.acquire(timeout=self.settings_dict["OPTIONS"].get("timeout", 5.0)):
            raise OperationalError("database is locked")
        self._has_turn = True

    def _end_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._turn.release()

    @property
    def _turn(self) -> threading.Lock:
        return _turns[str(self.settings_dict["NAME"])]
