"""`manage.py rooms`: the newest rooms, whose they are and whether an answer is being written in them."""

from __future__ import annotations

import argparse
import json
import unicodedata
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from chat.models import Generation, Room, User

COLUMNS = ("room", "owner", "character", "messages", "last activity", "running", "title")
TITLE_COLUMNS = 40


class Command(BaseCommand):
    help = "List rooms, newest activity first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", help="only this user's: a username or a numeric id")
        parser.add_argument("--limit", type=_positive, default=20, help="how many at most (default 20)")
        parser.add_argument("--json", action="store_true", help="one JSON array instead of a table")

    def handle(self, *args: Any, user: str | None, limit: int, **options: Any) -> None:
        rows = [_row(room) for room in _newest(_find_user(user) if user else None)[:limit]]
        if options["json"]:
            self.stdout.write(json.dumps(rows, ensure_ascii=False, indent=2))
        elif rows:
            self.stdout.write(_table([COLUMNS, *map(_cells, rows)]))
        else:
            self.stdout.write("No rooms.")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _find_user(wanted: str) -> User:
    found = User.objects.filter(username=wanted).first()
    if found is None and wanted.isdecimal():
        found = User.objects.filter(pk=int(wanted)).first()
    if found is None:
        raise CommandError(f"There is no user {wanted!r}.")
    return found


def _newest(owner: User | None) -> QuerySet[Any]:
    running = Generation.objects.filter(room=OuterRef("pk"), status=Generation.Status.RUNNING)
    rooms = Room.objects.select_related("owner", "character").annotate(is_running=Exists(running))
    return rooms.filter(owner=owner) if owner else rooms


def _row(room: Any) -> dict[str, Any]:
    return {
        "roomId": str(room.pk),
        "owner": str(room.owner),
        "ownerId": room.owner_id,
        "characterId": room.character.slug,
        "title": room.title,
        "messages": room.message_count,
        "activeAt": room.active_at.isoformat(),
        "running": room.is_running,
    }


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    active = timezone.localtime(datetime.fromisoformat(row["activeAt"])).strftime("%Y-%m-%d %H:%M")
    return (
        row["roomId"], row["owner"], row["characterId"], str(row["messages"]), active,
        "yes" if row["running"] else "", _cut(row["title"]),
    )


def _table(lines: list[tuple[str, ...]]) -> str:
    widths = [max(_width(line[column]) for line in lines) for column in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _cut(title: str) -> str:
    """A title may hold anything; here it is one line of a terminal."""
    line = "".join(char if char.isprintable() else " " for char in title)
    while _width(line) > TITLE_COLUMNS:
        line = line[:-2] + "…"
    return line


def _width(text: str) -> int:
    """Terminal columns: Hangul and other wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
