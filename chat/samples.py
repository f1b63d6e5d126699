"""What the processes of this host have counted: one process its own, several through a folder they share.

With PROMETHEUS_MULTIPROC_DIR each process keeps its numbers in mapped files of its own, and whoever is scraped adds
them up. What a process leaves behind is folded away by the next one that looks: its counts stay, its gauges go.
Must be `share`d before the first metric is made. Knows no Django.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry, mmap_dict, multiprocess, values
from prometheus_client.metrics_core import Metric

# The library's own parts of this are untyped.
Mapped: Any = mmap_dict.MmapedDict
Collector: Any = multiprocess.MultiProcessCollector
shared_values: Any = values

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
#: In the place of a process: what those that are gone had counted.
GONE = "gone"


def share(folder: Path) -> None:
    """From here on this process keeps its numbers in `folder`, for all to see. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ[VARIABLE] = str(folder)
    shared_values.ValueClass = shared_values.MultiProcessValue(_Myself())
    with _alone(folder):
        fold(folder)


def registry() -> CollectorRegistry:
    """Of this process, or of all that share its folder."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        return REGISTRY
    with _alone(Path(folder)):
        fold(Path(folder))
        # An empty one is just being made.
        files = [str(file) for file in Path(folder).glob("*.db") if file.stat().st_size]
        added = _Added(list(Collector.merge(files)))
    together = CollectorRegistry()
    together.register(added)
    return together


def fold(folder: Path) -> None:
    """A process's counts outlive it, once and in one file, however often processes come and go; its gauges do not."""
    for file in sorted(folder.glob("*.db")):
        kind, _, owner = file.stem.rpartition("_")
        if owner == GONE or is_alive(owner):
            continue
        if not kind.startswith("gauge"):
            _add(file, folder / f"{kind}_{GONE}.db")
        file.unlink(missing_ok=True)


def is_alive(owner: str) -> bool:
    """A pid alone may be somebody else's by now."""
    pid, _, started = owner.partition("-")
    if not pid.isdigit():
        return False
    if started:
        return _started(int(pid)) == started
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


# Internal


@dataclass(eq=False, slots=True)
class _Added:
    metrics: list[Metric]

    def collect(self) -> list[Metric]:
        return self.metrics


class _Myself:
    """`pid-start`: no other process ever had the same. Asked at every count, and other than before after a fork."""

    def __init__(self) -> None:
        self._pid, self._name = 0, ""

    def __call__(self) -> str:
        pid = os.getpid()
        if pid != self._pid:
            self._pid, self._name = pid, "-".join(filter(None, (str(pid), _started(pid))))
        return self._name


def _started(pid: int) -> str:
    """Ticks from the machine's start to the process's, which no clock moves; empty: gone, or not Linux."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody adds up what somebody else is just folding."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _add(file: Path, total: Path) -> None:
    try:
        counted = list(Mapped.read_all_values_from_file(str(file)))
    except (OSError, RuntimeError, struct.error, UnicodeDecodeError):
        return  # Killed while the file was made: it had counted nothing that can be read.
    kept = Mapped(str(total))
    try:
        for key, value, _, _ in counted:
            kept.write_value(key, kept.read_value(key)[0] + value, 0.0)
    finally:
        kept.close()
