"""A coroutine begun outside any task goes on inside one as if it had always been there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from streaming.begun import Begun


async def go_on(coroutine: Coroutine[Any, Any, None]) -> None:
    await Begun(coroutine, coroutine.send(None))


@pytest.fixture
def heard() -> list[str]:
    return []


def waits_for(heard: list[str], future: asyncio.Future[str]) -> Callable[[], Coroutine[Any, Any, None]]:
    async def wait() -> None:
        try:
            heard.append(await future)
            await asyncio.sleep(0)
            heard.append("after")
        except BaseException as error:
            heard.append(type(error).__name__)
            raise

    return wait


async def test_it_hears_what_it_waits_for_and_goes_on(heard: list[str]) -> None:
    future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(go_on(waits_for(heard, future)()))
    await asyncio.sleep(0)
    future.set_result("told")
    await task
    assert heard == ["told", "after"]


async def test_an_error_is_its_own_to_hear(heard: list[str]) -> None:
    future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(go_on(waits_for(heard, future)()))
    await asyncio.sleep(0)
    future.set_exception(OSError("gone"))
    with pytest.raises(OSError, match="gone"):
        await task
    assert heard == ["OSError"]


async def test_a_cancelled_task_cancels_it(heard: list[str]) -> None:
    future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(go_on(waits_for(heard, future)()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert heard == ["CancelledError"]
    assert future.cancelled()


async def test_one_that_swallows_a_cancel_goes_on() -> None:
    heard = []

    async def stubborn() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            heard.append("no")
        await asyncio.sleep(0)
        heard.append("done")

    task = asyncio.create_task(go_on(stubborn()))
    await asyncio.sleep(0)
    task.cancel()
    await task
    assert heard == ["no", "done"]
