"""One answer written: prompt → providers' chain → the run, piece by piece. Returns how it ended.

No database and no Redis is awaited here: between a provider's piece and the readers' frame there is only memory,
unless this process was away for longer than its lease.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from chat.generations import Outcome
from chat.log_fields import who_of
from chat.models import Generation
from streaming.instrumentation import StageClock
from streaming.lease import Lease
from streaming.prompting import RoomPrompts
from streaming.providers import Providers
from streaming.providers.base import Finished, ProviderError, Route, Text
from streaming.providers.calls import Call
from streaming.providers.chain import Chain, Recovering, RouteChosen
from streaming.rollout import Assignment
from streaming.run import Run
from streaming.warming import Warmer

ANSWER_MAX_CHARS = 60_000
#: An answer that so many owners did not survive may be what fells them.
ATTEMPTS_MAX = 8


class Superseded(Exception):
    """This process was away so long that another one has taken the answer over."""


@dataclass(slots=True)
class Job:
    """A run with everything needed to write it, and what was noticed on the way."""

    run: Run
    prompts: RoomPrompts
    routes: tuple[Route, ...]
    clock: StageClock
    user_id: int
    character_id: str
    character_pk: int
    path: str
    lease: Lease
    assigned: Assignment
    kind: str
    #: When another owner's text was taken over, by the request's clock.
    took_over_ms: float | None = None
    route_name: str = ""
    model: str = ""
    recoveries: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    #: What every line about this answer says, whoever writes it.
    who: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        key = self.run.key
        self.who = who_of(key.request_id, key.room_id, self.user_id, self.character_id, self.path)


async def write_answer(job: Job, providers: Providers, warmer: Warmer) -> Outcome:
    """Never raises for what a provider does; CancelledError means that this process is stopping."""
    try:
        await warmer.give_way(job.run.key.room_id)
        return _outcome(job, await _write(job, providers))
    except ProviderError as error:
        return _broken(job, error)
    except asyncio.CancelledError:
        if job.run.stopped_at is None:
            raise
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
        return _stopped(job)


async def _write(job: Job, providers: Providers) -> Finished:
    run, clock = job.run, job.clock
    if run.key.attempt > ATTEMPTS_MAX:
        raise ProviderError("internal_error", "Too many owners of this answer have gone.", retryable=True)
    async with aclosing(_chain(job, providers).generate(initial_text=run.text)) as pieces:
        async for piece in pieces:
            if not job.lease.holds() and not await job.lease.confirm(run.key.message_id):
                raise Superseded
            match piece:
                case Text(text):
                    _append(run, clock, text)
                case Finished():
                    return piece
                case RouteChosen(name, model):
                    job.route_name, job.model = name, model
                case Recovering(code, _):
                    job.recoveries.append(code)
    raise ProviderError("provider_incomplete", "The stream ended without its marker.", retryable=True)


def _chain(job: Job, providers: Providers) -> Chain:
    hedging = providers.hedging

    def heard(call: Call) -> None:
        job.calls.append(call)
        hedging.note(call)

    def on_ahead(ahead: int | None) -> None:
        if not job.run.length:
            job.run.wait(ahead)

    return Chain(
        hedging.health.ordered(job.routes), providers.provider_for, job.prompts.build,
        stream=job.path != "completed", mark=job.clock.mark, heard=heard, hedging=hedging,
        admission=providers.admission, user_id=job.user_id, on_ahead=on_ahead,
    )


def _append(run: Run, clock: StageClock, text: str) -> None:
    # No database keeps NUL.
    text = text.replace("\x00", "")
    if not text:
        return
    if run.length + len(text) > ANSWER_MAX_CHARS:
        raise ProviderError("provider_garbage", "The answer does not end.", retryable=False)
    run.append(text)
    if "first_frame" not in clock.marks:
        clock.mark("first_frame")


def _outcome(job: Job, finished: Finished) -> Outcome:
    if not job.run.length:
        return _failed(job, "provider_empty")
    return Outcome(
        status=Generation.Status.DONE, text=job.run.text, last_seq=job.run.next_seq, finish_reason=finished.reason,
        prompt_tokens=_storable(finished.prompt_tokens), completion_tokens=_storable(finished.completion_tokens),
        cached_tokens=_storable(finished.cached_tokens), **_measured(job),
    )


def _storable(tokens: int | None) -> int | None:
    """A provider's count as told, unless no column could hold it: that must not cost the answer its end."""
    return tokens if tokens is not None and 0 <= tokens < 2**31 else None


def _stopped(job: Job) -> Outcome:
    """Clamped to what the reader saw, which may be less than what had been sent."""
    return Outcome(
        status=Generation.Status.STOPPED, text=job.run.text[: job.run.stopped_at], last_seq=job.run.next_seq,
        finish_reason="stopped", **_measured(job),
    )


def _broken(job: Job, error: ProviderError) -> Outcome:
    """Text that was written is kept; without any it is a failure."""
    if not job.run.length:
        return _failed(job, error.code)
    return Outcome(
        status=Generation.Status.INTERRUPTED, text=job.run.text, last_seq=job.run.next_seq,
        finish_reason="interrupted", error_code=error.code, **_measured(job),
    )


def _failed(job: Job, code: str) -> Outcome:
    return Outcome(
        status=Generation.Status.FAILED, text="", last_seq=job.run.next_seq, error_code=code, **_measured(job)
    )


def _measured(job: Job) -> dict[str, Any]:
    return {
        "first_ms": job.clock.marks.get("first_frame"), "total_ms": job.clock.now_ms(),
        "route_name": job.route_name, "model": job.model,
    }
