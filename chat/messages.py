"""A turn is accepted: one transaction, idempotent by (user, requestId). Nothing is asked of a model here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from uuid import UUID
from zlib import crc32

from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone

from chat import accept_statements
from chat.accept_statements import Guard, RoomRow, Sending
from chat.errors import ChatError, NotFound, Refused, TooMany
from chat.models import Generation, Message
from chat.statements import Rows, Statement, Told, brief_transaction, new, tell
from chat.texts import clean_text
from chat.tokens import count_tokens


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks, in which room, under which requestId, and which process will own the answer."""

    user_id: int
    room_id: UUID
    request_id: str
    path: str
    owner: str
    #: Of the rollout, for the request's trace.
    cohort: str = ""
    stage: int = 0
    #: Asked under the room's lock: may they still?
    guard: Guard | None = None
    #: What a new turn is told where no model would take it; a repeat joins its first result all the same.
    refusal: ChatError | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The turn as committed. `is_new` is False for a repeat: then nothing was written."""

    is_new: bool
    request_id: str
    user_id: int
    room_id: UUID
    character_id: str
    message_id: UUID
    attempt: int
    position: int
    reply_to: UUID | None
    head: int
    path: str
    status: str
    prefix: str
    user_message_id: UUID | None
    user_text: str
    user_created_at: str
    #: As it was under the lock.
    room: RoomRow
    #: What the answer's prompt is made of: (role, content, tokens, position), read with the turn. A repeat needs none.
    said: Rows = field(default_factory=list)
    kind: str = ""


def accept_send(request: Request, text: str) -> Accepted:
    """A user's message and the answer it will get. Raises BadCommand, Refused, NotFound."""
    draft = Draft.of(request, text)
    return _accept(request, draft.digest, partial(_send_once, draft=draft))


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that is still to be sent, for whoever tells its statements by a way of their own."""

    digest: str
    sending: Sending

    @classmethod
    def of(cls, request: Request, text: str) -> Draft:
        """Raises BadCommand."""
        text = clean_text(text)
        digest = _digest("send_message", request.room_id, text)
        message = new(
            Message, room_id=request.room_id, role=Message.Role.USER, position=0, content=text,
            tokens=count_tokens(text),
        )
        answer = _answer(request, reply_to_id=message.pk, position=0)
        generation = _generation(request, digest, answer, Generation.Kind.REPLY)
        most = settings.CHAT_GENERATIONS_PER_USER if request.refusal is None else 0
        return cls(digest, Sending(message, answer, generation, most, request.guard))

    def statements(self) -> list[Statement]:
        """All of one transaction; for `accepted`."""
        return accept_statements.send(self.sending, timezone.now())

    def accepted(self, told: Sequence[Told]) -> Accepted | None:
        """None: something is in the way, which `accept_send` tells, and nothing was written."""
        sent = accept_statements.sent(told)
        if sent is None:
            return None
        room, said = sent
        message, answer = self.sending.message, self.sending.answer
        # Where the database put them: the room as it was under the lock.
        message.position, answer.position = room.next_position, room.next_position + 1
        accepted = _accepted(self.sending.generation, answer, message, room, room.head + 1, "", is_new=True)
        return replace(accepted, said=said)


def accept_regenerate(request: Request, message_id: UUID) -> Accepted:
    """A variant beside `message_id`, or an answer to it when it is the user's own last word."""
    digest = _digest("regenerate", request.room_id, message_id)
    return _accept(request, digest, partial(_vary_once, place=_beside, message_id=message_id))


def accept_continue(request: Request, message_id: UUID) -> Accepted:
    """A variant that begins with the text of `message_id` and goes on."""
    digest = _digest("continue_message", request.room_id, message_id)
    return _accept(request, digest, partial(_vary_once, place=_onwards, message_id=message_id))


def _digest(*parts: object) -> str:
    return f"{crc32('|'.join(map(str, parts)).encode()):08x}"


def _accept(request: Request, digest: str, once: Callable[[Request, str], Accepted]) -> Accepted:
    try:
        with brief_transaction():
            return once(request, digest)
    except IntegrityError:
        # Two requests raced past each other's checks; the constraints let one win, and it is committed now.
        repeat = _find_repeat(request, digest)
        if repeat is None:
            raise Refused("generation_running", "One answer is already being written in this room.") from None
        return repeat


def _send_once(request: Request, digest: str, *, draft: Draft) -> Accepted:
    told = tell(*draft.statements(), is_last=True, prepares=True)
    return draft.accepted(told) or _told_what_is_in_the_way(request, digest)


