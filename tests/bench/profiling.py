"""Where a server's time goes under load: CPU by thread from the kernel, then py-spy's stacks by function.

Samples are of wall time, taken from the other core; those in which a thread only waits for work are left out.
What is left still includes waiting inside a call (a lock, a busy database), which is worth seeing too.
"""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.bench.client import Seen
from tests.bench.measure import BenchError, thread_cpu_seconds
from tests.bench.plan import Job
from tests.bench.rounds import Bench
from tests.bench.server import Subject
from tests.bench.stacks import Stacks

STREAMS = 50
THREAD_SECONDS = 4
SAMPLE_SECONDS = 8
SAMPLES_A_SECOND = 400


def profile(bench: Bench, subjects: list[Subject]) -> None:
    """Print the top of every subject that is ours; of the references, when nothing of ours is asked for."""
    spy = shutil.which("py-spy", path=sysconfig.get_path("scripts")) or shutil.which("py-spy")
    if spy is None:
        bench.say("py-spy is not installed here: pip install py-spy, and run this again.")
        return
    ours = [subject for subject in subjects if subject.kind == "soksak"] or subjects
    with bench.ready(ours):
        for subject in ours:
            bench.guarded(subject, partial(_profile_one, bench, spy=spy))


def _profile_one(bench: Bench, subject: Subject, *, spy: str) -> None:
    output = bench.directory / f"{subject.name.replace(' ', '-')}.stacks"
    with bench.serving(subject) as served, ThreadPoolExecutor(1) as pool:
        pace, running = bench.plan.pace, served.running
        job = Job("profile", pace, THREAD_SECONDS + SAMPLE_SECONDS + 2.0, reports=subject.is_reported_to)
        load = pool.submit(bench.loader(running).run, served.take(STREAMS), job)
        time.sleep(pace.seconds * 1.2 + 2.0)
        shares = _thread_shares(running.pid)
        _record(spy, running.pid, output)
        seen = load.result()
    stacks = Stacks(output.read_text(), main_thread=running.pid)
    for line in (*_heading(subject, seen), *_threads(shares, stacks, seen), *stacks.lines()):
        bench.say(line)


def _thread_shares(pid: int) -> dict[int, float]:
    """Share of a core by thread, before the profiler is there: stopping a thread 400 times a second costs it too."""
    before = thread_cpu_seconds(pid)
    time.sleep(THREAD_SECONDS)
    after = thread_cpu_seconds(pid)
    return {thread: (spent - before.get(thread, 0.0)) / THREAD_SECONDS for thread, spent in after.items()}


def _record(spy: str, pid: int, output: Path) -> None:
    command = [
        spy, "record", "--pid", str(pid), "--duration", str(SAMPLE_SECONDS), "--rate", str(SAMPLES_A_SECOND),
        "--format", "raw", "--function", "--full-filenames", "--threads", "--output", str(output),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"py-spy: {done.stderr.strip()}")


def _heading(subject: Subject, seen: Seen) -> Iterator[str]:
    micros = seen.cpu_seconds / max(1, seen.tokens) * 1e6
    yield ""
    yield f"{subject.name} ×{STREAMS}: {micros:.0f} µs/token with the profiler attached, faults {seen.faults}"


def _threads(shares: dict[int, float], stacks: Stacks, seen: Seen) -> Iterator[str]:
    tokens_a_second = seen.tokens / seen.seconds
    yield f"{'% of core':>10} {'µs/token':>9}  thread"
    for thread, share in sorted(shares.items(), key=lambda item: -item[1]):
        if share > 0.001:
            yield f"{share:10.1%} {share / tokens_a_second * 1e6:9.1f}  {stacks.name_of(thread)}"
