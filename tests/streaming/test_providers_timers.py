from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from streaming.providers.base import Finished, Limits, Piece, ProviderError, Text
from streaming.providers.timers import timed
from tests.virtual_time import run_in_virtual_time

LIMITS = Limits(first_content_seconds=10.0, gap_seconds=4.0, total_seconds=30.0)
FOREVER = 1e9


class Source:
    """Pieces after the given waits, then the end; notes whether it was closed and when it failed."""

    def __init__(self, *waits: float) -> None:
        self._waits = waits
        self.is_closed = False

    async def pieces(self) -> AsyncGenerator[Piece]:
        try:
            for wait in self._waits:
                await asyncio.sleep(wait)
                yield Text("x")
            yield Finished("stop")
        finally:
            self.is_closed = True


async def outcome(source: Source, *, busy_seconds: float = 0.0) -> tuple[int, str, float]:
    """(pieces, error code or "", when) of a reader that is busy for a while with each piece."""
    count, code = 0, ""
    try:
        async for piece in timed(source.pieces(), LIMITS):
            count += isinstance(piece, Text)
            await asyncio.sleep(busy_seconds)
    except ProviderError as error:
        code = error.code if error.retryable else "not retryable"
    assert source.is_closed
    return count, code, asyncio.get_running_loop().time()


@pytest.mark.parametrize(
    ("waits", "expected"),
    [
        ((), (0, "", 0.0)),
        ((9.5, 3.5, 3.5), (3, "", 16.5)),
        ((FOREVER,), (0, "provider_first_content_timeout", 10.0)),
        ((1.0, FOREVER), (1, "provider_gap_timeout", 5.0)),
        ((1.0, 3.0, 3.0, FOREVER), (3, "provider_gap_timeout", 11.0)),
        ((1.0,) + (3.9,) * 20, (8, "provider_total_timeout", 30.0)),
    ],
)
def test_each_limit_fires_at_its_time_and_closes_the_stream(
    waits: tuple[float, ...], expected: tuple[int, str, float]
) -> None:
    count, code, when = run_in_virtual_time(outcome(Source(*waits)))
    assert (count, code) == expected[:2]
    assert when == pytest.approx(expected[2])


def test_a_busy_reader_is_no_gap_of_the_providers() -> None:
    count, code, _ = run_in_virtual_time(outcome(Source(1.0, 1.0, 1.0), busy_seconds=6.0))
    assert (count, code) == (3, "")


def test_the_total_is_noticed_even_when_the_reader_was_busy_meanwhile() -> None:
    count, code, _ = run_in_virtual_time(outcome(Source(1.0, 1.0, 1.0), busy_seconds=40.0))
    assert (count, code) == (1, "provider_total_timeout")


def test_a_cancelled_reader_stays_cancelled_and_the_stream_is_closed() -> None:
    async def scenario() -> None:
        source = Source(FOREVER)
        task = asyncio.create_task(outcome(source))
        await asyncio.sleep(1.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert source.is_closed

    run_in_virtual_time(scenario())


def test_a_cancel_at_the_very_moment_of_the_limit_is_not_lost() -> None:
    async def scenario() -> None:
        task = asyncio.create_task(outcome(Source(FOREVER)))
        asyncio.get_running_loop().call_at(10.0, task.cancel)
        await asyncio.wait([task])
        assert task.cancelled() or task.result()[1] == "provider_first_content_timeout"

    run_in_virtual_time(scenario())


def test_after_a_timeout_the_readers_task_can_still_await() -> None:
    async def scenario() -> int:
        await outcome(Source(FOREVER))
        await asyncio.sleep(1.0)
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling()

    assert run_in_virtual_time(scenario()) == 0
