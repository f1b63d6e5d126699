"""More readers than a core carries, with the admission an operator would set: who is let in, and at what price."""

from __future__ import annotations

from functools import partial

from tests.bench.capacity import PACE, SECONDS, capacity_of
from tests.bench.plan import Job
from tests.bench.rounds import Bench
from tests.bench.server import Subject

ADMITTED_SHARE = 0.8
#: Of the admitted: how many more may wait.
QUEUE_SHARE = 0.25
#: Times the capacity; the first is what is admitted, as the measure of the others.
TIMES = (ADMITTED_SHARE, 1.5, 3.0)


def overload(bench: Bench, subjects: list[Subject]) -> None:
    for subject in subjects:
        if subject.kind == "soksak":
            bench.guarded(subject, partial(_overload, bench), f"overload of {subject.name}")


def _overload(bench: Bench, subject: Subject) -> None:
    carried = capacity_of(bench, subject)
    most = round(carried * ADMITTED_SHARE)
    admission = {"ADMISSION_MAX_CALLS": str(most), "ADMISSION_QUEUE_MAX": str(round(most * QUEUE_SHARE))}
    with bench.serving(subject, admission) as served:
        served.calls_most = most
        for times in TIMES:
            job = Job("overload", PACE, SECONDS, reports=subject.is_reported_to)
            bench.cell(served, round(carried * times), job)