def _told_what_is_in_the_way(request: Request, digest: str) -> Accepted:
    """The first result, if that is what it is; raises what else there is."""
    found = accept_statements.lock_room(request.room_id, request.user_id, request.request_id, request.guard)
    _, repeat = _room_or_repeat(request, digest, *found)
    if repeat is None:
        # It has ended since, as only answers do.
        raise Refused("generation_running", "One answer was still being written in this room.")
    return repeat


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where a variant goes, and what it begins with."""

    kind: str
    position: int
    reply_to_id: UUID | None
    prefix: str = ""


def _vary_once(
    request: Request, digest: str, *, place: Callable[[RoomRow, Message], _Slot], message_id: UUID
) -> Accepted:
    # The row lock orders the turns of a room; SQLite's IMMEDIATE transaction orders everything.
    found = accept_statements.lock_room(request.room_id, request.user_id, request.request_id, request.guard)
    room, repeat = _room_or_repeat(request, digest, *found)
    if repeat is not None:
        return repeat
    slot = place(room, _last_turn(room, message_id))
    return _write(request, digest, room, slot)


def _beside(room: RoomRow, target: Message) -> _Slot:
    if target.role == Message.Role.USER:
        return _Slot(Generation.Kind.REGENERATE, target.position + 1, target.pk)
    if target.reply_to_id is None:
        raise Refused("not_regenerable", "A greeting cannot be written again; choose another one.")
    _unselect(room, target.position)
    return _Slot(Generation.Kind.REGENERATE, target.position, target.reply_to_id)


def _onwards(room: RoomRow, target: Message) -> _Slot:
    if target.role != Message.Role.CHARACTER or not target.content:
        raise Refused("not_continuable", "There is nothing to continue.")
    _unselect(room, target.position)
    return _Slot(Generation.Kind.CONTINUE, target.position, target.reply_to_id, target.content)


def _room_or_repeat(
    request: Request, digest: str, room: RoomRow | None, in_the_way: list[tuple[str, UUID]]
) -> tuple[RoomRow, Accepted | None]:
    """Raises what stands in the way of a new answer."""
    if room is None:
        raise NotFound("room_not_found", "There is no such room.")
    if any(request_id == request.request_id for request_id, _ in in_the_way):
        repeat = _find_repeat(request, digest)
        assert repeat is not None, "the room's lock keeps it"
        return room, repeat
    _refuse_too_much(request, [room_id for _, room_id in in_the_way])
    return room, None


def _refuse_too_much(request: Request, running: list[UUID]) -> None:
    """Raises Refused, TooMany: `running` are the rooms where answers are being written for this user."""
    if request.room_id in running:
        raise Refused("generation_running", "One answer is already being written in this room.")
    if len(running) >= settings.CHAT_GENERATIONS_PER_USER:
        raise TooMany("too_many_generations", "Too many answers are being written for you.")
    if request.refusal is not None:
        raise request.refusal


def _write(request: Request, digest: str, room: RoomRow, slot: _Slot) -> Accepted:
    answer = _answer(request, reply_to_id=slot.reply_to_id, position=slot.position)
    generation = _generation(request, digest, answer, slot.kind, slot.prefix)
    said = accept_statements.write_variant(
        answer, generation, now=timezone.now(), next_position=max(room.next_position, slot.position + 1),
        since=room.window_start,
    )
    accepted = _accepted(generation, answer, None, room, room.head + 1, slot.prefix, is_new=True)
    return replace(accepted, said=said)


def _answer(request: Request, *, reply_to_id: UUID | None, position: int) -> Message:
    return new(
        Message, room_id=request.room_id, role=Message.Role.CHARACTER, reply_to_id=reply_to_id, position=position,
        status=Message.Status.WRITING,
    )


def _generation(request: Request, digest: str, answer: Message, kind: str, prefix: str = "") -> Generation:
    return new(
        Generation, message_id=answer.pk, room_id=request.room_id, user_id=request.user_id,
        request_id=request.request_id, request_digest=digest, kind=kind, path=request.path, cohort=request.cohort,
        stage=request.stage, owner=request.owner, prefix_length=len(prefix), checkpoint_text=prefix,
        checkpoint_seq=1 if prefix else 0,
    )


def _find_repeat(request: Request, digest: str) -> Accepted | None:
    """The first result of this requestId; request_id_conflict when it was for something else."""
    generation = (
        Generation.objects.filter(user_id=request.user_id, request_id=request.request_id)
        .select_related("message__reply_to", "room__character")
        .first()
    )
    if generation is None:
        return None
    if generation.request_digest != digest or generation.room_id != request.room_id:
        raise Refused("request_id_conflict", "This requestId was used for something else.")
    message = generation.message
    if message.deleted_at is not None:
        raise NotFound("message_not_found", "The answer to this request was rewound away.")
    user_message = message.reply_to if generation.kind == Generation.Kind.REPLY else None
    room = RoomRow.of(generation.room)
    return _accepted(generation, message, user_message, room, room.head, "", is_new=False)


def _accepted(
    generation: Generation, message: Message, user_message: Message | None, room: RoomRow, head: int,
    prefix: str, *, is_new: bool,
) -> Accepted:
    return Accepted(
        is_new=is_new, request_id=generation.request_id, user_id=generation.user_id, room_id=room.id,
        character_id=room.character_slug, message_id=message.pk, attempt=generation.attempt,
        position=message.position, reply_to=message.reply_to_id, head=head, path=generation.path,
        status=generation.status, prefix=prefix,
        user_message_id=user_message.pk if user_message else None,
        user_text=user_message.content if user_message else "",
        user_created_at=user_message.created_at.isoformat() if user_message else "",
        room=room, kind=generation.kind,
    )


def _last_turn(room: RoomRow, message_id: UUID) -> Message:
    """The message, provided that nothing comes after it. Raises NotFound, Refused."""
    message = Message.objects.filter(pk=message_id, room_id=room.id, deleted_at=None).first()
    if message is None:
        raise NotFound("message_not_found", "There is no such message in this room.")
    if message.status == Message.Status.WRITING:
        raise Refused("message_running", "The message is still being written.")
    if message.position != room.next_position - 1:
        raise Refused("not_last_message", "Only the newest turn can be changed like this; rewind first.")
    return message


def _unselect(room: RoomRow, position: int) -> None:
    Message.objects.filter(room_id=room.id, position=position, selected=True).update(selected=False)
