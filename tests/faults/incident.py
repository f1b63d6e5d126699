"""One fault and all conversations it meets: each is brought to its moment, it strikes once, all must end well."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from urllib.request import urlopen
from uuid import UUID

from tests.faults.asker import Asker
from tests.faults.cells import Calls, Fault, Moment, Path
from tests.faults.clients import Client, Refusal, insist
from tests.faults.cluster import Cluster
from tests.faults.event_log import logged
from tests.faults.listener import Listener
from tests.faults.script import Script, script
from tests.faults.tab import Tab
from tests.faults.visitor import Visitor, elsewhere, guest, say
from tests.provider_gates import GO
from tests.waiting import wait_until

WORDS, MIDWAY_WORDS, RATE = 60, 20, "rate-400"
GATES: dict[Moment, tuple[str, ...]] = {
    Moment.BEFORE_ACCEPT: (),
    Moment.AFTER_ACCEPT: ("gate-ask",),
    Moment.BEFORE_CONTENT: ("gate-first",),
    Moment.MIDWAY: (f"gate-after-{MIDWAY_WORDS}",),
    Moment.AT_END: ("gate-end",),
}
#: The worker that a fault strikes, and the one that is left.
VICTIM, OTHER = 0, 1
#: A single page or room: what stands still is asked again elsewhere.
REQUEST_SECONDS = 4.0
LOG_SECONDS = 5.0


@dataclass(slots=True)
class Conversation:
    """One cell. `repeats`: the same turn sent again; `witness`: somebody in the room, at the other worker."""

    path: Path
    moment: Moment
    script: Script
    room_id: UUID
    client: Client
    witness: Tab
    calls: Calls
    repeats: list[Client] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.path}, {self.moment}"


class Incident:
    def __init__(self, cluster: Cluster, fault: Fault) -> None:
        self.cluster = cluster
        self.fault = fault
        self.conversations: list[Conversation] = []
        self.trouble = GO
        self._visitor: Visitor
        self._lives = AsyncExitStack()
        self._struck_at = 0.0

    async def __aenter__(self) -> Incident:
        """Everybody is in their room, at the worker that will be struck."""
        self.cluster.front.prefer(self.port(VICTIM))
        self._visitor = await self._lives.enter_async_context(guest(self.cluster.url, seconds=REQUEST_SECONDS))
        cells = [self._open(path, moment) for path, moment in self.fault.cells()]
        self.conversations = list(await asyncio.gather(*cells))
        return self

    async def __aexit__(self, *error: object) -> None:
        leaving = [person.leave() for c in self.conversations for person in (c.client, c.witness, *c.repeats)]
        await asyncio.gather(*leaving, return_exceptions=True)
        await self._lives.aclose()

    def port(self, worker: int) -> int:
        return self.cluster.workers[worker].port

    async def _open(self, path: Path, moment: Moment) -> Conversation:
        room_id = await insist(self._visitor.open_room)
        told = script(random.randrange(10**6), WORDS, RATE, *GATES[moment])
        turn = say(room_id, told.said)
        client = client_of(path, self._visitor, self.cluster.ws_url, turn)
        witness = Tab(self._visitor, room_id, self.cluster.workers[OTHER].ws_url)
        await asyncio.gather(insist(client.come), insist(witness.come))
        return Conversation(path, moment, told, room_id, client, witness, self.fault.calls_at(moment))

    # The fault

    async def bring(self) -> None:
        """Each to its moment; last those before acceptance, for which the line to Postgres stands still."""
        running = self.at(*(moment for moment in Moment if moment is not Moment.BEFORE_ACCEPT))
        for conversation in running:
            conversation.client.send()
        ids = {conversation.script.id for conversation in running}
        await asyncio.to_thread(wait_until, lambda: ids <= set(self.cluster.models.held()), "all gates to be reached")
        self.cluster.database_line.stall()
        for conversation in self.at(Moment.BEFORE_ACCEPT):
            conversation.client.send()
        await asyncio.to_thread(self._until_read)
        self._struck_at = time.monotonic()

    def at(self, *moments: Moment) -> list[Conversation]:
        return [conversation for conversation in self.conversations if conversation.moment in moments]

    def _until_read(self) -> None:
        """A worker that answers has read what was sent to it before; the front door passes on in order of coming."""
        for url in (self.cluster.url, self.cluster.workers[VICTIM].url, self.cluster.workers[OTHER].url):
            with urlopen(f"{url}/healthz", timeout=REQUEST_SECONDS) as answer:
                assert answer.status == 200

    async def repeat(self, worker: int, *, by_another_door: bool) -> None:
        """Every turn is sent again, to this worker, while the first one runs."""
        visitor = await self._lives.enter_async_context(
            elsewhere(self._visitor, self.cluster.workers[worker].url, seconds=REQUEST_SECONDS)
        )
        doors = list(Path)
        for conversation in self.conversations:
            door = doors[(doors.index(conversation.path) + by_another_door) % len(doors)]
            again = client_of(door, visitor, self.cluster.workers[worker].ws_url, conversation.client.turn)
            conversation.repeats.append(again)
        # Sockets come when Postgres flows; what needs none is sent at once.
        self.cluster.database_line.flow()
        await asyncio.gather(*(again.come() for c in self.conversations for again in c.repeats))
        for conversation in self.conversations:
            for again in conversation.repeats:
                again.send()

    def let_go(self) -> None:
        self.cluster.models.let_go([c.script.id for c in self.conversations], self.trouble)

    # What must be true

    async def failures(self) -> list[str]:
        """One line for each cell that is not well; waits for every end, no longer than the fault's bound."""
        left = self.fault.bound_seconds - (time.monotonic() - self._struck_at)
        ended = await asyncio.gather(*(self._ended(conversation, left) for conversation in self.conversations))
        return [line for lines in ended for line in lines]

    async def _ended(self, conversation: Conversation, seconds: float) -> list[str]:
        clients = [conversation.client, *conversation.repeats]
        waiting = [_told(client, seconds) for client in clients]
        told = await asyncio.gather(*waiting, _seen(conversation.witness, seconds))
        names = ["reader", *["repeat"] * len(conversation.repeats), "witness"]
        wanted = (conversation.script.text, "complete")
        wrong = [f"{name}: {_short(got)}" for name, got in zip(names, told, strict=True) if got != wanted]
        mismatches = sum(client.diary.mismatches for client in (*clients, conversation.witness))
        wrong += [f"{mismatches} mismatches"] if mismatches else []
        return [f"{conversation.name}: {line}" for line in wrong]

    async def untruths(self) -> list[str]:
        """As `failures`: what is stored, logged and billed. After everything has come to rest."""
        calls = await asyncio.to_thread(self.cluster.models.calls)
        lines = []
        for conversation in self.conversations:
            least, most = conversation.calls
            billed = calls[conversation.script.behaviour]
            wrong = await asyncio.to_thread(self._stored_wrong, conversation)
            wrong += [] if least <= billed <= most else [f"{billed} calls, not {least}–{most}"]
            lines += [f"{conversation.name}: {line}" for line in wrong]
        return lines

    def _stored_wrong(self, conversation: Conversation) -> list[str]:
        rows = self.cluster.rows
        said, answers = rows.said(conversation.room_id), rows.answers(conversation.room_id)
        wrong = [] if said == [conversation.script.said] else [f"stored of the user: {said}"]
        found = [(answer.text, answer.status) for answer in answers]
        if found != [(conversation.script.text, "complete")]:
            return [*wrong, f"stored: {[_short(one) for one in found]}"]
        log = logged(self.cluster.redis, answers[0].message_id, seconds=LOG_SECONDS)
        return wrong if log is None or log == conversation.script.text else [*wrong, f"log: {_short((log, ''))}"]


async def _told(client: Client, seconds: float) -> tuple[str, str]:
    try:
        async with asyncio.timeout(max(0.1, seconds)):
            message = await client.over()
    except TimeoutError:
        return "", f"no end in time; {client.state()}"
    except Refusal as refusal:
        return "", f"refused: {refusal}"
    return message.text, message.status


async def _seen(witness: Tab, seconds: float) -> tuple[str, str]:
    try:
        async with asyncio.timeout(max(0.1, seconds)):
            message = await witness.until_over()
    except TimeoutError:
        return witness.text, f"no end in time; {witness.state()}"
    return message.text, message.status


def client_of(path: Path, visitor: Visitor, ws_url: str, turn: dict[str, str]) -> Client:
    match path:
        case Path.SOCKET:
            return Tab(visitor, UUID(turn["roomId"]), ws_url, turn)
        case Path.SSE:
            return Listener(visitor, turn)
        case Path.POST:
            return Asker(visitor, turn)


def _short(got: tuple[str, str]) -> str:
    text, status = got
    return f"{status}, {len(text)} characters ending in {text[-12:]!r}"


def listed(lines: Iterable[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)
