"""Collapsed stacks of py-spy (`thread (1): main;outer (file);inner (file) 42`), summed up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TOP = 22
ROOT = Path(__file__).parent.parent.parent
OURS = {"chat", "streaming", "chatproject"}
#: A thread whose innermost frame is one of these waits for something to do.
_IDLE = {("_worker", "thread.py"), ("wait", "threading.py"), ("Condition.wait", "threading.py")}
_THREAD = re.compile(r"^thread \((?P<id>\d+)\)(: (?P<name>.*))?$")
_PLACE = re.compile(r"^(?P<name>.*) \((?P<file>.*?)(:\d+)?\)$")


class Frame(NamedTuple):
    name: str
    file: str
    package: str

    def __str__(self) -> str:
        return f"{self.name}  {self.file}"

    @staticmethod
    def read(text: str) -> Frame:
        """`name (/full/path/file.py:12)`; the line is left out, so that a function is one entry."""
        match = _PLACE.match(text)
        if match is None:
            return Frame(text, "", "native code")
        path = Path(match["file"])
        parts: tuple[str, ...] = ()
        if "site-packages" in path.parts:
            parts = path.parts[path.parts.index("site-packages") + 1 :]
        elif path.is_relative_to(ROOT):
            parts = path.relative_to(ROOT).parts
        return Frame(match["name"], "/".join((parts or path.parts)[-3:]), parts[0] if parts else "standard library")


class Stacks:
    """Two groups of threads: the main one, which serves, and all others, which are in the database."""

    def __init__(self, text: str, *, main_thread: int) -> None:
        self._names: dict[int, str] = {main_thread: "main: the event loop"}
        self._groups = {"main thread": _Group(), "other threads": _Group()}
        for line in text.splitlines():
            stack, _, count = line.rpartition(" ")
            thread, *frames = stack.split(";")
            is_main = self._thread(thread) == main_thread
            group = self._groups["main thread" if is_main else "other threads"]
            group.add([Frame.read(frame) for frame in frames], int(count))

    def _thread(self, text: str) -> int:
        match = _THREAD.match(text)
        if match is None:
            return 0
        self._names.setdefault(int(match["id"]), match["name"] or "")
        return int(match["id"])

    def name_of(self, thread: int) -> str:
        return self._names.get(thread) or "unnamed, short-lived or native"

    def lines(self) -> Iterator[str]:
        for name, group in self._groups.items():
            yield from group.lines(name)


class _Group:
    def __init__(self) -> None:
        self._own: Counter[Frame] = Counter()
        self._whole: Counter[Frame] = Counter()

    def add(self, frames: list[Frame], count: int) -> None:
        if not frames or (frames[-1].name, Path(frames[-1].file).name) in _IDLE:
            return
        self._own[frames[-1]] += count
        self._whole.update(dict.fromkeys(frames, count))

    def lines(self, name: str) -> Iterator[str]:
        total = max(1, self._own.total())
        packages: Counter[str] = Counter()
        for frame, count in self._own.items():
            packages[frame.package] += count
        yield ""
        yield f"{name}, by package: " + ", ".join(f"{p} {c / total:.0%}" for p, c in packages.most_common(9))
        ours = Counter({frame: count for frame, count in self._whole.items() if frame.package in OURS})
        for title, ranking in (("functions", self._own), ("our functions with what they call", ours)):
            yield f"{'self':>7} {'with callees':>13}  {name}, {title}"
            for frame, _ in ranking.most_common(TOP):
                yield f"{self._own[frame] / total:7.1%} {self._whole[frame] / total:13.1%}  {frame}"
