"""One row a request, filled from two sides: the server after the end, the browser when it tells. Whoever is first
makes the row; whoever is second sees both. Nothing here is on the way of an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from prometheus_client import Counter

from chat import client_marks, turn_statements
from chat.figures import Figures, Measured, figures
from chat.kpi import live
from chat.kpi.definitions import LOST_SEND
from chat.labelled import tell_noted
from chat.models import Generation, Room, Trace
from chat.pending_traces import Ended, Kept, Key, Pending, Read

REJECTED = Counter("soksak_client_timings_rejected_total", "Browsers' reports that no figure was made of.", ["reason"])
MISMATCHES = Counter("soksak_reader_mismatches_total", "Answers a browser found to differ from the server's.")
#: Of one user, as told by browsers alone: who loses more has told enough, and who forges them tells no more than that.
LOST_SENDS_PER_HOUR = 3
#: The clocks of two servers may differ by so much.
AHEAD_MS = 5_000.0
_OF_FIGURES = ("ttft_ms", "ttft_source", "completion_ms", "failure", "abandoned")

log = structlog.get_logger(__name__)
#: This process's.
pending = Pending()


@dataclass(frozen=True, slots=True)
class Report:
    """What a browser tells of one of its user's requests; the last four of one that was never accepted."""

    user_id: int
    request_id: str
    marks: Mapping[str, float]
    room_id: UUID | None = None
    path: str = ""
    cohort: str = ""
    stage: int = 0


def keep(user_id: int, request_id: str, make: Callable[[], Trace]) -> None:
    """The server's side, after the end: `made` and written with others, a moment later."""
    pending.put((user_id, request_id), make)


def made(kept: Iterable[Kept]) -> list[Ended]:
    """Of what was collected; asks nothing of the database. One that cannot be made costs no other."""
    ended = []
    for one in kept:
        try:
            ended.append(_ended(one))
        except Exception:
            log.exception("trace_not_made")
    return ended


def write(ended: Sequence[Ended]) -> int:
    """Returns how many could not be written, their room or guest having been deleted."""
    try:
        _write(ended)
    except IntegrityError:
        return sum(not _is_written(one) for one in ended)
    finally:
        tell_noted()
    return 0


def came_back(user_id: int, request_id: str, ms: float) -> None:
    """A reader came back a moment after the end that nobody had waited for, `ms` after `received`."""
    with transaction.atomic():
        trace = _locked(user_id, request_id)
        if trace is not None:
            trace.marks["back"] = ms
            trace.resumes += 1
            _save(trace, ("marks", "resumes"))


def report(told: Report) -> str:
    """The browser's side; the first report of a request counts. Returns why it was rejected, or an empty string."""
    marks = client_marks.known(told.marks)
    reason = client_marks.doubt(marks) or _take(told, marks)
    if reason:
        _reject(told.user_id, told.request_id, told.room_id, told.path, reason)
    tell_noted()
    return reason


def report_at_hand(user_id: int, request_id: str, read: Read) -> bool:
    """As `report`, where the trace is at hand: then nothing is asked of the database. False: it is not."""
    return pending.tell((user_id, request_id), read)


# Internal


def _ended(kept: Kept) -> Ended:
    trace = kept.make()
    ended = Ended(trace, _refigured(trace))
    for read in kept.told:
        marks = client_marks.known(read())
        if reason := client_marks.doubt(marks) or _taken(trace, marks):
            _reject(*ended.key, trace.room_id, trace.path, reason)
    return ended


def _taken(trace: Trace, marks: dict[str, float]) -> str:
    """Beside a row that is still to be written; or why not."""
    is_ahead = client_marks.since_accepted(marks) > max(trace.marks.values(), default=0.0) + AHEAD_MS
    return "future" if is_ahead else _note(trace, marks, _refigured)


def _reject(user_id: int, request_id: str, room_id: UUID | None, path: str, reason: str) -> None:
    REJECTED.labels(reason).inc()
    log.info(
        "timings_rejected", requestId=request_id, roomId=str(room_id), userId=user_id, path=path, reason=reason
    )


def _is_written(ended: Ended) -> bool:
    try:
        _write([ended])
    except IntegrityError:
        return False
    return True


def _write(ended: Sequence[Ended]) -> None:
    if not ended:
        return
    told = turn_statements.write_traces([one.trace for one in ended])
    merged = _merge([one.trace for one in ended if one.key in told]) if told else {}
    for one in ended:
        _count(one, merged.get(one.key))


def _merge(traces: list[Trace]) -> dict[Key, Trace]:
    """Their rows are ours until the end: nobody sees the figures of one side when there are two."""
    merged: dict[Key, Trace] = {}
    with transaction.atomic():
        turn_statements.write_told_traces(traces)
        for trace in traces:
            key = trace.user_id, trace.request_id
            both = _locked(*key)
            if both is not None:
                merged[key] = both
                REJECTED.labels("inconsistent").inc(_save(both).is_doubtful)
    return merged


def _take(told: Report, marks: dict[str, float]) -> str:
    if _is_ahead(told, client_marks.since_accepted(marks)):
        return "future"
    with transaction.atomic():
        trace = _locked(told.user_id, told.request_id) or _made(told, marks)
        if isinstance(trace, str):
            return trace
        if _is_late(trace.created_at):
            return "late"
        return _note(trace, marks, partial(_save, fields=("client_marks", "mismatched")))


