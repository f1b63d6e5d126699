"""What instrumentation costs: two servers alike but for it, measured in turn, pair by pair."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from tests.bench.plan import Job
from tests.bench.rounds import Bench
from tests.bench.server import Subject


def instrumentation(bench: Bench, subjects: list[Subject]) -> None:
    for subject in subjects:
        if subject.kind == "soksak":
            bench.guarded(subject, partial(_pairs, bench), f"instrumentation of {subject.name}")


def _pairs(bench: Bench, subject: Subject) -> None:
    plan = bench.plan
    with ExitStack() as stack:
        # Both live through all of it; the one that is not asked does next to nothing.
        both = [stack.enter_context(bench.serving(one)) for one in (subject, replace(subject, measures=False))]
        for number in range(plan.pairs):
            for served in both if number % 2 == 0 else reversed(both):
                job = Job("instrumentation", plan.pace, plan.seconds, reports=served.subject.is_reported_to)
                bench.cell(served, plan.repeat_at, job, number)
