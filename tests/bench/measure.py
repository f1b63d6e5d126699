"""What is measured of a process, and how numbers are summed up. Linux /proc; knows no server and no contract."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path

import psutil

_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


class BenchError(Exception):
    """Something that keeps one subject, or the bench, from running; a sentence for a person."""


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Nearest rank of an ascending sequence; 0 for an empty one."""
    if not ordered:
        return 0.0
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, min(len(ordered), int(rank)) - 1)]


def cpu_seconds(pid: int) -> float:
    """User and system time of a whole process, threads that ended included, in nanosecond steps."""
    # clock_getcpuclockid(3) by hand: /proc counts in ticks of 10 ms, too coarse for one stream.
    return time.clock_gettime((~pid << 3) | 2)


def rss_kib(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_KIB


def thread_cpu_seconds(pid: int) -> dict[int, float]:
    """CPU time of every living thread."""
    spent = {}
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            spent[int(thread.name)] = int((thread / "schedstat").read_text().split()[0]) / 1e9
    return spent


class Meter:
    """CPU seconds and, where the hardware counts, instructions of a process between start and stop."""

    def __init__(self, pid: int, *, count_instructions: bool) -> None:
        self._pid = pid
        self._perf: subprocess.Popen[str] | None = None
        self._counts = count_instructions

    def start(self) -> None:
        if self._counts:
            self._perf = _start_perf(self._pid)
        self._began, self._cpu = time.monotonic(), cpu_seconds(self._pid)

    def stop(self) -> None:
        self.cpu_seconds = cpu_seconds(self._pid) - self._cpu
        self.seconds = time.monotonic() - self._began
        self.instructions = _stop_perf(self._perf) if self._perf else None


def _start_perf(pid: int) -> subprocess.Popen[str]:
    command = ["perf", "stat", "-x,", "-e", "instructions", "-p", str(pid)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def _stop_perf(perf: subprocess.Popen[str]) -> int | None:
    perf.send_signal(signal.SIGINT)
    _, report = perf.communicate(timeout=10)
    for line in report.splitlines():
        value, *rest = line.split(",")
        if any("instructions" in field for field in rest) and value.isdigit():
            return int(value)
    return None


def instructions_work() -> bool:
    """Whether `perf stat` counts instructions here; most virtual machines have no such counter."""
    if shutil.which("perf") is None:
        return False
    perf = subprocess.run(
        ["perf", "stat", "-x,", "-e", "instructions", "true"], capture_output=True, text=True, check=False
    )
    return perf.returncode == 0 and perf.stderr.split(",")[0].strip().isdigit()


class Rank(IntEnum):
    """Who runs before whom where all run in real time.

    Readers and model share a core with what is stored: how late they are would be taken for the server's lateness.
    """

    SERVER = STORE = 1
    MODEL = READERS = 2


def pin(core: int | None, *, realtime: bool, rank: Rank = Rank.SERVER) -> None:
    """This process and the children it will have: to one core and, if asked and allowed, before all others."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    if realtime:
        hurry(0, rank)


def hurry(pid: int, rank: Rank) -> None:
    """Before all ordinary processes, with what it will start; 0 is this one. Does nothing where it is not allowed."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(pid, os.SCHED_RR, os.sched_param(rank))


def listener(port: int | None) -> int:
    """Pid of the process that listens on `port`."""
    return next(
        found.pid
        for found in psutil.net_connections("tcp")
        if found.status == psutil.CONN_LISTEN and found.laddr and found.laddr.port == port and found.pid
    )


def move(pid: int, cores: set[int]) -> None:
    """A process with all it has started, and what it will start, to these cores."""
    root = psutil.Process(pid)
    for process in (root, *root.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            for thread in process.threads():
                os.sched_setaffinity(thread.id, cores)
