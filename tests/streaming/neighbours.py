"""An answer that begins at a process of one's choice; waits for a process to hear hints, and for its words."""

from __future__ import annotations

import time
from typing import Any

from streaming import hints
from streaming.commands import SendMessage
from streaming.engine import Engine
from streaming.identity import identity_of
from streaming.service import take_turn
from streaming.turns import Turn
from tests.people import request_id
from tests.streaming.scenes import Scene
from tests.waiting import until

SLOWLY = {"chunks_per_second": 20.0}


def hears(engine: Engine) -> bool:
    layer: Any = engine.neighbours.hints._layer
    return hints.GROUP in "".join(layer.groups)


async def begin(scene: Scene, at: Engine, text: str = "hi", rid: str | None = None) -> Turn:
    command = SendMessage(request_id=rid or request_id(), text=text)
    return await take_turn(
        at, identity_of(scene.alice), scene.room.pk, command, door="socket", received_at=time.monotonic()
    )


async def elsewhere_wrote(engine: Engine, turn: Turn, seq: int) -> None:
    run = engine.runner.get(turn.accepted.message_id)
    assert run is not None
    await until(lambda: run.seq >= seq, "some words")
