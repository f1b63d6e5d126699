"""What became of a storm's conversations: lost, doubled, mismatched, endless; and how long readers waited."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from tests.faults.cells import Path
from tests.faults.clients import Diary
from tests.faults.rows import Rows
from tests.faults.script import Script


@dataclass(slots=True)
class Told:
    """One conversation as its client ended. `failure`: why it has no answer; `text`, `status`: the answer."""

    path: Path
    script: Script
    room_id: UUID
    request_id: str
    diary: Diary
    text: str = ""
    status: str = ""
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Kill:
    """`running`: attempts by requestId of what the worker was writing."""

    at: float
    running: dict[str, int]


@dataclass(slots=True)
class Report:
    conversations: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    mismatched: list[str] = field(default_factory=list)
    endless: list[str] = field(default_factory=list)
    sends_failed: list[str] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    takeovers: list[float] = field(default_factory=list)
    resumes: list[float] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        return [*self.lost, *self.doubled, *self.mismatched, *self.endless, *self.sends_failed]

    def lines(self) -> list[str]:
        counted = {name: len(getattr(self, name)) for name in ("lost", "doubled", "mismatched", "endless")}
        return [
            f"{self.conversations} conversations: " + ", ".join(f"{count} {name}" for name, count in counted.items()),
            f"sends failed: {len(self.sends_failed)}; refused and tried again: {dict(self.refusals) or 'none'}",
            f"calls to the model: {self.calls}",
            f"takeover, kill to next text: {percentiles(self.takeovers, 's', 1)}",
            f"attached again, to next text: {percentiles(self.resumes, 'ms', 1000)}",
            *(f"  {line}" for line in self.wrong),
        ]


def report(tolds: Sequence[Told], kills: Iterable[Kill], rows: Rows, calls: Counter[str]) -> Report:
    found = Report(conversations=len(tolds))
    for told in tolds:
        _judge(found, told, rows)
        found.refusals.update(told.diary.refusals)
        found.calls += calls[told.script.behaviour]
        found.resumes += [heard - asked for asked, heard in told.diary.resumed]
    by_request = {told.request_id: told for told in tolds}
    for kill in kills:
        gaps = (_gap(kill, by_request.get(request_id), attempt) for request_id, attempt in kill.running.items())
        found.takeovers += [gap for gap in gaps if gap is not None]
    return found


def _judge(found: Report, told: Told, rows: Rows) -> None:
    name = f"{told.path} {told.script.behaviour}"
    said, answers = rows.said(told.room_id), rows.answers(told.room_id)
    if told.failure:
        (found.sends_failed if told.failure.startswith("refused") else found.endless).append(f"{name}: {told.failure}")
    if not said or not answers or answers[0].status != "complete":
        found.lost.append(f"{name}: stored {len(said)} messages, {[answer.status for answer in answers]}")
    if len(said) > 1 or len(answers) > 1:
        found.doubled.append(f"{name}: {len(said)} messages, {len(answers)} answers")
    texts = {*([] if told.failure else [told.text]), *(answer.text for answer in answers)}
    if texts - {told.script.text} or any(change.kind == "mismatch" for change in told.diary.changes):
        found.mismatched.append(f"{name}: {[len(text) for text in texts]} characters, not {len(told.script.text)}")


def _gap(kill: Kill, told: Told | None, attempt: int) -> float | None:
    """From the kill to the next owner's first text; only where somebody was reading."""
    if told is None or told.path is Path.POST or not told.diary.moves or told.diary.moves[0][0] > kill.at:
        return None
    return next((at - kill.at for at, by in told.diary.moves if at > kill.at and by > attempt), None)


def percentiles(seconds: Sequence[float], unit: str, factor: float) -> str:
    if not seconds:
        return "none"
    ordered = sorted(seconds)
    chosen = {"p50": 0.5, "p95": 0.95, "max": 1.0}
    found = {name: ordered[min(len(ordered) - 1, int(len(ordered) * part))] * factor for name, part in chosen.items()}
    return f"{len(ordered)} times, " + ", ".join(f"{name} {value:.4g} {unit}" for name, value in found.items())
