"""What may wait until the reader has the answer. Every job can run twice, or late, and change nothing more.

Jobs of a kind that are due together are done together, in one call; where one of them fails, each is done alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from chat import turn_statements
from chat.models import Message
from chat.statements import brief_transaction
from chat.tokens import count_tokens
from chat.turn_statements import Story

TITLE_MAX_CHARS = 40


def after_reply(*message_ids: UUID) -> None:
    """Name each room after its first user message, count what was said, count tokens that nobody counted."""
    stories = turn_statements.stories_of(message_ids)
    if unnamed := [story.room_id for story in stories if not story.title]:
        _name(unnamed)
    if miscounted := [story for story in stories if story.said != story.counted]:
        _count(miscounted)
    for story in stories:
        if story.without_tokens:
            _count_tokens(story.room_id)


def _name(room_ids: Sequence[UUID]) -> None:
    """After the first words of each that make one."""
    titles = {room_id: title_of(text) for room_id, text in turn_statements.first_words(room_ids).items()}
    if titles := {room_id: title for room_id, title in titles.items() if title}:
        turn_statements.name_rooms(titles)


def title_of(text: str) -> str:
    """One line of at most TITLE_MAX_CHARS, without the marks of actions."""
    line = " ".join(text.replace("*", " ").split())
    return line if len(line) <= TITLE_MAX_CHARS else line[: TITLE_MAX_CHARS - 1].rstrip() + "…"


def _count(stories: Sequence[Story]) -> None:
    """A room's own count is the guard: its character's grows by what the room's changed, once."""
    with brief_transaction():
        if counted := turn_statements.count_said(stories):
            raise CountedMeanwhile(f"rooms {', '.join(map(str, counted))}")


class CountedMeanwhile(RuntimeError):
    """Another job of the same rooms was quicker; whether it saw all that we saw, the next try will tell."""


def _count_tokens(room_id: UUID) -> None:
    """In our estimated tokens, the unit of the prompt's budget; the provider's own counts stay on the generation."""
    uncounted = Message.objects.filter(room_id=room_id, selected=True, deleted_at=None, tokens=0).exclude(content="")
    for message in uncounted:
        Message.objects.filter(pk=message.pk, content=message.content).update(tokens=count_tokens(message.content))


#: Kind → what is called with the messages of one job or of many.
JOBS: dict[str, Callable[..., None]] = {"after_reply": after_reply}
