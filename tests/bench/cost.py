"""What instrumentation costs: two servers alike but for it, at the same time on the same core.

Both see the same moments of the machine, which differ by more than what is looked for. Which of the two was started
first, and whose load, makes a difference of up to a quarter: every order is measured equally often, on fresh processes.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from tests.bench.client import Seen
from tests.bench.plan import Job
from tests.bench.rounds import Bench, Served, cell_of
from tests.bench.server import Subject


def instrumentation(bench: Bench, subjects: list[Subject]) -> None:
    """Of the first server only: what is switched off is the same code on the other."""
    for subject in [one for one in subjects if one.kind == "soksak"][:1]:
        bench.guarded(subject, partial(_pairs, bench), f"instrumentation of {subject.name}")


def _pairs(bench: Bench, subject: Subject) -> None:
    subjects = [subject, replace(subject, measures=False)]
    for start in range(0, bench.plan.pairs, 2):
        with ExitStack() as stack:
            order = subjects if start % 4 == 0 else subjects[::-1]
            both = [stack.enter_context(bench.serving(one)) for one in order]
            for number in range(start, min(start + 2, bench.plan.pairs)):
                _pair(bench, both if number == start else both[::-1], number)


def _pair(bench: Bench, both: list[Served], number: int) -> None:
    streams = bench.plan.pair_streams
    jobs = [
        Job("instrumentation", bench.plan.pace, bench.plan.pair_seconds, reports=served.subject.is_reported_to)
        for served in both
    ]

    def run(served: Served, job: Job) -> Seen:
        return bench.loader(served.running).run(served.take(streams), job)

    bench.provider.late_p99_ms()
    with ThreadPoolExecutor(len(both)) as pool:
        found = list(pool.map(run, both, jobs))
    late = bench.provider.late_p99_ms()
    for served, job, seen in zip(both, jobs, found, strict=True):
        bench.keep(cell_of(served, streams, job, number, seen, late))
