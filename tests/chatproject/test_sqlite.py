"""Writers of one process go one after the other, and nobody who fails keeps the turn."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import IntegrityError, OperationalError

from chatproject.sqlite.base import DatabaseWrapper

PATIENCE_SECONDS = 15.0
_SETTINGS = {
    "ENGINE": "chatproject.sqlite", "ATOMIC_REQUESTS": False, "AUTOCOMMIT": True, "CONN_MAX_AGE": 0,
    "CONN_HEALTH_CHECKS": False, "TIME_ZONE": None, "USER": "", "PASSWORD": "", "HOST": "", "PORT": "", "TEST": {},
}


def connect(path: Path, timeout: float = PATIENCE_SECONDS) -> DatabaseWrapper:
    options = {"transaction_mode": "IMMEDIATE", "timeout": timeout}
    connection = DatabaseWrapper({**_SETTINGS, "NAME": str(path), "OPTIONS": options}, "turns")
    connection.inc_thread_sharing()
    return connection


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "turns.sqlite3"
    connection = connect(path)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE told (word TEXT UNIQUE)")
    connection.close()
    return path


def begin(connection: DatabaseWrapper) -> None:
    connection.ensure_connection()
    connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)


def tell(connection: DatabaseWrapper, word: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO told VALUES (%s)", [word])


def commit(connection: DatabaseWrapper) -> None:
    connection.commit()
    connection.set_autocommit(True)


def test_a_writer_waits_for_the_one_before_it_and_goes_on_when_that_has_committed(path: Path) -> None:
    first, second = connect(path), connect(path)
    begin(first)
    tell(first, "one")
    began = threading.Event()

    def write() -> None:
        begin(second)
        began.set()
        tell(second, "two")
        commit(second)

    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(write)
        assert not began.is_set()
        commit(first)
        waiting.result(PATIENCE_SECONDS)
    with first.cursor() as cursor:
        assert cursor.execute("SELECT word FROM told").fetchall() == [("one",), ("two",)]
    first.close()
    second.close()


@pytest.mark.parametrize("ending", ["rolled back", "closed"])
def test_one_that_fails_gives_its_turn_back(path: Path, ending: str) -> None:
    first, second = connect(path), connect(path, timeout=0.5)
    begin(first)
    tell(first, "one")
    with pytest.raises(IntegrityError):
        tell(first, "one")
    if ending == "rolled back":
        first.rollback()
    else:
        first.close()
    begin(second)
    tell(second, "two")
    commit(second)
    second.close()


def test_one_that_waits_too_long_is_told_as_sqlite_would_tell_it(path: Path) -> None:
    first, second = connect(path), connect(path, timeout=0.05)
    begin(first)
    with pytest.raises(OperationalError, match="database is locked"):
        begin(second)
    commit(first)
    begin(second)
    commit(second)
    first.close()
    second.close()
