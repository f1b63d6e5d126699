"""One suite for both logs: what an owner writes is what a reader elsewhere puts together, never with a hole."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from streaming import metrics
from streaming.event_log import EventLog, LocalLog
from streaming.events import End, Latency, Usage, checksum
from streaming.log_entries import Entry, Texts, Whole, assemble, decode_entry, encode_entry
from streaming.log_tail import FIELD, stream_key
from streaming.redis_log import EPOCH_KEY, RedisLog
from streaming.run import Run, RunKey
from tests.waiting import until

pytestmark = pytest.mark.redis
TEXTS = ["Once ", "upon ", "*a lamp* ", "그리고 ", "🌙"]


class Listener:
    """Hears of watched answers, and of those that the store refused."""

    def __init__(self) -> None:
        self.heard: list[Entry | None] = []
        self.refusals = 0

    def logged(self, message_id: UUID, entries: Sequence[Entry | None]) -> None:
        self.heard += entries

    def fenced(self) -> None:
        self.refusals += 1


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as client:
        await client.flushdb()
        yield client


@pytest.fixture
async def redis_log(redis: Redis, redis_url: str, listener: Listener) -> AsyncIterator[RedisLog]:
    """Written when a test says so."""
    log = RedisLog(redis_url, listener, listener.fenced)
    yield log
    await log.aclose()


@pytest.fixture(params=["local", "redis"])
def event_log(request: pytest.FixtureRequest) -> EventLog:
    log: EventLog = LocalLog() if request.param == "local" else request.getfixturevalue("redis_log")
    return log


def new_run(*, attempt: int = 1, text: str = "", first_seq: int = 0, message_id: UUID | None = None) -> Run:
    key = RunKey("request-1", uuid4(), message_id or uuid4(), attempt)
    return Run(key, reply_to=None, position=1, head=1, text=text, first_seq=first_seq)


def finish(run: Run) -> None:
    key, text = run.key, run.text
    run.finish(End(
        request_id=key.request_id, room_id=key.room_id, message_id=key.message_id, seq=run.next_seq,
        attempt=key.attempt, content=text, usage=Usage(), latency=Latency(first_ms=1.0, total_ms=2.0),
        length=len(text), checksum=checksum(text), finish_reason="stop",
    ))


async def told(log: EventLog, run: Run) -> tuple[int, str]:
    """(seq, text) as a reader elsewhere has them."""
    found = assemble(await log.read(run.key.message_id))
    assert found is not None
    assert found.attempt == run.key.attempt
    return found.seq, found.whole


async def test_every_event_is_found_again_under_its_seq(event_log: EventLog) -> None:
    run = new_run()
    event_log.follow(run)
    for index, text in enumerate(TEXTS, start=1):
        run.append(text)
        await event_log.flush()
        assert await told(event_log, run) == (index, "".join(TEXTS[:index]))
    found = assemble(await event_log.read(run.key.message_id))
    assert found is not None
    assert found.chunks == TEXTS


async def test_a_run_that_took_over_begins_with_what_was_there(event_log: EventLog) -> None:
    run = new_run(attempt=3, text="Once upon", first_seq=7)
    event_log.follow(run)
    run.append(" a time")
    await event_log.flush()
    found = assemble(await event_log.read(run.key.message_id))
    assert found is not None
    assert (found.first_seq, found.text, found.chunks) == (7, "Once upon", [" a time"])


async def test_an_answer_nobody_wrote_is_not_there(event_log: EventLog) -> None:
    assert await event_log.read(uuid4()) == []


async def test_the_end_is_found_until_nobody_needs_it(redis_log: RedisLog, redis: Redis) -> None:
    run = new_run()
    redis_log.follow(run)
    run.append("Once")
    finish(run)
    await redis_log.flush()
    found = assemble(await redis_log.read(run.key.message_id))
    assert found is not None
    assert found.terminal == run.terminal
    assert 0 < await redis.ttl(stream_key(run.key.message_id)) <= 900


async def test_who_watches_hears_what_is_written_from_then_on(redis_log: RedisLog, listener: Listener) -> None:
    run = new_run()
    redis_log.follow(run)
    run.append("Once ")
    await redis_log.flush()
    redis_log.watch(run.key.message_id, "1-1")
    run.append("upon")
    await redis_log.flush()
    await redis_log._tail._read()
    assert listener.heard == [Texts(1, 2, ["upon"])]


async def test_an_answer_that_begins_after_a_rest_is_written_by_itself(redis_log: RedisLog) -> None:
    redis_log.start()
    first = new_run()
    redis_log.follow(first)
    finish(first)
    await until(lambda: not redis_log._copies, "the log to come to rest")
    run = new_run()
    redis_log.follow(run)
    run.append("Once")
    await until(lambda: redis_log._copies[run.key.message_id].is_sure, "the answer to be logged")
    assert await told(redis_log, run) == (1, "Once")


async def test_between_calm_ticks_only_what_is_read_elsewhere_is_due(redis_log: RedisLog) -> None:
    read_elsewhere, unread = new_run(), new_run()
    for run in (read_elsewhere, unread):
        redis_log.follow(run)
    redis_log._all_due_at = math.inf
    assert redis_log._due() == []
    redis_log.hurry(read_elsewhere.key.message_id)
    assert [copy.run for copy in redis_log._due()] == [read_elsewhere]
    redis_log._all_due_at = 0.0
    assert [copy.run for copy in redis_log._due()] == [read_elsewhere, unread]
    assert redis_log._all_due_at > 0.0


async def test_only_an_end_that_is_read_elsewhere_waits_for_no_tick(redis_log: RedisLog) -> None:
    read_elsewhere, unread = new_run(), new_run()
    for run in (read_elsewhere, unread):
        redis_log.follow(run)
    redis_log.hurry(read_elsewhere.key.message_id)
    redis_log._wake.clear()
    finish(unread)
    await asyncio.sleep(0)
    assert not redis_log._wake.is_set()
    finish(read_elsewhere)
    await asyncio.sleep(0)
    assert redis_log._wake.is_set()


async def test_the_last_words_of_a_run_that_is_let_go_are_written(redis_log: RedisLog) -> None:
    run = new_run()
    redis_log.follow(run)
    run.append("Once ")
    await redis_log.flush()
    run.append("upon")
    run.abandon()
    await redis_log.flush()
    assert await told(redis_log, run) == (2, "Once upon")


async def test_a_stale_owner_is_refused_and_told(redis_log: RedisLog, listener: Listener, redis_url: str) -> None:
    stale = new_run()
    redis_log.follow(stale)
    stale.append("Once ")
    await redis_log.flush()
    next_one = RedisLog(redis_url, listener, listener.fenced)
    owner = new_run(attempt=2, text="Once ", first_seq=2, message_id=stale.key.message_id)
    next_one.follow(owner)
    await next_one.flush()
    for _ in range(3):
        stale.append("zombie ")
        await redis_log.flush()
    owner.append("upon")
    await next_one.flush()
    assert listener.refusals == 3
    assert await told(next_one, owner) == (3, "Once upon")
    await next_one.aclose()


async def test_a_store_that_came_back_empty_is_written_anew_whole(redis_log: RedisLog, redis: Redis) -> None:
    run = new_run()
    redis_log.follow(run)
    run.append("Once ")
    await redis_log.flush()
    await redis.flushdb()
    run.append("upon")
    await redis_log.flush()
    await redis_log.flush()
    assert await told(redis_log, run) == (2, "Once upon")


async def test_a_store_that_lost_its_tail_is_never_shown_with_a_hole(redis_log: RedisLog, redis: Redis) -> None:
    run = new_run()
    redis_log.follow(run)
    for text in TEXTS:
        run.append(text)
        await redis_log.flush()
    await redis.xdel(stream_key(run.key.message_id), "1-3")
    seq, text = await told(redis_log, run)
    assert text == "".join(TEXTS[:seq])
    assert seq == 2


async def test_what_is_foreign_or_damaged_is_counted_and_never_shown(redis_log: RedisLog, redis: Redis) -> None:
    run = new_run()
    key = stream_key(run.key.message_id)
    redis_log.follow(run)
    run.append("Once")
    await redis_log.flush()
    before = metrics.LOG_FOREIGN._value.get()
    foreign: list[tuple[str, dict[Any, Any]]] = [
        ("1-2", {b"x": b"y"}),
        ("1-3", {FIELD: b"\xff\x00"}),
        ("1-4", {FIELD: encode_entry(Texts(1, 9, ["from another id"]))}),
        ("1-5", {FIELD: encode_entry(Texts(1, 5, []))}),
    ]
    for identifier, fields in foreign:
        await redis.xadd(key, fields, id=identifier)
    assert await told(redis_log, run) == (1, "Once")
    assert metrics.LOG_FOREIGN._value.get() == before + len(foreign)


async def test_what_lies_where_an_answer_belongs_is_replaced(redis_log: RedisLog, redis: Redis) -> None:
    run = new_run()
    await redis.set(stream_key(run.key.message_id), "somebody's")
    redis_log.follow(run)
    run.append("Once")
    await redis_log.flush()
    assert await told(redis_log, run) == (1, "Once")
    await redis.set(stream_key(run.key.message_id), "somebody's again")
    run.append(" upon")
    await redis_log.flush()
    await redis_log.flush()
    assert redis_log.is_up
    assert await told(redis_log, run) == (2, "Once upon")


async def test_a_redis_that_is_away_costs_nothing_but_the_log(listener: Listener, free_port: int) -> None:
    log = RedisLog(f"redis://127.0.0.1:{free_port}", listener, listener.fenced)
    run = new_run()
    log.follow(run)
    run.append("Once")
    await log.flush()
    assert not log.is_up
    assert await log.read(run.key.message_id) == []
    await log.aclose()


async def test_the_store_has_a_name(redis_log: RedisLog, redis: Redis) -> None:
    run = new_run()
    redis_log.follow(run)
    await redis_log.flush()
    assert await redis.get(EPOCH_KEY)


@pytest.mark.parametrize(
    ("identifier", "body"),
    [
        ("1-1", None), ("1-1", b""), ("0-1", encode_entry(Whole(0, 1, "x", []))),
        ("1-1", encode_entry(Whole(1, 2, "x", []))),
        ("1-0", encode_entry(Texts(1, 0, ["x"]))), ("1-2147483648", encode_entry(Whole(1, 2**31, "x", []))),
    ],
    ids=["no body", "empty", "attempt 0", "another id", "a text before the first", "too large"],
)
def test_no_entry_is_believed_that_cannot_be_one(identifier: str, body: bytes | None) -> None:
    assert decode_entry(identifier, body) is None
