"""First words do not wait for what may wait: while it stands still, or cannot be handed over, the next ones come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from chat import post_processing, tasks, traces
from chat.models import OutboxJob, Trace
from chat.outbox import schedule
from chat.outbox.schedule import Periodic
from streaming.engine import Engine
from streaming.events import Chunk
from tests.streaming.scenes import STORY, Scene
from tests.streaming.seats import PATIENCE_SECONDS, Tab
from tests.waiting import until

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]


class Jam:
    """Whatever is called in its place stands still until it is let go; some then go on with what they were."""

    def __init__(self) -> None:
        self.begun, self.may_go = threading.Event(), threading.Event()

    def before(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def jammed(*args: Any, **kwargs: Any) -> Any:
            self.begun.set()
            assert self.may_go.wait(4 * PATIENCE_SECONDS)
            return work(*args, **kwargs)

        return jammed

    @property
    def stands_still(self) -> bool:
        return self.begun.is_set() and not self.may_go.is_set()


@pytest.fixture
def jam() -> Iterator[Jam]:
    jam = Jam()
    yield jam
    jam.may_go.set()


def jam_the_job(jam: Jam, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    # Done by this process's own thread, also where the engine has a Redis.
    settings.REDIS_URL = ""
    monkeypatch.setitem(post_processing.JOBS, "after_reply", jam.before(post_processing.after_reply))


def jam_rollups_and_alarms(jam: Jam, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """What comes back by itself, unless it is urgent, is one thread's work, and one after the other."""
    settings.REDIS_URL = ""
    monkeypatch.setattr(f"{__name__}.periodic", jam.before(periodic))
    monkeypatch.setattr(schedule, "SCHEDULE", (Periodic("jammed", 600.0, f"{__name__}.periodic", "a test's"),))


def jam_the_broker(jam: Jam, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """It neither takes a job nor refuses it, and then is gone."""
    settings.REDIS_URL = "redis://nowhere.invalid/0"
    monkeypatch.setattr(tasks.run_outbox_jobs, "apply_async", jam.before(refused))


def jam_the_trace(jam: Jam, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(traces, "write", jam.before(traces.write))


def periodic() -> None:
    """Rolls up, purges, looks for alarms."""


def refused(*args: Any, **kwargs: Any) -> None:
    raise ConnectionError("gone")


@pytest.mark.parametrize("jam_it", [jam_the_job, jam_rollups_and_alarms, jam_the_broker, jam_the_trace])
async def test_first_words_come_while_what_may_wait_stands_still(
    engine: Engine, scene: Scene, tab: Tab, jam: Jam, jam_it: Callable[..., None], monkeypatch: pytest.MonkeyPatch,
    settings: Any,
) -> None:
    jam_it(jam, monkeypatch, settings)
    await tab.send("the first")
    await tab.answer()
    await until(lambda: jam.begun.is_set(), "what may wait to begin")

    rid = await tab.send("the second")
    words = await tab.until(Chunk, lambda chunk: chunk.request_id == rid)
    assert jam.stands_still, "it was to be waited for by nobody"
    assert STORY.startswith(words.chunk)
    assert (await tab.answer()).content == STORY
    assert jam.stands_still, "neither the whole answer"

    jam.may_go.set()
    await engine.runner.settled()
    trace = await Trace.objects.aget(request_id=rid)
    assert {"provider_asked", "first_content", "first_frame", "end_frame"} <= trace.marks.keys()


async def test_what_stood_still_is_done_once_it_goes_on(
    engine: Engine, scene: Scene, tab: Tab, jam: Jam, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    jam_the_job(jam, monkeypatch, settings)
    for text in ("the first", "the second"):
        await tab.send(text)
        await tab.answer()
    await engine.runner.settled()
    jam.may_go.set()
    # It looks once more, and ends.
    await sync_to_async(engine.outbox.stop)()
    assert not await OutboxJob.objects.exclude(status=OutboxJob.Status.DONE).aexists()
    await scene.room.arefresh_from_db()
    assert (scene.room.title, scene.room.message_count) == ("the first", 5)
