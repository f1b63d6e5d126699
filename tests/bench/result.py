"""One run as it is kept: what was asked, on which machine, every cell. Everything that is told is made of it."""

from __future__ import annotations

import os
import platform
import shlex
import time
from importlib.metadata import version
from pathlib import Path

import msgspec

from tests.bench.plan import Cell, Plan
from tests.bench.server import Cores

PACKAGES = ("django", "channels", "daphne", "uvicorn", "uvloop", "msgspec", "aiohttp", "httpx", "psycopg", "redis")


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    processor: str
    cores: int
    is_pinned: bool
    counts_instructions: bool
    system: str
    python: str
    packages: dict[str, str]

    @staticmethod
    def here(cores: Cores, *, counts_instructions: bool) -> Machine:
        return Machine(
            processor=_processor(), cores=os.cpu_count() or 1, is_pinned=cores.load is not None,
            counts_instructions=counts_instructions, system=f"{platform.system()} {platform.machine()}",
            python=platform.python_version(), packages={name: version(name) for name in PACKAGES},
        )


class Result(msgspec.Struct, frozen=True, kw_only=True):
    command: str
    date: str
    machine: Machine
    plan: Plan
    cells: list[Cell]
    skipped: dict[str, str]

    @staticmethod
    def read(path: Path) -> Result:
        return msgspec.json.decode(path.read_bytes(), type=Result)

    def write(self, path: Path) -> None:
        """A cell a line."""
        path.write_bytes(msgspec.json.encode(self).replace(b'{"subject":', b'\n{"subject":') + b"\n")


def command_line(arguments: list[str]) -> str:
    return shlex.join(["python", "-m", "tests.bench", *arguments])


def today() -> str:
    return time.strftime("%Y-%m-%d")


def _processor() -> str:
    """As the kernel names it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor()
