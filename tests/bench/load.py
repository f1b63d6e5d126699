"""The sections that run every subject in turn, round after round, so that a slow moment of the machine hits all."""

from __future__ import annotations

from functools import partial

from tests.bench.plan import FIRST_PACE, SLOW_PACE, Job
from tests.bench.rounds import Bench
from tests.bench.server import Subject

HTTP_PATHS = ("sse", "completed")
SLOW_SECONDS = 10.0
MEMORY_SECONDS = 2.0


def load(bench: Bench, subjects: list[Subject]) -> None:
    """Streams of the plan's pace, then of the fast one."""
    for number in range(bench.plan.rounds):
        for subject in subjects:
            bench.guarded(subject, partial(_round, bench, number=number))


def _round(bench: Bench, subject: Subject, *, number: int) -> None:
    plan = bench.plan
    reports = subject.is_reported_to
    with bench.serving(subject) as served:
        for streams in plan.streams_of(number):
            if streams == 1:
                bench.cell(served, 1, Job("first", FIRST_PACE, plan.first_seconds, reports=reports), number)
            bench.cell(served, streams, Job("load", plan.pace, plan.seconds, reports=reports), number)
            if streams == plan.repeat_at and plan.fast_rate:
                bench.cell(served, streams, Job("load", plan.fast_pace, plan.seconds, reports=reports), number)


def paths(bench: Bench, subjects: list[Subject]) -> None:
    """Ours without a socket; the socket's own figures are those of the section load."""
    for subject in subjects:
        if subject.kind == "soksak":
            bench.guarded(subject, partial(_paths, bench))


def _paths(bench: Bench, subject: Subject) -> None:
    plan = bench.plan
    with bench.serving(subject) as served:
        for path in ("socket", *HTTP_PATHS):
            job = Job("paths", plan.pace, plan.seconds, path=path, reports=subject.is_reported_to)
            bench.cell(served, plan.repeat_at, job)


def slow(bench: Bench, subjects: list[Subject]) -> None:
    """Many slow streams: what each keeps in memory, and what ours wait for their first words."""
    for subject in subjects if bench.plan.memory_streams else []:
        bench.guarded(subject, partial(_slow, bench))


def _slow(bench: Bench, subject: Subject) -> None:
    plan, reports = bench.plan, subject.is_reported_to
    with bench.serving(subject) as served:
        bench.cell(served, plan.memory_streams, Job("memory", SLOW_PACE, MEMORY_SECONDS, reports=reports))
        if subject.kind == "soksak" and plan.slow_streams:
            bench.cell(served, plan.slow_streams, Job("slow", SLOW_PACE, SLOW_SECONDS, reports=reports))
