"""A live server's own database, seen and arranged from outside its process, by plain SQL. Knows no Django."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

LOCK_WAIT_SECONDS = 20.0
#: Long enough for a test that holds the model's line; a test that wants a short one says so.
PATIENT_SECONDS = 90.0
ROUTE: dict[str, Any] = {
    "kind": "openai", "base_url": "", "model": "", "api_key_env": "", "sort": 1, "is_enabled": True,
    "is_from_environment": False, "warms_prompt": False, "can_prefill": True, "max_context_tokens": 8192,
    "max_output_tokens": 1024, "first_content_seconds": PATIENT_SECONDS, "gap_seconds": PATIENT_SECONDS,
    "total_seconds": 2 * PATIENT_SECONDS, "options": "{}",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as the database has it."""

    message_id: UUID
    text: str
    status: str
    attempt: int
    path: str


class Rows:
    def __init__(self, url: str, folder: Path) -> None:
        """DATABASE_URL and SOKSAK_DATA_DIR of the server."""
        self._url = url
        self._folder = folder

    def add_route(self, name: str, *, options: dict[str, Any] | None = None, **fields: Any) -> None:
        """A way to a model, as the admin would make it; fields are ModelRoute's."""
        row = {**ROUTE, **fields, "name": name, "options": json.dumps(options or {})}
        columns, marks = ", ".join(row), ", ".join("?" * len(row))
        self._run(f"INSERT INTO chat_modelroute ({columns}) VALUES ({marks})", *row.values())  # noqa: S608 - our own

    def drop_routes(self) -> None:
        self._run("DELETE FROM chat_modelroute")

    def pin(self, room_id: UUID, route_name: str) -> None:
        """The room's answers come by this route; the others stay its fallback."""
        self._run(
            "UPDATE chat_room SET route_id = (SELECT id FROM chat_modelroute WHERE name = ?) WHERE id = ?",
            route_name, self._id(room_id),
        )

    def answers(self, room_id: UUID) -> list[Answer]:
        """Every generation of the room, oldest first, those not on show included."""
        found = self._run(
            "SELECT m.id, m.content, m.status, g.attempt, g.path FROM chat_generation g"
            " JOIN chat_message m ON m.id = g.message_id WHERE g.room_id = ? ORDER BY m.position, m.created_at",
            self._id(room_id),
        )
        return [Answer(UUID(str(pk)), *rest) for pk, *rest in found]

    def said(self, room_id: UUID) -> list[str]:
        """The user's messages that have not been rewound away, in their order."""
        found = self._run(
            "SELECT content FROM chat_message WHERE room_id = ? AND role = 'user' AND deleted_at IS NULL"
            " ORDER BY position", self._id(room_id),
        )
        return [content for (content,) in found]

    def traces(self, room_id: UUID) -> list[dict[str, Any]]:
        """What is kept of each request's figures, oldest first, with the marks of both sides."""
        marks = ("marks", "client_marks")
        names = (
            "path", "cohort", "stage", "outcome", "ttft_source", "ttft_ms", "completion_ms", "failure", "abandoned",
            *marks,
        )
        found = self._run(
            f"SELECT {', '.join(names)} FROM chat_trace WHERE room_id = ? ORDER BY created_at",  # noqa: S608 - our own
            self._id(room_id),
        )
        rows = [dict(zip(names, row, strict=True)) for row in found]
        # SQLite keeps JSON as text.
        return [row | {name: _json(row[name]) for name in marks} for row in rows]

    def count(self, statement: str) -> int:
        """Of a SELECT COUNT(*)."""
        return int(self._run(statement)[0][0])

    def decided_at(self) -> float:
        """When the rollout was moved last, seconds since 1970. Postgres only."""
        return float(self._run("SELECT extract(epoch FROM max(at)) FROM chat_rolloutdecision")[0][0])

    def decided_by(self, who: str) -> list[tuple[str, int, str]]:
        """(what, to which stage, why) of these decisions about the rollout, oldest first."""
        return [(action, stage, why) for action, stage, why in self._run(
            "SELECT action, to_stage, why FROM chat_rolloutdecision WHERE who = ? ORDER BY id", who
        )]

    def switched_at(self) -> float:
        """When a switch was turned last. Postgres only."""
        return float(self._run("SELECT extract(epoch FROM max(modified)) FROM waffle_switch")[0][0])

    def running(self, host: str) -> dict[str, int]:
        """Attempts by requestId of what this host's processes write."""
        return dict(self._run(
            "SELECT request_id, attempt FROM chat_generation WHERE status = 'running' AND owner LIKE ?", f"{host}%"
        ))

    def shift_leases(self, host: str, seconds: float) -> None:
        """The leases of this host's processes end so long from now, as if its clock were wrong. Postgres only."""
        self._run(
            "UPDATE chat_processlease SET expires_at = now() + make_interval(secs => ?) WHERE owner LIKE ?",
            seconds, f"{host}%",
        )

    @contextmanager
    def write_locked(self) -> Iterator[None]:
        """Somebody else is in the middle of a write: nobody can begin one. SQLite only."""
        with closing(self._sqlite()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")

    @contextmanager
    def locked(self, *tables: str) -> Iterator[None]:
        """Whoever wants to read or write these waits until the block ends. Postgres only."""
        with psycopg.connect(self._url) as connection:
            names = sql.SQL(", ").join(map(sql.Identifier, tables))
            connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(names))
            yield
            connection.rollback()

    def waiting(self) -> set[str]:
        """Who waits for somebody's lock: the names their connections bear. Postgres only."""
        return {name for (name,) in self._run(
            "SELECT application_name FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"
        )}

    def make_late(self, *names: str) -> None:
        """These periodic jobs have been due for a minute, and nobody has them. Postgres only."""
        self._run(
            "UPDATE chat_periodicjob SET next_at = now() - interval '1 minute', leased_until = NULL"
            " WHERE name = ANY(?)", list(names),
        )

    # Internal

    @property
    def _is_sqlite(self) -> bool:
        return self._url.startswith("sqlite")

    def _id(self, value: UUID) -> Any:
        return value.hex if self._is_sqlite else value

    def _sqlite(self) -> sqlite3.Connection:
        path = self._folder / "soksak.sqlite3"
        return sqlite3.connect(path, timeout=LOCK_WAIT_SECONDS, isolation_level=None)

    def _run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        if self._is_sqlite:
            with closing(self._sqlite()) as connection:
                return connection.execute(statement, values).fetchall()
        with psycopg.connect(self._url, autocommit=True) as connection:
            cursor = connection.execute(statement.replace("?", "%s"), values)
            return cursor.fetchall() if cursor.description else []


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
