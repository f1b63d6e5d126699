"""A story on the packaged model, through the whole path: what was read for one turn is not read again for the next."""

from __future__ import annotations

from typing import Any

import pytest

from chat.models import Generation, ModelRoute, Room, Trace
from chat.routes import LOCAL_ROUTE
from streaming.engine import Engine
from tests.streaming.scenes import Scene
from tests.waiting import until

pytestmark = [pytest.mark.local_model, pytest.mark.data, pytest.mark.django_db(transaction=True)]

TURNS = 10
#: Of a turn's prompt, from the third turn on.
LEAST_CACHED = 0.8
ANSWER_TOKENS = 8
#: The model may be busy with others' tests.
READ_SECONDS = 90.0


@pytest.fixture(autouse=True)
def _may_ask(settings: Any) -> None:
    """Before the engine, which reads it once."""
    settings.ALLOW_PROVIDER_REQUESTS = True


def told(usage: Any) -> tuple[int, int]:
    return usage.prompt_tokens or 0, usage.cached_tokens or 0


async def test_a_ten_turn_story_is_mostly_served_from_the_models_cache(
    engine: Engine, scene: Scene, local_model_url: str
) -> None:
    # Stands behind the newest words, and so moves with each turn: the hardest for a cache.
    await Room.objects.filter(pk=scene.room.pk).aupdate(user_note="Speak of the sea.")
    fields = {**LOCAL_ROUTE, "base_url": local_model_url, "max_output_tokens": ANSWER_TOKENS}
    await ModelRoute.objects.filter(pk=scene.route.pk).aupdate(**fields)
    tab = scene.tab()
    await tab.open()
    await until(lambda: not engine.warmer._tasks, "the room to be read ahead", seconds=READ_SECONDS)
    turns = []
    for number in range(1, TURNS + 1):
        await tab.send(f"Day {number}. What now?")
        prompt, cached = told((await tab.answer()).usage)
        turns.append((prompt, cached))
        # The first was read when the room was opened; the second is the first whose words have an answer before them.
        assert number == 2 or cached / prompt >= LEAST_CACHED, turns
    await engine.runner.settled()
    await tab.close()
    assert [told(row) async for row in Generation.objects.order_by("created_at")] == turns
    calls = [call async for (call,) in Trace.objects.order_by("created_at").values_list("calls")]
    assert [(call["promptTokens"], call["cachedTokens"]) for (call,) in calls] == turns
