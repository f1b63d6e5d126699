"""What a load test leaves behind in the database, and taking it away. Knows guests by their names' beginning."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Case, F, QuerySet, Value, When

from chat.models import Character, Room, User
from chat.models.users import LOAD_PREFIX


@dataclass(frozen=True, slots=True)
class Left:
    """What was deleted; messages, answers and traces went with it."""

    guests: int = 0
    rooms: int = 0


def of_rooms(room_ids: Collection[UUID]) -> list[int]:
    """The load test's guests whose rooms these are; empty where the rooms are another database's."""
    return list(guests().filter(rooms__in=room_ids).values_list("pk", flat=True).distinct())


def guests() -> QuerySet[User]:
    return User.objects.filter(is_guest=True, username__startswith=LOAD_PREFIX)


def delete(found: QuerySet[User]) -> Left:
    """One guest at a time, so that no transaction is long."""
    guest_count = room_count = 0
    for guest in found.order_by("pk").iterator(chunk_size=200):
        room_count += _delete(guest)
        guest_count += 1
    return Left(guest_count, room_count)


# Internal


@transaction.atomic
def _delete(guest: User) -> int:
    rooms = list(Room.objects.select_for_update().filter(owner=guest))
    for room in rooms:
        # Nobody talked: what the character's own page says is taken back.
        rest = F("talk_count") - room.message_count
        Character.objects.filter(pk=room.character_id).update(
            talk_count=Case(When(talk_count__gt=room.message_count, then=rest), default=Value(0))
        )
    guest.delete()
    return len(rooms)
