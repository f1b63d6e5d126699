"""What is measured of an answer: the stages it passes, and how its provider behaved. Knows no Django, no socket.

Clocks are injected; all are monotonic, in seconds. Observing costs two clock reads a piece and no lock until the end.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import TypeAlias

import structlog
from prometheus_client import Counter, Histogram

from chat.labelled import note, note_later
from streaming.providers.base import Finished, Mark, ProviderError
from streaming.providers.calls import Call, Heard, size_of, unheard

Clock: TypeAlias = Callable[[], float]

log = structlog.get_logger(__name__)
_log_level = logging.getLogger(__name__)

#: The server's marks of one request, in the order in which they are reached.
STAGES = (
    "received", "accepted", "context_loaded", "prompt_built", "provider_asked", "first_byte",
    "first_content", "first_frame", "end_frame", "settled",
)
_KNOWN = frozenset(STAGES)
_FAST = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 60.0)
_LONG = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 300.0)

# name, what it counts, labels. Buckets are fixed, so that histograms of many processes can be added.
STAGE = Histogram("soksak_stage_seconds", "From received to a stage.", ["stage", "path"], buckets=_FAST)
FIRST_BYTE = Histogram("soksak_provider_first_byte_seconds", "From asked to the first byte.", ["route"], buckets=_FAST)
FIRST_CONTENT = Histogram(
    "soksak_provider_first_content_seconds", "From asked to the first content.", ["route"], buckets=_FAST
)
WORST_GAP = Histogram(
    "soksak_provider_worst_gap_seconds", "The longest wait between contents of one stream.", ["route"], buckets=_FAST
)
TOTAL = Histogram("soksak_provider_seconds", "From asked to the end.", ["route", "outcome"], buckets=_LONG)
ATTEMPTS = Counter("soksak_provider_attempts_total", "Requests to a provider, by how they ended.", ["route", "outcome"])
TOKENS = Counter("soksak_provider_tokens_total", "Tokens, as the provider counted them.", ["route", "kind"])


class StageClock:
    """Milliseconds from `received` to each stage of one request. The first mark of a stage counts.

    A failed attempt may have seen a first byte: until there is content, `first_byte` is the last one.
    """

    __slots__ = ("_clock", "_received_at", "_tells", "marks")

    def __init__(self, clock: Clock = time.monotonic, *, received_at: float | None = None) -> None:
        self._clock = clock
        self._received_at = clock() if received_at is None else received_at
        self._tells = _log_level.isEnabledFor(logging.DEBUG)
        self.marks: dict[str, float] = {"received": 0.0}

    @classmethod
    def since(cls, received_at: float) -> StageClock:
        """A clock whose request was received at `received_at`, by time.monotonic."""
        return cls(received_at=received_at)

    @property
    def received_at(self) -> float:
        return self._received_at

    def mark(self, stage: str) -> None:
        """Reached now."""
        self.set(stage, self._clock())

    def set(self, stage: str, at: float) -> None:
        """Reached at `at`, by this clock. A stage that is not one of STAGES is our own mistake: KeyError."""
        marks = self.marks
        if stage in marks and (stage != "first_byte" or "first_content" in marks):
            return
        if stage not in _KNOWN:
            raise KeyError(stage)
        marks[stage] = (at - self._received_at) * 1000
        if self._tells:
            log.debug("stage", stage=stage, ms=round(marks[stage], 1))

    def now_ms(self) -> float:
        return self.ms(self._clock())

    def ms(self, at: float) -> float:
        return (at - self._received_at) * 1000


def rounded(marks: Mapping[str, float]) -> dict[str, float]:
    """For storing."""
    return {name: tenths(ms) for name, ms in marks.items()}


def tenths(ms: float) -> float:
    """Of a millisecond. As `round(ms, 1)`, which writes the number out and reads it again, in a third of the time."""
    return (ms * 10 + 0.5) // 1 / 10


def observe(marks: Mapping[str, float], path: str) -> None:
    """Have the marks of a request in the histograms; once, after its end."""
    for stage, ms in marks.items():
        if stage != "received":
            note(STAGE, stage, path, value=ms / 1000)


class Meter:
    """One request to one provider: a context, from its being asked to its end. `heard` gets the call.

    Give `mark` to the provider. The outcome is a finish reason, an error's code, `cancelled` or `lost`.
    """

    __slots__ = ("_clock", "_first_byte_at", "_heard", "_is_lost", "_mark", "_waits_since", "_worst_gap", "call")

    def __init__(self, call: Call, mark: Mark, heard: Heard = unheard, clock: Clock = time.monotonic) -> None:
        self.call = call
        self._mark = mark
        self._heard = heard
        self._clock = clock
        self._first_byte_at: float | None = None
        self._waits_since = 0.0
        self._worst_gap = 0.0
        self._is_lost = False

    def mark(self, stage: str) -> None:
        if stage == "first_byte":
            self._first_byte_at = self._clock()
        self._mark(stage)

    def lose(self) -> None:
        """It is about to be ended, because another one was faster."""
        self._is_lost = True

    def __enter__(self) -> Meter:
        # Not before: it may have waited its turn.
        self.call.asked_at = self._waits_since = self._clock()
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        own = self._told(error)
        self._end()
        if own is not None:
            raise own from error

    def wrote(self, text: str) -> None:
        now, call = self._clock(), self.call
        call.text_bytes += size_of(text)
        if call.first_seconds is None:
            call.first_seconds = now - call.asked_at
        elif (gap := now - self._waits_since) > self._worst_gap:
            self._worst_gap = gap
        self._waits_since = now

    def finish(self, finished: Finished) -> None:
        self.call.outcome, self.call.finished = finished.reason, finished

    # Internal

    def _told(self, error: BaseException | None) -> ProviderError | None:
        """Note how it ended; what is to be raised instead of `error`, if anything."""
        call = self.call
        if isinstance(error, ProviderError):
            call.outcome, call.retry_after_seconds = error.code, error.retry_after_seconds
        elif isinstance(error, Exception):
            # Our own mistake about one provider; whoever else can answer still does.
            log.exception("attempt_crashed", route=call.route)
            call.outcome = "provider_garbage"
            return ProviderError(call.outcome, f"{type(error).__name__}: {error}", retryable=False)
        return None

    def _end(self) -> None:
        call = self.call
        call.outcome = call.outcome or ("lost" if self._is_lost else "cancelled")
        call.seconds = self._clock() - call.asked_at
        self.observe()
        self._heard(call)

    def observe(self) -> None:
        """Have it counted; once, after its end."""
        note_later(self._note)

    def _note(self) -> None:
        call = self.call
        note(ATTEMPTS, call.route, call.outcome)
        note(TOTAL, call.route, call.outcome, value=call.seconds)
        if self._first_byte_at is not None:
            note(FIRST_BYTE, call.route, value=self._first_byte_at - call.asked_at)
        if call.first_seconds is not None:
            note(FIRST_CONTENT, call.route, value=call.first_seconds)
            note(WORST_GAP, call.route, value=self._worst_gap)
        if call.finished is not None:
            self._count_tokens(call.finished)

    def _count_tokens(self, finished: Finished) -> None:
        for kind in ("prompt", "completion", "cached"):
            if (tokens := getattr(finished, f"{kind}_tokens") or 0) > 0:
                note(TOKENS, self.call.route, kind, value=tokens)
