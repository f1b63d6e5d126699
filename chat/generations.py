"""The life of an answer after acceptance: checkpoint, settle, claim. Every write is a compare-and-set."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import DateTimeField, ExpressionWrapper, F
from django.db.models.functions import Now
from django.utils import timezone

import chat.outbox as outbox
from chat import turn_statements
from chat.models import Generation, Message, ProcessLease
from chat.statements import Statement, Told, brief_transaction, tell
from chat.tokens import count_tokens
from chat.turn_statements import Window, has_ended, knowing

#: How long a dead process's lease tells an operator that there was one.
LEASE_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an answer ended. `status` is a Generation.Status; `text` is all of it."""

    status: str
    text: str
    last_seq: int
    finish_reason: str = ""
    error_code: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    first_ms: float | None = None
    total_ms: float | None = None
    route_name: str = ""
    model: str = ""


_OF_OUTCOME = tuple(field.name for field in fields(Outcome))
#: What the message becomes when its generation ends so.
MESSAGE_STATUS = {
    Generation.Status.DONE: Message.Status.COMPLETE,
    Generation.Status.STOPPED: Message.Status.STOPPED,
    Generation.Status.INTERRUPTED: Message.Status.INTERRUPTED,
    Generation.Status.FAILED: Message.Status.FAILED,
}


def settle(message_id: UUID, attempt: int, outcome: Outcome, window: Window | None = None) -> bool:
    """Write the end once. False: a newer attempt owns the answer, or it has ended; nothing of it was written.

    `window` moves in any case, unless the room has moved on: a rewind may have opened it again.
    """
    with brief_transaction():
        return has_ended(tell(*settling(message_id, attempt, outcome, window), is_last=True, prepares=True))


def settling(message_id: UUID, attempt: int, outcome: Outcome, window: Window | None = None) -> list[Statement]:
    """All that `settle` tells, for one trip and `has_ended`."""
    end = {name: getattr(outcome, name) for name in _OF_OUTCOME} | {"checkpoint_text": "", "ended_at": timezone.now()}
    tokens, status = count_tokens(outcome.text), MESSAGE_STATUS[Generation.Status(outcome.status)]
    job = outbox.held("after_reply", message_id)
    return turn_statements.end_answer(
        message_id, attempt, end, job, content=outcome.text, tokens=tokens, status=status, window=window
    )


def checkpoint(owner: str, texts: Sequence[tuple[UUID, str, int]]) -> int:
    """Write (messageId, text, seq) of many running answers in one statement; returns how many were ours.

    The owner is the fence: a process whose answers were claimed by another one writes nothing.
    """
    return turn_statements.checkpoint(owner, texts)


def owned_by(owner: str, message_ids: Sequence[UUID]) -> set[UUID]:
    """Those that still run and are `owner`'s."""
    rows = Generation.objects.filter(pk__in=message_ids, owner=owner, status=Generation.Status.RUNNING)
    return set(rows.values_list("pk", flat=True))


def renew_lease(owner: str, *, seconds: float) -> None:
    """This process is alive until `seconds` from now, by the database's clock: machines' clocks differ."""
    expires = ExpressionWrapper(Now() + timedelta(seconds=seconds), output_field=DateTimeField())
    if not ProcessLease.objects.filter(owner=owner).update(expires_at=expires):
        ProcessLease.objects.create(owner=owner, expires_at=expires)
        # Once a process: those that were killed left theirs behind.
        ProcessLease.objects.filter(expires_at__lt=Now() - LEASE_KEPT).delete()


def drop_lease(owner: str) -> None:
    """This process has gone, and says so."""
    ProcessLease.objects.filter(owner=owner).delete()


def live_owners(*, seconds: float) -> set[str]:
    """Leases last `seconds`: one that would last longer is from before a clock jumped back and proves nothing."""
    longest = ExpressionWrapper(Now() + timedelta(seconds=2 * seconds), output_field=DateTimeField())
    rows = ProcessLease.objects.filter(expires_at__gt=Now(), expires_at__lte=longest)
    return set(rows.values_list("owner", flat=True))


def running(owner: str, *, seconds: float) -> list[Running]:
    """Every running answer of the installation, but what `owner` was given less than so many seconds ago."""
    return [Running(*row) for row in turn_statements.running(owner, timezone.now() - timedelta(seconds=seconds))]


class Running(NamedTuple):
    message_id: UUID
    attempt: int
    owner: str


def claim(message_id: UUID, attempt: int, owner: str) -> Generation | None:
    """Take over an answer whose owner is gone: raises the attempt. None: somebody else was first."""
    won = Generation.objects.filter(
        pk=message_id, attempt=attempt, status=Generation.Status.RUNNING
    ).update(attempt=F("attempt") + 1, owner=owner)
    if not won:
        return None
    return Generation.objects.select_related("message", "room__character").get(pk=message_id)


def load(message_id: UUID) -> Generation | None:
    """With the rows that a reader of it needs; None once it was rewound away."""
    rows = Generation.objects.select_related("message__reply_to", "room")
    return rows.filter(pk=message_id, message__deleted_at=None).first()


def known(requests: Collection[tuple[int, str]]) -> set[tuple[int, str]]:
    """Those of these (userId, requestId) that were accepted once."""
    return known_of(tell(knowing(requests), prepares=True))


def known_of(told: Sequence[Told]) -> set[tuple[int, str]]:
    """What came of `knowing`, told alone."""
    return {(user_id, request_id) for user_id, request_id in told[0].rows}


def states(message_ids: Sequence[UUID]) -> dict[UUID, tuple[str, int, int]]:
    """(status, attempt, checkpoint_seq) of those that were not rewound away."""
    rows = Generation.objects.filter(pk__in=message_ids, message__deleted_at=None)
    return {pk: (status, attempt, seq) for pk, status, attempt, seq in rows.values_list(
        "pk", "status", "attempt", "checkpoint_seq"
    )}


def running_in(room_ids: Collection[UUID], *, not_by: str) -> list[Generation]:
    """What other processes than `not_by` write in these rooms."""
    rows = Generation.objects.select_related("message__reply_to", "room")
    return list(rows.filter(room_id__in=room_ids, status=Generation.Status.RUNNING).exclude(owner=not_by))


def ask_stop(user_id: int, room_id: UUID, message_id: UUID, seen_length: int) -> bool | None:
    """Whoever owns the answer ends it at `seen_length` code points. False: it is over; None: the user has no such."""
    mine = Generation.objects.filter(
        pk=message_id, room_id=room_id, room__owner_id=user_id, message__deleted_at=None
    )
    if mine.filter(status=Generation.Status.RUNNING).update(stop_length=seen_length):
        return True
    return False if mine.exists() else None


def owned(owner: str) -> dict[UUID, int | None]:
    """messageId → where somebody wants it to end, of every running answer that is the owner's."""
    return dict(turn_statements.owned(owner))
