"""Reads: pages of a room, one message, and the slice a prompt is made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID
from zlib import crc32

from django.db.models import Q

from chat import turn_statements
from chat.errors import NotFound
from chat.models import Generation, Message, Room
from chat.prompts import Turn
from chat.statements import Rows

PAGE_MESSAGES = 30
PAGE_MESSAGES_MAX = 100


def load_page(room: Room, before: int | None = None, limit: int = PAGE_MESSAGES) -> dict[str, Any]:
    """The newest `limit` messages before position `before`, as `GET /chat/rooms/<id>/messages` shows them.

    `head` is read before the messages: it may be older than they are, never newer.
    """
    head = Room.objects.values_list("head", flat=True).get(pk=room.pk)
    limit = max(1, min(limit, PAGE_MESSAGES_MAX))
    rows = _shown(room.pk)
    if before is not None:
        rows = rows.filter(position__lt=before)
    newest = list(rows.order_by("-position")[: limit + 1])
    return {
        "roomId": str(room.pk),
        "head": head,
        "title": room.title,
        "messages": message_views(reversed(newest[:limit])),
        "hasMore": len(newest) > limit,
    }


def load_message(user_id: int, message_id: UUID) -> dict[str, Any]:
    """One message of the user's own, rewound away or not selected included. Raises NotFound."""
    message = (
        Message.objects.filter(pk=message_id, room__owner_id=user_id, deleted_at=None)
        .select_related("generation")
        .first()
    )
    if message is None:
        raise NotFound("message_not_found", "There is no such message.")
    return message_views([message])[0]


def _shown(room_id: UUID) -> Any:
    return Message.objects.filter(room_id=room_id, selected=True, deleted_at=None).select_related("generation")


def message_views(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Messages as the contract's M, with the ids of their variants."""
    shown = list(messages)
    variants = _variants(shown)
    return [_view(message, variants[message.room_id, message.position]) for message in shown]


def _variants(messages: list[Message]) -> dict[tuple[UUID, int], list[str]]:
    """(room, position) → ids, oldest first; failed ones without text are not worth going back to."""
    found: dict[tuple[UUID, int], list[str]] = defaultdict(list)
    if not messages:
        return found
    rows = Message.objects.filter(
        room_id__in={m.room_id for m in messages},
        position__in={m.position for m in messages},
        role=Message.Role.CHARACTER,
        deleted_at=None,
    ).filter(Q(selected=True) | ~Q(status=Message.Status.FAILED))
    for pk, room_id, position in rows.order_by("created_at", "pk").values_list("pk", "room_id", "position"):
        found[room_id, position].append(str(pk))
    return found


def _view(message: Message, variants: list[str]) -> dict[str, Any]:
    generation = getattr(message, "generation", None)
    writing = message.status == Message.Status.WRITING
    text = generation.checkpoint_text if writing and generation else message.content
    return {
        "messageId": str(message.pk),
        "role": message.role,
        "replyTo": str(message.reply_to_id) if message.reply_to_id else None,
        "position": message.position,
        "text": text,
        "status": message.status,
        "createdAt": message.created_at.isoformat(),
        "edited": message.edited_at is not None,
        "variants": variants if message.role == Message.Role.CHARACTER else [str(message.pk)],
        "variantIndex": variants.index(str(message.pk)) if str(message.pk) in variants else 0,
        "length": len(text),
        "checksum": f"{crc32(text.encode()):08x}",
        **_generation_view(generation, writing=writing),
    }


def _generation_view(generation: Generation | None, *, writing: bool) -> dict[str, Any]:
    if generation is None:
        return {"requestId": None, "attempt": 0, "seq": 0, "finishReason": "", "errorCode": ""}
    return {
        "requestId": generation.request_id,
        "attempt": generation.attempt,
        "seq": generation.checkpoint_seq if writing else generation.last_seq or 0,
        "finishReason": generation.finish_reason,
        "errorCode": generation.error_code,
    }


def prompt_turns(room_id: UUID, *, before: int, window_start: int = 0) -> list[Turn]:
    """What was said from position `window_start` up to, not including, position `before`."""
    return turns_of(turn_statements.said(room_id, since=window_start, before=before))


def turns_of(said: Rows) -> list[Turn]:
    """Of rows as `turn_statements.said` gives them."""
    return [
        Turn(role="user" if role == Message.Role.USER else "assistant", text=text, tokens=tokens, position=position)
        for role, text, tokens, position in said
    ]
