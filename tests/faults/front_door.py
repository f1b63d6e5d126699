"""What stands before several workers: spreads connections over those that are well, as a load balancer does.

To its clients it is a FaultProxy, as bad as a test wants. It looks at bytes only: no session sticks to a worker.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from contextlib import suppress

from tests.faultproxy import FaultProxy

#: How often each worker is asked whether it is well, and how long it may think about it.
CHECK_SECONDS = 0.25
PATIENCE_SECONDS = 1.0
ASK = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


class FrontDoor(FaultProxy):
    def __init__(self, ports: Sequence[int]) -> None:
        super().__init__(0)
        self._ports = tuple(ports)
        self._well = set(ports)
        self._wanted = set(ports)
        self._turn = itertools.count()
        self._checks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        super().start()
        self._do(self._start_checking)

    def stop(self) -> None:
        self._do(self._stop_checking)
        super().stop()

    def prefer(self, *ports: int) -> None:
        """New connections go to these while they take any, well or not; none named: to all alike."""
        self._do(lambda: self._want(ports or self._ports))

    def is_well(self, port: int) -> bool:
        return port in self._well

    # On the loop

    def _want(self, ports: Sequence[int]) -> None:
        self._wanted = set(ports)

    def _start_checking(self) -> None:
        self._checks = [asyncio.create_task(self._check(port)) for port in self._ports]

    def _stop_checking(self) -> None:
        for check in self._checks:
            check.cancel()

    async def _check(self, port: int) -> None:
        while True:
            self._well = self._well | {port} if await _is_well(port) else self._well - {port}
            await asyncio.sleep(CHECK_SECONDS)

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A worker that takes the connection: wanted first, then well, then whoever is there."""
        for port in self._in_turn():
            with suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
            self._well.discard(port)
        raise ConnectionRefusedError("no worker takes a connection")

    def _in_turn(self) -> list[int]:
        first = next(self._turn) % len(self._ports)
        ports = self._ports[first:] + self._ports[:first]
        return sorted(ports, key=lambda port: (port not in self._wanted, port not in self._well))


async def _is_well(port: int) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(ASK)
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
