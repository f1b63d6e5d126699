"""Statements that Postgres has read and planned once for a connection: planning a turn's costs more than running it.

Owns which connection knows which statement. Must not know what any of them is for.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from weakref import WeakKeyDictionary

import psycopg
from django.db import DatabaseError, IntegrityError

#: A statement's text can differ with the defaults in it; what is too much for a connection is sent as it is.
KNOWN_MOST = 100

#: Of a connection (psycopg's, which the pool hands out again and again): SQL → the name of its plan.
_known: WeakKeyDictionary[object, dict[str, str]] = WeakKeyDictionary()
#: Never used twice: a trip that fails midway may have prepared what nobody remembers.
_numbers = itertools.count(1)
_PLACE = re.compile("%s")


class Prepared:
    """One trip's statements as they are sent: `before` prepares what is new, `said` runs all of them."""

    def __init__(self, raw: object, statements: Sequence[str]) -> None:
        self._known = _known.setdefault(raw, {})
        self._new: dict[str, str] = {}
        self.said = [self._execute(sql) for sql in statements]
        self.before = [f"PREPARE {name} AS {_numbered(sql)}" for sql, name in self._new.items()]

    def __enter__(self) -> Prepared:
        """While it is told."""
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        # Where two raced, the plans are as good as ever: to forget them would leave them behind in the session.
        if failure is None or issubclass(failure, (IntegrityError, psycopg.IntegrityError)):
            self._known.update(self._new)
        elif issubclass(failure, (DatabaseError, psycopg.Error)):
            # Perhaps because a plan does not fit its table any more: the next trip plans anew.
            self._known.clear()

    def _execute(self, sql: str) -> str:
        name = self._known.get(sql) or self._new.get(sql)
        if name is None:
            if len(self._known) + len(self._new) >= KNOWN_MOST:
                return sql
            name = self._new[sql] = f"soksak_{next(_numbers)}"
        places = sql.count("%s")
        return f"EXECUTE {name}({', '.join(['%s'] * places)})" if places else f"EXECUTE {name}"


def _numbered(sql: str) -> str:
    """With $1, $2, … for its values."""
    numbers = itertools.count(1)
    return _PLACE.sub(lambda _: f"${next(numbers)}", sql)
