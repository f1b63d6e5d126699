"""The reference reader: what a client of the contract sees of a room. Pure; knows no socket and no Django.

The rules are those of frontend_static/js/store.js, without a person's clicks; those of one answer are in `answer`.
Events come from `streaming.events.decode`, a page from `GET /chat/rooms/<id>/messages`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from msgspec import UNSET

from streaming.answer import NOT_STARTED, Change, Message
from streaming.commands import Known
from streaming.events import (
    Ack,
    Chunk,
    CommandError,
    End,
    Event,
    Failure,
    Heartbeat,
    Ready,
    Rewind,
    RoomChanged,
    Snapshot,
    Start,
    UserMessage,
)

__all__ = ["Change", "Message", "Transcript"]


class Transcript:
    """Events in, `messages` out. `head` is the room's version as of the page; None until there is one."""

    def __init__(self, page: Mapping[str, Any] | None = None) -> None:
        self.head: int | None = None
        self._messages: dict[UUID, Message] = {}
        self._shown: list[Message] = []
        if page is not None:
            self.head = page["head"]
            self._shown = [Message.from_view(view) for view in page["messages"]]
            self._messages = {message.id: message for message in self._shown}

    @property
    def messages(self) -> list[Message]:
        """Those on show, in the order of their places; other variants are kept, unseen."""
        return list(self._shown)

    def find(self, message_id: UUID) -> Message | None:
        return self._messages.get(message_id)

    def known(self) -> list[Known]:
        """What `resume` tells: the position in every answer that is being written."""
        return [
            Known(message_id=message.id, attempt=message.attempt, seq=message.seq, length=message.length)
            for message in self._shown
            if message.role == "character" and not message.is_over and message.seq > NOT_STARTED
        ]

    def apply(self, event: Event) -> list[Change]:
        match event:
            case Ready(head=head) | Heartbeat(head=head) | RoomChanged(head=head):
                return [Change("stale")] if self.head is not None and head > self.head else []
            case Ack():
                return self._acknowledged(event)
            case UserMessage():
                return self._user_said(event)
            case Start():
                return self._started(event)
            case Chunk() | Rewind() | Snapshot() | End() | Failure():
                return self._to_answer(event)
            case CommandError(code="message_not_found") if event.message_id is not UNSET:
                return [Change("stale")]
        return []

    # Internal

    def _acknowledged(self, event: Ack) -> list[Change]:
        """done: the answer is committed; when its end has not been seen, it was missed."""
        message = self.find(event.message_id)
        is_missed = event.stage == "done" and message is not None and not message.is_over
        return [Change("gap", event.message_id)] if is_missed else []

    def _user_said(self, event: UserMessage) -> list[Change]:
        if event.message_id in self._messages or self._is_superseded(event):
            return []
        message = Message(
            id=event.message_id, role="user", position=event.position, request_id=event.request_id,
            text=event.text, status="complete",
        )
        return [*self._drop_rewound(message), *self._show(message)]

    def _started(self, event: Start) -> list[Change]:
        message = self.find(event.message_id)
        # Told again, as a repeated request is.
        if message is not None and (message.seq > NOT_STARTED or message.is_over):
            return []
        changes: list[Change] = []
        if message is None:
            if self._is_superseded(event):
                return []
            message = Message(id=event.message_id, role="character", position=event.position, reply_to=event.reply_to)
            changes = self._show(message)
        message.request_id = event.request_id
        return [*changes, *self._drop_rewound(message), *message.apply(event), *self._advance(event)]

    def _is_superseded(self, event: UserMessage | Start) -> bool:
        """The page is newer than this event and does not show its message: it has been rewound or replaced since."""
        return self.head is not None and 0 < event.head <= self.head

    def _show(self, message: Message) -> list[Change]:
        """Puts it where its position says: in the place of a variant of it, or between its neighbours."""
        self._messages[message.id] = message
        index = next((i for i, other in enumerate(self._shown) if other.position >= message.position), len(self._shown))
        there = self._shown[index : index + 1]
        if there and message.is_variant_of(there[0]):
            message.variants = list(dict.fromkeys([*there[0].variants, message.id]))
            self._shown[index] = message
            return [Change("replaced", message.id)]
        message.variants = [message.id]
        self._shown.insert(index, message)
        return [Change("inserted", message.id)]

    def _drop_rewound(self, new: Message) -> list[Change]:
        """What stood at or after the place of something new was rewound away in another tab."""
        gone = [other for other in self._shown if other.position >= new.position and other is not new]
        for other in gone:
            self._shown.remove(other)
            del self._messages[other.id]
        return [*(Change("removed", other.id) for other in gone), *([Change("stale")] if gone else [])]

    def _advance(self, event: Start) -> list[Change]:
        """A start raises the room's version by one: whoever has seen that turn has missed nothing."""
        if self.head is None:
            return []
        is_answer_to_unseen = event.reply_to is not None and not self._is_shown(event.reply_to)
        if event.head > self.head + 1 or is_answer_to_unseen:
            return [Change("stale")]
        self.head = max(self.head, event.head)
        return []

    def _is_shown(self, message_id: UUID) -> bool:
        return any(message.id == message_id for message in self._shown)

    def _to_answer(self, event: Chunk | Rewind | Snapshot | End | Failure) -> list[Change]:
        if event.message_id is UNSET:
            return []
        message = self.find(event.message_id)
        if message is None:
            # An end tells the whole text but not where it stands: the page does.
            return [Change("stale") if isinstance(event, End | Failure) else Change("gap", event.message_id)]
        changes = message.apply(event)
        # An answer that is gone: what stands in its place is for the page to say.
        gone = [Change("stale")] if isinstance(event, Failure) and event.code == "message_not_found" else []
        return [*(changes if self._is_shown(message.id) else []), *gone]
