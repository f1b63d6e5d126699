"""One turn's trip to the database: who asks, may they, accept, and all the model will need, in one hop."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias
from uuid import UUID

from chat import history, turn_statements
from chat.accept_statements import RoomRow
from chat.errors import ChatError
from chat.messages import Accepted, Draft, Request, accept_continue, accept_regenerate, accept_send
from chat.models import Generation, ModelRoute, Room
from chat.prompts import Turn as Said
from streaming.commands import ContinueMessage, Regenerate, SendMessage, TurnCommand
from streaming.database import in_database
from streaming.events import Path
from streaming.identity import Identity, guard_of
from streaming.providers.base import Limits, Prices, Route
from streaming.remembered import Memory
from streaming.rollout import Assignment, assignment, drawn, policy_at_hand
from streaming.trips import Trips

#: Of characters and personas, those that were last talked to.
HEADS_SHARED = 256

#: Each route with its row's id, in the operator's order.
Enabled: TypeAlias = tuple[tuple[int, Route], ...]


@dataclass(frozen=True, slots=True)
class PromptContext:
    """Everything of a room that shapes a prompt, as plain values."""

    head: str
    head_tokens: int
    turns: tuple[Said, ...]
    window_start: int
    user_note: str
    card: dict[str, Any]
    language: str
    cache_key: str
    persona_name: str
    #: What the room's macros were resolved with.
    seed: int
    prompt_version: int


@dataclass(frozen=True, slots=True)
class Turn:
    """An accepted turn with what its prompt is made of. A repeat has no context: nothing will be asked."""

    accepted: Accepted
    context: PromptContext | None
    routes: tuple[Route, ...]
    accepted_at: float
    loaded_at: float
    assigned: Assignment


Door = Literal["socket", "sse", "post"]

#: What a request that came by this door is called while streaming is on; off, all are `completed`.
PATHS: dict[Door, Path] = {"socket": "stream", "sse": "sse", "post": "fallback"}


async def begun(
    trips: Trips, identity: Identity, room_id: UUID, command: TurnCommand, *, door: Door, owner: str,
    refusal: ChatError | None = None,
) -> Turn:
    """As `begin`; a new message's turn mostly without a thread."""
    if isinstance(command, SendMessage) and trips.is_open and (decided := policy_at_hand()) is not None:
        assigned = decided.assign(identity.user_id, identity.is_staff, is_load=identity.is_load)
        request = _request(identity, room_id, command, door, owner, refusal, assigned)
        if (turn := await _sent_at_once(trips, Draft.of(request, command.text), assigned)) is not None:
            return turn
    return await in_database(begin, identity, room_id, command, door=door, owner=owner, refusal=refusal)


async def _sent_at_once(trips: Trips, draft: Draft, assigned: Assignment) -> Turn | None:
    """None: `begin` it, which tells whatever there is in the way."""
    told = await trips.tell(draft.statements())
    accepted = draft.accepted(told) if told is not None else None
    if accepted is None:
        return None
    accepted_at = time.monotonic()
    if (operators := _operators_at_hand(accepted.room)) is None:
        operators = await in_database(_operators, accepted.room)
    return _new_turn(accepted, assigned, accepted_at, operators)


def begin(
    identity: Identity, room_id: UUID, command: TurnCommand, *, door: Door, owner: str, refusal: ChatError | None = None
) -> Turn:
    """Runs in a database thread, in one transaction: who asks, the turn, and what its prompt is made of.

    Raises NotSignedIn, NotFound, BadCommand, Refused, and `refusal` for what is new; then nothing was written.
    """
    assigned = assignment(identity.user_id, identity.is_staff, is_load=identity.is_load)
    accepted = _accept(_request(identity, room_id, command, door, owner, refusal, assigned), command)
    if accepted.is_new:
        return _new_turn(accepted, assigned, time.monotonic(), _operators(accepted.room))
    now = time.monotonic()
    return Turn(accepted, None, (), now, now, assigned)


def _request(
    identity: Identity, room_id: UUID, command: TurnCommand, door: Door, owner: str, refusal: ChatError | None,
    assigned: Assignment,
) -> Request:
    path = PATHS[door] if assigned.path == "stream" else "completed"
    return Request(
        user_id=identity.user_id, room_id=room_id, request_id=command.request_id, path=path, owner=owner,
        cohort=assigned.cohort, stage=assigned.stage, guard=guard_of(identity), refusal=refusal,
    )


def _new_turn(accepted: Accepted, assigned: Assignment, accepted_at: float, operators: Operators) -> Turn:
    context = _context(accepted.room, tuple(history.turns_of(accepted.said)), operators.card)
    return Turn(accepted, context, _ranked(operators.routes, accepted.room), accepted_at, time.monotonic(), assigned)


