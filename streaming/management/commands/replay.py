"""`manage.py replay <message>`: what a reader that comes back would be sent, and what the answer took."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from chat.models import Generation, Trace
from streaming.endings import checkpoint_of, ending_of
from streaming.events import Start, encode


class Command(BaseCommand):
    help = "Print an answer's events as the wire has them, from the rows: start, text so far, end."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("message", help="messageId, or the requestId that asked for it")
        parser.add_argument("--text", action="store_true", help="only the text")
        parser.add_argument("--marks", action="store_true", help="the stages of the request instead")

    def handle(self, *args: Any, **options: Any) -> None:
        generation = _find(options["message"])
        if options["marks"]:
            return self._show_marks(generation)
        is_over = generation.status != Generation.Status.RUNNING
        text = generation.message.content if is_over else generation.checkpoint_text
        if options["text"]:
            self.stdout.write(text)
            return None
        self.stdout.write(encode(_start(generation)))
        self.stdout.write(encode(ending_of(generation) if is_over else checkpoint_of(generation)))
        return None

    def _show_marks(self, generation: Generation) -> None:
        trace = Trace.objects.filter(user_id=generation.user_id, request_id=generation.request_id).first()
        if trace is None:
            raise CommandError("There is no trace of this request yet.")
        self.stdout.write(f"{trace.request_id} {trace.path} {trace.outcome} {trace.error_code}".rstrip())
        before = 0.0
        for stage, ms in sorted(trace.marks.items(), key=lambda mark: mark[1]):
            self.stdout.write(f"{ms:>10.1f} ms  +{ms - before:<9.1f} {stage}")
            before = ms
        for mark, ms in sorted(trace.client_marks.items(), key=lambda mark: mark[1]):
            self.stdout.write(f"{ms:>10.1f} ms  {'':<10} browser: {mark}")


def _find(name: str) -> Generation:
    rows = Generation.objects.select_related("message", "room")
    # A requestId may look like a messageId: both are asked for.
    found = rows.filter(request_id=name).first() or rows.filter(pk=_uuid(name)).first()
    if found is None:
        raise CommandError(f"There is no answer {name}.")
    return found


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _start(generation: Generation) -> Start:
    return Start(
        request_id=generation.request_id, room_id=generation.room_id, message_id=generation.pk, seq=0,
        attempt=1, reply_to=generation.message.reply_to_id, position=generation.message.position,
        head=generation.room.head,
    )
