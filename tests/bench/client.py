"""The load client: N seats, one answer always in flight on each. Much cheaper than any server under test.

`python -m tests.bench.client` reads one JSON `Load` from stdin and prints one JSON `Seen`. It reads the server's
CPU and memory itself, so that the figures belong to exactly the tokens it counted.
"""

from __future__ import annotations

import asyncio
import sys
import time

import msgspec
import uvloop

from tests.bench.conversation import Conversation, Manner, Seat
from tests.bench.http_seat import CompletedSeat, SseSeat
from tests.bench.measure import Meter, percentile, rss_kib
from tests.bench.seat import Socket
from tests.bench.tokens import Pace
from tests.bench.turn import Tally

#: By what an answer is asked for and brought.
PATHS: dict[str, type[Conversation]] = {"socket": Socket, "sse": SseSeat, "completed": CompletedSeat}

READY_SECONDS = 30.0
#: Between the last socket's `ready` and the reading of memory with every socket idle.
SETTLE_SECONDS = 1.0
#: After measuring, how long past its own length an answer may take to end.
DRAIN_SECONDS = 15.0
CONNECT_GAP_SECONDS = 0.005


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What to do: every seat streams; measure for `seconds` once all are under way.

    Without `drain` the connections are closed at once after measuring, whatever is being written.
    """

    port: int
    pid: int
    seats: list[Seat]
    manner: Manner
    seconds: float
    path: str = "socket"
    drain: bool = True
    count_instructions: bool = False


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What happened while measuring; faults at any time. `instructions` is None where they cannot be counted."""

    tokens: int
    frames: int
    turns: int
    seconds: float
    cpu_seconds: float
    client_cpu_seconds: float
    instructions: int | None
    first_count: int
    first_ms: tuple[float, float, float]
    token_ms: tuple[float, float]
    #: Of whole answers, p50 and p95; of the words "wait" and "no", how many and p95.
    end_ms: tuple[float, float] = (0.0, 0.0)
    waiting_count: int = 0
    waiting_ms: float = 0.0
    refused_count: int = 0
    refused_ms: float = 0.0
    accepted_in_vain: int = 0
    rss_base_kib: int
    rss_idle_kib: int
    rss_busy_kib: int
    faults: dict[str, int]


async def run(load: Load) -> Seen:
    """Connect, wait, start, measure, drain."""
    tally = Tally()
    rss = [rss_kib(load.pid)]
    sockets = await _connect(load, tally)
    await asyncio.sleep(SETTLE_SECONDS)
    rss.append(rss_kib(load.pid))
    await _start_spread(sockets, load.manner.pace)
    meter = Meter(load.pid, count_instructions=load.count_instructions)
    client_cpu = await _measure(meter, tally, load.seconds)
    rss.append(rss_kib(load.pid))
    if load.drain:
        await _drain(sockets, load.manner.pace, tally)
    return _sum_up(tally, meter, client_cpu, rss)


async def _connect(load: Load, tally: Tally) -> list[Conversation]:
    loop = asyncio.get_running_loop()
    sockets: list[Conversation] = []
    for seat in load.seats:
        socket = PATHS[load.path](seat, load.port, load.manner, tally)
        await loop.create_connection(lambda socket=socket: socket, "127.0.0.1", load.port)  # type: ignore[misc]
        sockets.append(socket)
        await asyncio.sleep(CONNECT_GAP_SECONDS)
    await asyncio.wait([socket.ready for socket in sockets], timeout=READY_SECONDS)
    late = sum(not socket.ready.done() for socket in sockets)
    if late or tally.faults:
        raise SystemExit(f"{late} of {len(sockets)} sockets did not become ready: {dict(tally.faults)}")
    return sockets


async def _start_spread(sockets: list[Conversation], pace: Pace) -> None:
    """Starts are spread over one answer's length, so that the load is level; then a fifth more to settle."""
    for socket in sockets:
        socket.next_turn()
        if socket is not sockets[-1]:
            await asyncio.sleep(pace.seconds / len(sockets))
    await asyncio.sleep(pace.seconds * 0.2)


async def _measure(meter: Meter, tally: Tally, seconds: float) -> float:
    meter.start()
    tally.is_measuring, began = True, time.process_time()
    await asyncio.sleep(seconds)
    tally.is_measuring = False
    meter.stop()
    return time.process_time() - began


async def _drain(sockets: list[Conversation], pace: Pace, tally: Tally) -> None:
    for socket in sockets:
        socket.is_stopping = True
    await asyncio.wait([socket.idle for socket in sockets], timeout=pace.seconds + DRAIN_SECONDS)
    unfinished = sum(not socket.idle.done() for socket in sockets)
    if unfinished:
        tally.faults["unfinished"] += unfinished


def _sum_up(tally: Tally, meter: Meter, client_cpu: float, rss: list[int]) -> Seen:
    first, token, end = sorted(tally.added_first), sorted(tally.added_token), sorted(tally.added_end)
    return Seen(
        tokens=tally.tokens,
        frames=tally.frames,
        turns=tally.turns,
        seconds=meter.seconds,
        cpu_seconds=meter.cpu_seconds,
        client_cpu_seconds=client_cpu,
        instructions=meter.instructions,
        first_count=len(first),
        first_ms=(percentile(first, 50) / 1000, percentile(first, 95) / 1000, percentile(first, 99) / 1000),
        token_ms=(percentile(token, 50) / 1000, percentile(token, 95) / 1000),
        end_ms=(percentile(end, 50) / 1000, percentile(end, 95) / 1000),
        waiting_count=len(tally.told_waiting),
        waiting_ms=percentile(sorted(tally.told_waiting), 95) / 1000,
        refused_count=len(tally.told_refused),
        refused_ms=percentile(sorted(tally.told_refused), 95) / 1000,
        accepted_in_vain=tally.accepted_in_vain,
        rss_base_kib=rss[0],
        rss_idle_kib=rss[1],
        rss_busy_kib=rss[2],
        faults=dict(tally.faults),
    )


def main() -> None:
    load = msgspec.json.decode(sys.stdin.buffer.read(), type=Load)
    print(msgspec.json.encode(uvloop.run(run(load))).decode(), flush=True)


if __name__ == "__main__":
    main()