def _accept(request: Request, command: TurnCommand) -> Accepted:
    match command:
        case SendMessage():
            return accept_send(request, command.text)
        case Regenerate():
            return accept_regenerate(request, command.message_id)
        case ContinueMessage():
            return accept_continue(request, command.message_id)


def load_context(room: Room | RoomRow, *, before: int) -> PromptContext:
    """Everything of the room that shapes the prompt of the answer at position `before`."""
    said = tuple(history.prompt_turns(room.id, before=before, window_start=room.window_start))
    return _context(room, said, _cards.get((room.character_id, room.language)))


def _context(room: Room | RoomRow, said: tuple[Said, ...], card: dict[str, Any]) -> PromptContext:
    return PromptContext(
        head=_shared(room.prompt_head), head_tokens=room.prompt_head_tokens,
        turns=said, window_start=room.window_start, user_note=room.user_note, card=card,
        language=room.language, cache_key=str(room.id), persona_name=room.persona_name,
        seed=room.id.int, prompt_version=room.prompt_version,
    )


@lru_cache(maxsize=HEADS_SHARED)
def _shared(head: str) -> str:
    """The same text once: rooms of one character begin alike, and an answer keeps its head, some KiB, to the end."""
    return head


def load_routes(room: Room | RoomRow | None) -> tuple[Route, ...]:
    """The room's own route first, then its character's, then the others in the operator's order."""
    return _ranked(_enabled.get(None), room)


def _ranked(enabled: Enabled, room: Room | RoomRow | None) -> tuple[Route, ...]:
    if room is None:
        return tuple(route for _, route in enabled)
    of_character = room.character_route_id if isinstance(room, RoomRow) else room.character.route_id
    pins = (room.route_id, of_character)
    ranked = sorted(enabled, key=lambda row: pins.index(row[0]) if row[0] in pins else len(pins))
    return tuple(route for _, route in ranked)


def routes_at_hand() -> tuple[Route, ...] | None:
    """Every route that is enabled; None where that would have to be read."""
    enabled = _enabled.at_hand(None)
    return None if enabled is None else tuple(route for _, route in enabled)


def remember(room: Room) -> tuple[Route, ...]:
    """Read now all that operators decided of a room's next turn, so that the turn need not; its routes."""
    assignment(room.owner_id, is_staff=False)
    _cards.get((room.character_id, room.language))
    return load_routes(room)


class Operators(NamedTuple):
    """What operators decided of a room's turn."""

    routes: Enabled
    card: dict[str, Any]


def _operators(room: RoomRow) -> Operators:
    """Asks the database only when nobody sat in the character's rooms for a while."""
    return Operators(_enabled.get(None), _cards.get((room.character_id, room.language)))


def _operators_at_hand(room: RoomRow) -> Operators | None:
    routes, card = _enabled.at_hand(None), _cards.at_hand((room.character_id, room.language))
    return None if routes is None or card is None else Operators(routes, card)


def _load_enabled(_: None) -> Enabled:
    return tuple((row.pk, route_value(row)) for row in turn_statements.enabled_routes())


def _load_card(key: tuple[int, str]) -> dict[str, Any]:
    card = turn_statements.card_of(*key)
    return card.data if card else {}


_enabled = Memory(_load_enabled)
#: A card changes the tail of prompts alone, and is long to read.
_cards = Memory(_load_card, ages=15.0, most=64)


def route_value(row: ModelRoute) -> Route:
    return Route(
        name=row.name, kind=row.kind, base_url=row.base_url, model=row.model,  # type: ignore[arg-type]
        api_key_env=row.api_key_env, can_prefill=row.can_prefill, warms_prompt=row.warms_prompt,
        max_context_tokens=row.max_context_tokens,
        max_output_tokens=row.max_output_tokens, options=row.options,
        limits=Limits(row.first_content_seconds, row.gap_seconds, row.total_seconds),
        max_concurrent=row.max_concurrent, hedges=row.hedges,
        prices=Prices(row.price_prompt, row.price_cached, row.price_completion),
    )


@dataclass(frozen=True, slots=True)
class Takeover:
    """An answer claimed from an owner that has gone, with what is needed to go on."""

    generation: Generation
    context: PromptContext
    routes: tuple[Route, ...]
    assigned: Assignment


def load_takeover(generation: Generation) -> Takeover:
    room = Room.objects.select_related("character", "route").get(pk=generation.room_id)
    context = load_context(room, before=generation.message.position)
    # The cohort it was accepted in, whatever an operator has done since.
    return Takeover(generation, context, load_routes(room), drawn(generation.cohort, generation.stage))
