"""The matrix as plain data: which fault meets which path at which moment, and what must be true afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class Path(StrEnum):
    SOCKET = "socket"
    SSE = "SSE"
    POST = "POST"


class Moment(StrEnum):
    BEFORE_ACCEPT = "before accept"
    AFTER_ACCEPT = "after accept"
    BEFORE_CONTENT = "before first content"
    MIDWAY = "mid-answer"
    AT_END = "at the end"


#: How each moment is held until the fault has struck.
HELD: dict[Moment, str] = {
    Moment.BEFORE_ACCEPT: "the request is at the worker, and the line to Postgres stands still",
    Moment.AFTER_ACCEPT: "committed; the model has been asked and has not answered",
    Moment.BEFORE_CONTENT: "the model's stream is open, without content",
    Moment.MIDWAY: "a third of the words is out",
    Moment.AT_END: "every word is out; the model's end marker is not",
}
#: Calls to the model: least and most.
Calls = tuple[int, int]
ONE, TWO, ONE_OR_TWO = (1, 1), (2, 2), (1, 2)


@dataclass(frozen=True, slots=True)
class Fault:
    """`calls`: once the answer runs; `calls_unaccepted`: when it struck before acceptance; None: no such cell."""

    name: str
    what: str
    calls: Calls
    bound_seconds: float
    calls_unaccepted: Calls | None = ONE
    #: Seconds a model may be silent.
    patience_seconds: float = 90.0
    #: (path, moment) that makes no sense, with the reason.
    left_out: dict[tuple[Path, Moment], str] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        return self.name.replace(" ", "-").replace(",", "")

    def calls_at(self, moment: Moment) -> Calls:
        return self.calls_unaccepted or self.calls if moment is Moment.BEFORE_ACCEPT else self.calls

    def reason_against(self, path: Path, moment: Moment) -> str | None:
        """Why there is no such cell; None: there is one."""
        return self.left_out.get((path, moment))

    def cells(self) -> Iterator[tuple[Path, Moment]]:
        return ((path, moment) for moment in Moment for path in Path if (path, moment) not in self.left_out)


NOT_ASKED = {(path, Moment.BEFORE_ACCEPT): "the model has not been asked yet" for path in Path}

FAULTS = (
    Fault("worker killed", "kill -9 of the worker that owns the answer and holds its reader.", TWO, 12.0),
    Fault("worker told to end", "SIGTERM to it.", ONE_OR_TWO, 20.0, ONE_OR_TWO),
    Fault(
        "worker a zombie",
        "SIGSTOP until its answers have been taken over; SIGCONT, and then both owners have the rest to say.",
        TWO, 20.0, ONE_OR_TWO,
    ),
    Fault("line cut", "RST on every client's connection.", ONE, 10.0),
    Fault("line frozen", "Every client's connection stays open and moves nothing any more.", ONE, 20.0),
    Fault("line half-open", "The server sees every connection's end, the clients see nothing.", ONE, 20.0),
    Fault("model cut", "The model's connection closes.", TWO, 12.0, left_out=NOT_ASKED),
    Fault(
        "model stalled", "The model says nothing more, its connection stays.", TWO, 20.0,
        patience_seconds=5.0, left_out=NOT_ASKED,
    ),
    Fault("model talks garbage", "What comes next of the model cannot be understood.", TWO, 12.0, left_out=NOT_ASKED),
    Fault("Redis killed", "kill -9; the answers end without it; it comes back empty.", ONE, 10.0),
    Fault("Redis stalled", "SIGSTOP; the answers end meanwhile; SIGCONT.", ONE, 10.0),
    Fault("Redis flushed", "Everything in it is gone from one moment to the next.", ONE, 10.0),
    Fault("Redis failed over", "Every stream loses its newer half, every connection is ended.", ONE, 10.0),
    Fault("Postgres restarted", "A real restart while the answers go on to their ends.", ONE, 20.0),
    Fault("sent twice", "The same requestId again, by another door of the same worker.", ONE, 10.0),
    Fault("two workers racing", "The same requestId again, by the same door of another worker.", ONE, 10.0),
    Fault(
        "lease jumps back", "The owner's lease looks an hour old although it lives: its clock is behind.",
        ONE_OR_TWO, 12.0, ONE_OR_TWO,
    ),
    Fault("lease jumps ahead", "The owner's lease ends in an hour; kill -9 of the owner.", TWO, 12.0),
)

#: Rows for daphne as well: it never pushes back, and ends in its own way.
ON_DAPHNE = ("worker killed", "worker told to end", "line cut", "line half-open", "Redis killed")

#: Faults whose row fails, always or now and then, with what was seen; its test is expected to fail until it leaves.
NOT_PASSING_YET: dict[str, str] = {}