def _is_contradicted(trace: Trace, marks: Mapping[str, float]) -> bool:
    """A browser compares at the end of an answer, which is told once it is written: before, nothing can differ."""
    if "mismatch" not in marks:
        return False
    if trace.outcome:
        return trace.outcome == Generation.Status.FAILED
    unwritten = (Generation.Status.RUNNING, Generation.Status.FAILED)
    return not Generation.objects.filter(pk=trace.message_id).exclude(status__in=unwritten).exists()


def _note(trace: Trace, marks: dict[str, float], save: Callable[[Trace], Figures]) -> str:
    if _is_contradicted(trace, marks):
        return "contradicted"
    if "mismatch" in marks and not trace.mismatched:
        # Noticed by another tab too, or by a later page: it is told apart from the rest, once.
        MISMATCHES.inc()
        trace.mismatched = True
    is_first = not trace.client_marks or client_marks.completes(marks, trace.client_marks)
    before = Figures(trace.ttft_ms, trace.ttft_source, trace.completion_ms, trace.failure, trace.abandoned)
    if is_first and marks.keys() != {"mismatch"}:
        trace.client_marks = marks
    found = save(trace)
    live.went_wrong(trace, found, since=before)
    if trace.marks and before.ttft_source != "browser" and found.ttft_source == "browser":
        live.seen(trace, found, "browser")
    if not is_first:
        return "" if marks.keys() == {"mismatch"} else "duplicate"
    return "inconsistent" if found.is_doubtful else ""


def _count(ended: Ended, both: Trace | None) -> None:
    """The server's side; `both`: the browser had told before, of an answer that nobody knew yet."""
    trace, served = ended.trace, ended.served
    before = figures(Measured(path=both.path, client=both.client_marks)) if both else live.NOTHING
    if both is None or not client_marks.is_lost_send(both.client_marks):
        live.sent(trace)
    live.seen(trace, served, "server")
    live.went_wrong(both or trace, both or served, since=before)
    if both is not None and both.ttft_source == "browser":
        live.seen(both, both, "browser")


def _is_ahead(told: Report, since_accepted_ms: float) -> bool:
    """Nobody has measured what is still to come: more time than has gone by since the acceptance."""
    if since_accepted_ms <= AHEAD_MS:
        return False
    rows = Generation.objects.filter(user_id=told.user_id, request_id=told.request_id)
    accepted_at = rows.values_list("created_at", flat=True).first()
    if accepted_at is None:
        return False
    return since_accepted_ms > (timezone.now() - accepted_at).total_seconds() * 1000 + AHEAD_MS


def _locked(user_id: int, request_id: str) -> Trace | None:
    return Trace.objects.select_for_update().filter(user_id=user_id, request_id=request_id).first()


def _is_late(asked_at: datetime) -> bool:
    return timezone.now() - asked_at > timedelta(seconds=settings.TIMINGS_LATE_SECONDS)


def _made(told: Report, marks: dict[str, float]) -> Trace | str:
    """The row of a request whose server has not told yet, or never will; or why there shall be none."""
    rows = Generation.objects.filter(user_id=told.user_id, request_id=told.request_id).select_related("room")
    generation = rows.first()
    if generation is not None and _is_late(generation.created_at):
        return "late"
    trace = _of_lost_send(told, marks) if generation is None else _of_generation(told, generation)
    if isinstance(trace, str):
        return trace
    if _is_contradicted(trace, marks):
        return "contradicted"
    turn_statements.make_trace(trace)
    return _locked(told.user_id, told.request_id) or "unknown_request"


def _of_generation(told: Report, generation: Generation) -> Trace:
    return Trace(
        user_id=told.user_id, request_id=told.request_id, room_id=generation.room_id, kind=generation.kind,
        character_id=generation.room.character_id, message_id=generation.pk, path=generation.path,
        cohort=generation.cohort, stage=generation.stage,
    )


def _of_lost_send(told: Report, marks: dict[str, float]) -> Trace | str:
    """Of the user's own room. Nobody but this browser knows of it: a few are taken at its word."""
    if told.room_id is None or not client_marks.is_lost_send(marks):
        return "unknown_request"
    room = Room.objects.filter(pk=told.room_id, owner_id=told.user_id).first()
    if room is None:
        return "unknown_request"
    lately = timezone.now() - timedelta(hours=1)
    if Trace.objects.filter(LOST_SEND, user_id=told.user_id, created_at__gt=lately).count() >= LOST_SENDS_PER_HOUR:
        return "too_many"
    lost = Trace(
        user_id=told.user_id, request_id=told.request_id, room_id=room.pk, character_id=room.character_id,
        path=told.path, cohort=told.cohort, stage=told.stage,
    )
    live.sent(lost)
    return lost


def _refigured(trace: Trace) -> Figures:
    found = figures(_measured(trace))
    _fill(trace, found)
    return found


def _save(trace: Trace, fields: Sequence[str] = ()) -> Figures:
    found = _refigured(trace)
    trace.save(update_fields=[*fields, *_OF_FIGURES])
    return found


def _fill(trace: Trace, found: Figures) -> None:
    for name in _OF_FIGURES:
        setattr(trace, name, getattr(found, name))


def _measured(trace: Trace) -> Measured:
    return Measured(
        path=trace.path, kind=trace.kind, outcome=trace.outcome, error_code=trace.error_code,
        server=trace.marks, client=trace.client_marks,
    )
