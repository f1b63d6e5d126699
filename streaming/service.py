"""The one corridor behind every door: socket, SSE and POST take a turn or change a room here, and only here."""

from __future__ import annotations

import asyncio
import random
from uuid import UUID

import structlog

from chat import edits, generations
from chat.errors import CODES, ChatError, NotFound, Refused, Unavailable
from chat.log_fields import bind_who, known_too, who_of
from chat.messages import Accepted
from streaming.commands import EditMessage, RewindRoom, RoomCommand, SelectVariant, Stop, TurnCommand
from streaming.database import in_database
from streaming.engine import Engine
from streaming.events import Ack, End, RoomChanged, UserMessage, Waiting, encode
from streaming.hints import RoomMoved, StopAsked
from streaming.identity import Identity
from streaming.instrumentation import StageClock
from streaming.providers.base import Route
from streaming.pulse import GOODBYE_RETRY_MS
from streaming.reader import SocketReader
from streaming.resume import join
from streaming.run import Run
from streaming.turns import Door, Turn, begun, load_routes, routes_at_hand

#: How soon somebody who was refused may try again: about the time of an answer.
OVERLOAD_RETRY_MS = 4_000
#: And not all of them at once again.
OVERLOAD_RETRY_SPREAD_MS = 2_000

log = structlog.get_logger(__name__)


async def take_turn(
    engine: Engine, identity: Identity, room_id: UUID, command: TurnCommand, *,
    door: Door, received_at: float, reader: SocketReader | None = None,
) -> Turn:
    """Accept the command and set its answer going, or find the first result of its requestId.

    `reader` is told what a repeat needs to know. Raises ChatError; then nothing was written and no model was asked.
    """
    who = {"requestId": command.request_id, "roomId": str(room_id), "userId": identity.user_id}
    with known_too(who):
        try:
            # Shielded: a client that leaves while its turn is being accepted must not leave it without an answer.
            turn = await asyncio.shield(_begin(engine, identity, room_id, command, door, received_at, reader))
        except ChatError as error:
            log.info("refused", code=error.code, door=door)
            raise
    accepted = turn.accepted
    if reader is not None:
        reader.post(encode(Ack(request_id=accepted.request_id, stage="accepted", message_id=accepted.message_id)))
        if not accepted.is_new:
            await _tell_again(engine, reader, accepted)
    return turn


async def _begin(
    engine: Engine, identity: Identity, room_id: UUID, command: TurnCommand, door: Door, received_at: float,
    reader: SocketReader | None,
) -> Turn:
    admission, routes, refusal = engine.providers.admission, await _routes(engine), None
    if (ahead := admission.ahead(routes)) >= 0:
        if admission.refuses(routes):
            refusal = await _refusal(engine, identity, command.request_id)
        if reader is not None:
            reader.post(encode(Waiting(request_id=command.request_id, room_id=room_id, ahead=int(ahead))))
    with admission.expecting():
        async with engine.accepting:
            if engine.is_draining:
                raise _draining()
            turn = await begun(
                engine.trips, identity, room_id, command, door=door, owner=engine.owner, refusal=refusal
            )
        if turn.accepted.is_new:
            _start(engine, turn, received_at)
        return turn


def _start(engine: Engine, turn: Turn, received_at: float) -> None:
    accepted = turn.accepted
    if engine.is_draining:
        # Committed, and left to whoever starts next: this process's runs have been let go.
        raise _draining()
    bind_who(who_of(
        accepted.request_id, accepted.room_id, accepted.user_id, accepted.character_id, accepted.path
    ))
    clock = StageClock.since(received_at)
    clock.set("accepted", turn.accepted_at)
    clock.set("context_loaded", turn.loaded_at)
    said = "" if accepted.user_message_id is None else encode(user_message(accepted))
    if engine.runner.get(accepted.message_id) is None:
        engine.runner.start(turn, clock, said)
    elif said:
        # Adopted already: getting here took longer than a lease.
        engine.hub.publish(accepted.room_id, said)


async def _routes(engine: Engine) -> tuple[Route, ...]:
    """As remembered; they are worth a trip of their own only where somebody may be refused."""
    if (routes := routes_at_hand()) is not None:
        return routes
    return await in_database(load_routes, None) if engine.providers.admission.is_full else ()


async def _refusal(engine: Engine, identity: Identity, request_id: str) -> Unavailable:
    """For what is new: nothing is written, and the sender keeps the words. Raised, unless this was accepted once."""
    wait_ms = OVERLOAD_RETRY_MS + random.randint(0, OVERLOAD_RETRY_SPREAD_MS)
    refusal = Unavailable("overloaded", CODES["overloaded"], retry_after_ms=wait_ms)
    if not await engine.repeats.have(identity.user_id, request_id):
        raise refusal
    return refusal


def _draining() -> Unavailable:
    return Unavailable("draining", CODES["draining"], retry_after_ms=GOODBYE_RETRY_MS)


def user_message(accepted: Accepted) -> UserMessage:
    assert accepted.user_message_id is not None
    return UserMessage(
        request_id=accepted.request_id, room_id=accepted.room_id, message_id=accepted.user_message_id,
        text=accepted.user_text, position=accepted.position - 1, created_at=accepted.user_created_at,
        head=accepted.head,
    )


async def _tell_again(engine: Engine, reader: SocketReader, accepted: Accepted) -> None:
    """A repeat: join the running answer, or hear its end."""
    if accepted.user_message_id is not None:
        reader.post(encode(user_message(accepted)))
    found = await engine.running.find(accepted.user_id, accepted.message_id)
    if isinstance(found, Run):
        return None if reader.follows(found) else join(reader, found, None)
    if found is not None:
        reader.post(encode(found))
    if isinstance(found, End):
        reader.post(encode(Ack(request_id=accepted.request_id, stage="done", message_id=accepted.message_id)))
    return None


async def change_room(engine: Engine, user_id: int, room_id: UUID, command: RoomCommand) -> int:
    """Stop, choose, edit or rewind; every tab hears of it. Returns the room's head. Raises ChatError."""
    match command:
        case Stop():
            return await _stop(engine, user_id, room_id, command)
        case SelectVariant(message_id=message_id):
            head = await in_database(edits.select_variant, user_id, room_id, message_id)
        case EditMessage(message_id=message_id, text=text):
            head = await in_database(edits.edit_message, user_id, room_id, message_id, text)
        case RewindRoom(message_id=message_id):
            head = await in_database(edits.rewind, user_id, room_id, message_id)
    engine.hub.moved(room_id, head)
    engine.hub.publish(room_id, encode(RoomChanged(room_id=room_id, head=head)))
    engine.neighbours.hints.say(RoomMoved(room_id, head))
    return head


async def _stop(engine: Engine, user_id: int, room_id: UUID, command: Stop) -> int:
    """The row first: whoever owns the answer, or owns it next, ends it there."""
    asked = await in_database(generations.ask_stop, user_id, room_id, command.message_id, command.seen_length)
    if asked is None:
        raise NotFound("message_not_found", "There is no such message in this room.")
    if not asked or engine.runner.is_closing(command.message_id):
        raise Refused("message_not_running", "The message is not being written any more.")
    if not engine.runner.stop(command.message_id, command.seen_length):
        engine.neighbours.hints.say(StopAsked(command.message_id))
    run = engine.running.get(command.message_id)
    # Without a socket in the room the hub knows no head.
    return max(run.head if run else 0, engine.hub.head_of(room_id))

