"""What an owner may change of a story already told: choose a variant, edit a text, rewind."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from chat.errors import NotFound, Refused
from chat.models import Generation, Message, Room
from chat.texts import clean_text
from chat.tokens import count_tokens

#: Messages that must be left in the window after a rewind; with fewer, the window is opened again.
WINDOW_LEFT_MIN = 10


@transaction.atomic
def select_variant(user_id: int, room_id: UUID, message_id: UUID) -> int:
    """Show this variant at its place; only at the end of the story. Returns the room's new head."""
    room, message = _own(user_id, room_id, message_id)
    if Message.objects.filter(room=room, position__gt=message.position, deleted_at=None).exists():
        raise Refused("not_last_message", "Only the newest turn can be changed like this; rewind first.")
    _refuse_while_writing(room)
    at_place = Message.objects.filter(room=room, position=message.position, deleted_at=None)
    # Two statements: the constraint allows one selected message a position at any moment.
    at_place.filter(selected=True).exclude(pk=message.pk).update(selected=False)
    at_place.filter(pk=message.pk).update(selected=True)
    return _moved(room)


@transaction.atomic
def edit_message(user_id: int, room_id: UUID, message_id: UUID, text: str) -> int:
    """Replace the text of one's own or the character's message. Returns the room's new head."""
    text = clean_text(text)
    room, message = _own(user_id, room_id, message_id)
    if message.status == Message.Status.WRITING:
        raise Refused("message_running", "The message is still being written.")
    Message.objects.filter(pk=message.pk).update(
        content=text, tokens=count_tokens(text), edited_at=timezone.now(), status=Message.Status.COMPLETE
    )
    return _moved(room)


@transaction.atomic
def rewind(user_id: int, room_id: UUID, message_id: UUID) -> int:
    """Drop everything after the message. Returns the room's new head."""
    room, message = _own(user_id, room_id, message_id)
    _refuse_while_writing(room)
    Message.objects.filter(room=room, position__gt=message.position, deleted_at=None).update(
        deleted_at=timezone.now()
    )
    Room.objects.filter(pk=room.pk).update(next_position=message.position + 1)
    # What was cut may fit again, and without it the model would remember next to nothing.
    Room.objects.filter(pk=room.pk, window_start__gt=message.position - WINDOW_LEFT_MIN).update(window_start=0)
    return _moved(room)


def _own(user_id: int, room_id: UUID, message_id: UUID) -> tuple[Room, Message]:
    """Both, locked; missing and forbidden look the same."""
    room = Room.objects.select_for_update().filter(pk=room_id, owner_id=user_id).first()
    if room is None:
        raise NotFound("room_not_found", "There is no such room.")
    message = Message.objects.filter(pk=message_id, room=room, deleted_at=None).first()
    if message is None:
        raise NotFound("message_not_found", "There is no such message in this room.")
    return room, message


def _refuse_while_writing(room: Room) -> None:
    if Generation.objects.filter(room=room, status=Generation.Status.RUNNING).exists():
        raise Refused("generation_running", "An answer is being written; stop it first.")


def _moved(room: Room) -> int:
    Room.objects.filter(pk=room.pk).update(head=F("head") + 1)
    return room.head + 1
