"""What processes tell each other comes in its order; what is strange is ignored, what is lost is found in the rows."""

from __future__ import annotations

import msgspec
import pytest
from asgiref.sync import sync_to_async
from redis.asyncio import Redis

from chat import generations
from streaming import hints, metrics
from streaming.engine import Engine
from streaming.events import RoomChanged, Snapshot, Start, UserMessage
from tests.streaming.neighbours import begin, elsewhere_wrote
from tests.streaming.scenes import STORY, Scene
from tests.streaming.seats import Tab
from tests.waiting import until

pytestmark = [pytest.mark.data, pytest.mark.redis, pytest.mark.django_db(transaction=True)]


async def test_a_stop_whose_hint_is_lost_is_found_in_the_row(
    here: Engine, elsewhere: Engine, scene: Scene, tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(here.neighbours.hints, "say", lambda hint: None)
    await scene.script(hang_at_chunk=4)
    turn = await begin(scene, elsewhere)
    await tab.until(Start)
    await elsewhere_wrote(elsewhere, turn, 3)
    asked = await sync_to_async(generations.ask_stop)(scene.alice.pk, scene.room.pk, turn.accepted.message_id, 7)
    assert asked
    await elsewhere.ownership.look_after()
    assert (await tab.answer()).content == STORY[:7]


async def test_without_redis_a_reader_elsewhere_gets_what_the_row_has_and_the_end(
    here: Engine, elsewhere: Engine, scene: Scene, tab: Tab, shared_redis: Redis
) -> None:
    for engine in (here, elsewhere):
        engine.neighbours.log._lost(ConnectionError("gone"))  # type: ignore[attr-defined]
        engine.neighbours.log._duty.cancel()  # type: ignore[attr-defined]
    await scene.script(hang_at_chunk=4)
    turn = await begin(scene, elsewhere)
    await tab.until(Start)
    await elsewhere.checkpoint.flush()
    await here.neighbours.mirrors.look()
    assert (await tab.until(Snapshot, lambda event: bool(event.text))).text == STORY[:16]
    assert elsewhere.runner.stop(turn.accepted.message_id, 16)
    await elsewhere.runner.settled()
    await here.neighbours.mirrors.look()
    assert (await tab.answer()).content == STORY[:16]


async def test_a_hint_that_was_lost_is_found_by_the_rounds(
    here: Engine, elsewhere: Engine, scene: Scene, tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elsewhere.neighbours.hints, "say", lambda hint: None)
    await scene.script(hang_at_chunk=4)
    turn = await begin(scene, elsewhere)
    await here.rounds.look([scene.room.pk])
    assert (await tab.until(Start)).message_id == turn.accepted.message_id
    assert [said.text for said in tab.of(UserMessage)] == ["hi"]
    elsewhere.runner.stop(turn.accepted.message_id, 4)
    assert (await tab.answer()).content == STORY[:4]


async def test_a_room_changed_elsewhere_is_told_here(
    here: Engine, elsewhere: Engine, scene: Scene, tab: Tab
) -> None:
    elsewhere.neighbours.hints.say(hints.RoomMoved(scene.room.pk, 99))
    assert (await tab.until(RoomChanged)).head == 99


async def test_hints_of_unknown_kind_or_size_are_counted_and_ignored(here: Engine, elsewhere: Engine) -> None:
    before = metrics.HINTS_IGNORED._value.get()
    layer = here.neighbours.hints._layer
    for body in (b"{}", b'[{"type":"made_up"}]', "text", b"[" + b" " * hints.BATCH_MAX_BYTES + b"]", None, b"[7]"):
        await layer.group_send(hints.GROUP, {"type": "hints", "from": "somebody", "body": body})
    # Each of the two engines hears each of them.
    await until(lambda: metrics.HINTS_IGNORED._value.get() == before + 12, "all of them to be ignored")


def test_one_strange_hint_costs_the_others_of_its_batch_nothing() -> None:
    before = metrics.HINTS_IGNORED._value.get()
    body = msgspec.json.encode([hints.FlagsChanged(), {"type": "made_up"}, hints.LetGo("machine-1")])
    assert list(hints.parse_hints(body)) == [hints.FlagsChanged(), hints.LetGo("machine-1")]
    assert metrics.HINTS_IGNORED._value.get() == before + 1


async def test_many_hints_arrive_in_their_order(
    here: Engine, elsewhere: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[hints.Hint] = []
    monkeypatch.setattr(elsewhere.neighbours.hints, "_heed", lambda hint, sender: heard.append(hint))

    def is_heard() -> bool:
        here.neighbours.hints.say(hints.FlagsChanged())
        return bool(heard)

    # Whoever has not joined the others yet hears nothing.
    await until(lambda: is_heard(), "the first one")
    said = [hints.LetGo(f"machine-{number}") for number in range(2 * hints.BATCH + 1)]
    for hint in said:
        here.neighbours.hints.say(hint)
    await until(lambda: said[-1] in heard, "the last one")
    assert [hint for hint in heard if hint in said] == said
