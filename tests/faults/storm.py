"""`python -m tests.faults.storm --seed N`: hundreds of conversations while workers and Redis die. Replays by seed.

--takeover, --rolling and --resume are calmer: one figure each, at 50 streams.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path as Folder
from uuid import UUID

from tests import provider_server, services
from tests.faults.cells import Path
from tests.faults.clients import Client, Refusal, insist
from tests.faults.cluster import Cluster, standing
from tests.faults.incident import client_of
from tests.faults.script import Script, script
from tests.faults.storm_plan import Kind, Plan, Trouble, Turn, plan
from tests.faults.storm_report import Kill, Report, Told, report
from tests.faults.visitor import Visitor, guest, say
from tests.live_databases import LiveDatabases
from tests.waiting import wait_until

#: How many talk at once.
PEOPLE = 24
STREAMS = 50
END_SECONDS = 90.0
REQUEST_SECONDS = 6.0
#: A supervisor's pause before a process is started again, and how long Redis is away.
AWAY_SECONDS = 1.0
#: Between one reader's cut and the next one's.
STEP_SECONDS = 0.06
STALL_SECONDS = 3.0
#: Slow enough that a stream outlives what happens to it: some fifteen seconds.
LONG = Turn(Path.SOCKET, 0, 400, 25, 0, 0.0)


@dataclass(slots=True)
class Storm:
    cluster: Cluster
    tolds: list[Told] = field(default_factory=list)
    kills: list[Kill] = field(default_factory=list)
    ended: int = 0
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    restarts: list[asyncio.Task[None]] = field(default_factory=list)

    async def weather(self, storm_plan: Plan) -> None:
        """The whole plan: people talk while troubles strike."""
        turns = iter(storm_plan.turns)
        striking = asyncio.create_task(self._strike_all(storm_plan.troubles))
        await asyncio.gather(*(self.person(turns) for _ in range(min(PEOPLE, len(storm_plan.turns)))))
        await striking
        await asyncio.gather(*self.restarts)

    async def person(self, turns: Iterator[Turn]) -> None:
        async with guest(self.cluster.url, seconds=REQUEST_SECONDS) as visitor:
            for turn in turns:
                await asyncio.sleep(turn.think_seconds)
                await self.converse(visitor, turn)

    async def converse(self, visitor: Visitor, turn: Turn) -> None:
        told_by_model = script(turn.seed, turn.words, f"rate-{turn.rate}", f"first-{turn.first_ms}")
        room_id: UUID = await insist(visitor.open_room)
        client = client_of(turn.path, visitor, self.cluster.ws_url, say(room_id, told_by_model.said))
        await insist(client.come)
        client.send()
        self.tolds.append(await _ended(client, turn.path, told_by_model, room_id))
        await client.leave()
        self.ended += 1
        self.moved.set()

    # What breaks

    async def _strike_all(self, troubles: tuple[Trouble, ...]) -> None:
        for trouble in troubles:
            while self.ended < trouble.after:
                self.moved.clear()
                await self.moved.wait()
            await self.strike(trouble)

    async def strike(self, trouble: Trouble) -> None:
        match trouble.kind:
            case Kind.WORKER_KILLED:
                await self.kill(trouble.worker)
            case Kind.REDIS_KILLED:
                await asyncio.to_thread(self.cluster.redis.kill9)
                await asyncio.sleep(AWAY_SECONDS)
                await asyncio.to_thread(self.cluster.redis.start)
            case Kind.REDIS_STALLED:
                self.cluster.redis.pause()
                await asyncio.sleep(STALL_SECONDS)
                self.cluster.redis.go_on()
            case Kind.REDIS_FLUSHED:
                await asyncio.to_thread(self.cluster.flush_redis)

    async def kill(self, number: int) -> None:
        """Never the last one: waits until those that were killed before are back."""
        await asyncio.gather(*self.restarts)
        worker = self.cluster.workers[number]
        running = await asyncio.to_thread(self.cluster.rows.running, f"machine-{number}")
        self.kills.append(Kill(time.monotonic(), running))
        await asyncio.to_thread(worker.kill9)
        self.restarts = [asyncio.create_task(self._restart(number))]

    async def _restart(self, number: int) -> None:
        await asyncio.sleep(AWAY_SECONDS)
        await asyncio.to_thread(self.cluster.workers[number].restart)

    # The calmer modes

    async def takeover(self) -> None:
        """Of two workers the one that writes all the long streams is killed."""
        self.cluster.front.prefer(self.cluster.workers[0].port)
        talking = [asyncio.create_task(self.person(iter([turn]))) for turn in _long_turns()]
        await self._until_streaming()
        self.cluster.front.prefer()
        await self.kill(0)
        await asyncio.gather(*talking, *self.restarts)

    async def resume(self) -> None:
        """One reader after the other is cut off, misses some events, and comes back to the other worker."""
        self.cluster.front.prefer(self.cluster.workers[0].port)
        talking = [asyncio.create_task(self.person(iter([turn]))) for turn in _long_turns()]
        await self._until_streaming()
        self.cluster.front.prefer(self.cluster.workers[1].port)
        for _ in self.cluster.front.reset_in_turn():
            await asyncio.sleep(STEP_SECONDS)
        await asyncio.gather(*talking)

    async def herd(self) -> None:
        """All readers are cut off at once for a moment, and come back to the other worker at once."""
        self.cluster.front.prefer(self.cluster.workers[0].port)
        talking = [asyncio.create_task(self.person(iter([turn]))) for turn in _long_turns()]
        await self._until_streaming()
        self.cluster.front.prefer(self.cluster.workers[1].port)
        self.cluster.front.refuse()
        self.cluster.front.reset()
        await asyncio.sleep(AWAY_SECONDS)
        self.cluster.front.accept()
        await asyncio.gather(*talking)

    async def rolling(self) -> None:
        """All talk on and on while each worker in turn is told to end and started again."""
        is_over = asyncio.Event()
        talking = [asyncio.create_task(self.person(_turns_until(is_over, seed))) for seed in range(STREAMS)]
        await self._until_streaming()
        for worker in self.cluster.workers:
            await asyncio.to_thread(worker.terminate)
            await asyncio.to_thread(worker.restart)
            await asyncio.to_thread(self.cluster.heal)
        is_over.set()
        await asyncio.gather(*talking)

    async def _until_streaming(self) -> None:
        is_so = partial(wait_until, lambda: len(self.cluster.models.open()) >= STREAMS, f"{STREAMS} streams")
        await asyncio.to_thread(is_so)
        # Not from a standing start: checkpoints and logs have begun.
        await asyncio.sleep(AWAY_SECONDS)

    async def judged(self) -> Report:
        calls = await asyncio.to_thread(self.cluster.models.calls)
        return await asyncio.to_thread(report, self.tolds, self.kills, self.cluster.rows, calls)


def _long_turns() -> list[Turn]:
    doors = (Path.SOCKET, Path.SSE)
    return [Turn(doors[n % 2], n, LONG.words, LONG.rate, 0, 0.0) for n in range(STREAMS)]


def _turns_until(is_over: asyncio.Event, seed: int) -> Iterator[Turn]:
    chance = random.Random(seed)
    while not is_over.is_set():
        yield Turn(chance.choice([*Path]), chance.randrange(10**6), 100, 25, 0, 0.0)


async def _ended(client: Client, path: Path, told_by_model: Script, room_id: UUID) -> Told:
    told = Told(path, told_by_model, room_id, str(client.turn["requestId"]), client.diary)
    try:
        async with asyncio.timeout(END_SECONDS):
            message = await client.over()
        told.text, told.status = message.text, message.status
    except TimeoutError:
        told.failure = f"no end; {client.state()}"
    except Refusal as refusal:
        told.failure = f"refused: {refusal}"
    return told


async def blow(cluster: Cluster, arguments: argparse.Namespace) -> Report:
    storm = Storm(cluster)
    if arguments.mode == "storm":
        await storm.weather(plan(
            arguments.seed, conversations=arguments.conversations, workers=arguments.workers, kills=arguments.kills,
            redis_faults=arguments.redis_faults,
        ))
    else:
        await getattr(storm, arguments.mode)()
    return await storm.judged()


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.storm")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--conversations", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--redis-faults", type=int, default=5)
    for mode in ("takeover", "rolling", "resume", "herd"):
        parser.add_argument(f"--{mode}", dest="mode", action="store_const", const=mode, default="storm")
    return parser.parse_args(arguments)


def main() -> int:
    arguments = parse(sys.argv[1:])
    print(f"{arguments.mode}, seed {arguments.seed}", flush=True)
    # The product's own lease: what is measured is what is shipped.
    with (
        services.run() as folder,
        provider_server.running() as models,
        tempfile.TemporaryDirectory() as data,
        standing(models, LiveDatabases(folder), Folder(data), workers=arguments.workers, env={}) as cluster,
    ):
        cluster.add_route("directed")
        started_at = time.monotonic()
        found = asyncio.run(blow(cluster, arguments))
        print("\n".join([*found.lines(), f"{time.monotonic() - started_at:.0f} s"]), flush=True)
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
