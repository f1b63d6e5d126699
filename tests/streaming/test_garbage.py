"""Garbage is looked for while nobody waits for a word."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import pytest

from streaming import garbage
from tests.waiting import until


@pytest.fixture(autouse=True)
def collections() -> Iterator[list[int]]:
    """The generations that were looked through, by whoever."""
    seen: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "stop":
            seen.append(info["generation"])

    thresholds = gc.get_threshold()
    gc.set_threshold(1_000_000)
    gc.callbacks.append(note)
    yield seen
    gc.callbacks.remove(note)
    gc.set_threshold(*thresholds)


class Cycle:
    def __init__(self) -> None:
        self.itself = self


@pytest.mark.parametrize("is_quiet", [True, False])
async def test_one_looks_in_a_pause_and_never_while_something_is_written(
    collections: list[int], monkeypatch: pytest.MonkeyPatch, is_quiet: bool
) -> None:
    monkeypatch.setattr(garbage, "LOOK_SECONDS", 0.0)
    asked: list[bool] = []

    def quiet() -> bool:
        asked.append(is_quiet)
        return is_quiet

    gc.collect()
    collections.clear()
    left = [Cycle() for _ in range(garbage.WORTH_LOOKING + 1)]
    duty = asyncio.create_task(garbage.keep(quiet))
    await until(lambda: len(asked) > 2, "the duty to have asked more than once")
    duty.cancel()
    assert collections == ([0] if is_quiet else [])
    assert len(left) > garbage.WORTH_LOOKING
