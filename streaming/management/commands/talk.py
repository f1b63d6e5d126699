"""`manage.py talk <character>`: a story in the terminal, through the same engine as every other door."""

from __future__ import annotations

import asyncio
import sys
import time
from argparse import ArgumentParser
from typing import Any
from uuid import UUID, uuid4

from django.core.management.base import BaseCommand, CommandError

from chat import history, rooms
from chat.errors import ChatError, NotFound
from chat.models import Room, User
from streaming.commands import Regenerate, SendMessage, TurnCommand
from streaming.engine import Engine, get_engine, stop_engine
from streaming.events import Chunk, End, Event, Failure, Rewind, Snapshot, Start, decode
from streaming.identity import Identity, identity_of
from streaming.reader import SocketReader
from streaming.resume import join
from streaming.service import take_turn

HELP = "An empty line or /quit ends it, /again asks for another answer; Ctrl-C stops an answer."


class Command(BaseCommand):
    help = "Talk to a character in the terminal. " + HELP

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("character", nargs="?", help="slug of the character, for a new room")
        parser.add_argument("--room", type=UUID, help="go on in this room instead")
        parser.add_argument("--user", help="who talks; the first administrator unless said")
        parser.add_argument("--language", default="ko", choices=["ko", "en"])
        parser.add_argument("--say", action="append", help="say this instead of asking for input; may be repeated")

    def handle(self, *args: Any, **options: Any) -> None:
        user = self._user(options["user"])
        room = self._room(user, options)
        self.stdout.write(f"room {room.pk}   {HELP}\n")
        for message in history.load_page(room)["messages"]:
            self.stdout.write(f"\n{_name(message['role'], room)}: {message['text']}")
        asyncio.run(self._talk(room, identity_of(user), options["say"]))

    def _user(self, name: str | None) -> User:
        users = User.objects.filter(username=name) if name else User.objects.filter(is_superuser=True)
        user = users.order_by("pk").first()
        if user is None:
            raise CommandError(f"There is no user {name}." if name else "There is no administrator; name a --user.")
        return user

    def _room(self, user: User, options: dict[str, Any]) -> Room:
        try:
            if options["room"]:
                return rooms.get_room_for(user, options["room"])
            if not options["character"]:
                raise CommandError("Name a character, or a --room.")
            return rooms.create_room(
                user=user, character_slug=options["character"], greeting=0, language=options["language"]
            )
        except NotFound as error:
            raise CommandError(error.message) from None

    async def _talk(self, room: Room, identity: Identity, lines: list[str] | None) -> None:
        engine = get_engine()
        try:
            teller = _Teller(self, engine, room, identity)
            while line := await _next_line(lines):
                await teller.turn(line)
        finally:
            await stop_engine()


class _Teller:
    """Says a line, and tells the answer as it comes."""

    def __init__(self, command: BaseCommand, engine: Engine, room: Room, identity: Identity) -> None:
        self._out = command.stdout
        self._engine = engine
        self._room = room
        self._identity = identity
        self._last: UUID | None = None

    async def turn(self, line: str) -> None:
        events: asyncio.Queue[Event] = asyncio.Queue()
        reader = SocketReader(lambda frame: events.put(decode(frame)), window=1 << 30)
        reader.start()
        try:
            accepted = (await take_turn(
                self._engine, self._identity, self._room.pk, self._command(line),
                door="socket", received_at=time.monotonic(),
            )).accepted
            self._last = accepted.message_id
            run = self._engine.runner.get(accepted.message_id)
            if run is not None:
                join(reader, run, None)
                await self._tell(events, accepted.message_id)
        except ChatError as error:
            self._out.write(f"  [{error.code}] {error.message}")
        finally:
            reader.stop()

    def _command(self, line: str) -> TurnCommand:
        request_id = uuid4().hex
        if line == "/again" and self._last is not None:
            return Regenerate(request_id=request_id, message_id=self._last)
        return SendMessage(request_id=request_id, text=line)

    async def _tell(self, events: asyncio.Queue[Event], message_id: UUID) -> None:
        self._out.write(f"\n{_name('character', self._room)}: ", ending="")
        seen = 0
        while True:
            try:
                event = await events.get()
            except asyncio.CancelledError:
                # Ctrl-C: the answer is cut to what was shown, and its end still told.
                self._engine.runner.stop(message_id, seen)
                continue
            match event:
                case Chunk(chunk=text) | Snapshot(text=text):
                    seen = seen + len(text) if isinstance(event, Chunk) else len(text)
                    self._out.write(text, ending="")
                    self._out.flush()
                case Rewind(length=length):
                    # What was printed beyond it is no part of the answer any more.
                    seen = length
                    self._out.write(f"\n  [continued after {length} characters]\n", ending="")
                case End():
                    waited = event.latency.first_ms or 0
                    self._out.write(f"\n  [{event.finish_reason}, first words after {waited:.0f} ms]")
                    return
                case Failure():
                    self._out.write(f"\n  [{event.code}] {event.message}")
                    return
                case Start():
                    pass


async def _next_line(lines: list[str] | None) -> str:
    """The next thing to say; empty when there is nothing more."""
    if lines is not None:
        return lines.pop(0) if lines else ""
    try:
        line = await asyncio.to_thread(input, "\nyou: ")
    except EOFError:
        return ""
    sys.stdout.flush()
    return "" if line.strip() == "/quit" else line


def _name(role: str, room: Room) -> str:
    return room.persona_name if role == "user" else room.character.slug
