"""Whatever happens to the tab, the line or the server midway: one message, one answer, and all of it on the page."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from playwright.sync_api import expect

from tests import faultproxy
from tests.browser.conftest import OpenSite, Visit
from tests.browser.person import Person, shown
from tests.faultproxy import FaultProxy
from tests.faults.site import Site
from tests.provider_behaviour import words
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MODEL, ANSWER, QUESTION = "text-5-80+rate-200", "".join(words(5, 80)), "Tell me."
#: Of the model's bytes: some fifteen words.
MIDWAY_BYTES = 3_000
SOCKETS, STREAMS = b"Upgrade: websocket", b"/stream"
on_both = pytest.mark.parametrize("stack", [("daphne", "sqlite"), ("uvicorn", "sqlite")], ids="-".join, indirect=True)


@dataclass
class Scene:
    """A person, the wire to the site, the line to the model. The answer stands still midway until the line flows."""

    site: Site
    wire: FaultProxy
    line: FaultProxy
    person: Person
    model: str

    def midway(self) -> UUID:
        """In a new room, with an answer of which some words can be read. Returns the room."""
        self.person.open_room()
        self.person.say(QUESTION)
        self.is_midway(self.person)
        return self.person.room_id

    def is_midway(self, person: Person) -> None:
        text = person.sees_words()
        assert shown(ANSWER).startswith(text)
        assert text != shown(ANSWER)

    def ends_well(self, *people: Person, asked: int = 1) -> None:
        self.line.flow()
        for person in people or (self.person,):
            person.sees_answer("complete")
            person.sees_what_is_stored()
            expect(person.messages).to_have_count(3)
        room_id = (people or (self.person,))[0].room_id
        (answer,) = self.site.rows.answers(room_id)
        assert (answer.text, answer.status) == (ANSWER, "complete")
        assert self.site.rows.said(room_id) == [QUESTION]
        assert self.site.asked(self.model) == asked


OpenScene = Callable[[Site], Scene]


@pytest.fixture
def open_scene(line: FaultProxy, visit: Visit) -> Iterator[OpenScene]:
    with contextlib.ExitStack() as wires:

        def open_one(site: Site) -> Scene:
            wire = wires.enter_context(faultproxy.running(site.server.port))
            line.hold_after(MIDWAY_BYTES)
            model = site.add_model(MODEL, base_url=f"{line.url}/v1")
            return Scene(site, wire, line, visit(wire.url, may_lose_network=True), model)

        yield open_one


@pytest.fixture
def scene(site: Site, open_scene: OpenScene) -> Scene:
    return open_scene(site)


def recovers(person: Person) -> None:
    """The page says that it is catching up; what was read stays."""
    expect(person.last).to_have_attribute("data-status", "recovering")
    assert person.text_of(person.last)


@on_both
def test_the_page_is_reloaded(scene: Scene) -> None:
    scene.midway()
    scene.person.reload()
    scene.is_midway(scene.person)
    scene.ends_well()


def test_a_second_tab_is_opened(scene: Scene) -> None:
    room_id = scene.midway()
    second = scene.person.new_tab()
    second.return_to(room_id)
    scene.is_midway(second)
    scene.ends_well(scene.person, second)


def test_the_tab_is_closed_and_another_one_opened_later(scene: Scene) -> None:
    room_id = scene.midway()
    later = scene.person.new_tab()
    scene.person.page.close()
    scene.line.flow()
    wait_until(lambda: scene.site.rows.answers(room_id)[0].status == "complete", "the answer's end")
    later.return_to(room_id)
    scene.ends_well(later)


@on_both
@pytest.mark.parametrize("sever", [FaultProxy.reset, FaultProxy.finish], ids=["reset", "finish"])
def test_the_wire_is_severed(scene: Scene, sever: Callable[[FaultProxy], None]) -> None:
    scene.midway()
    sever(scene.wire)
    scene.ends_well()


def test_the_wire_is_gone_for_a_while(scene: Scene) -> None:
    scene.midway()
    scene.wire.refuse()
    scene.wire.reset()
    recovers(scene.person)
    scene.wire.accept()
    scene.ends_well()


def test_the_wire_freezes_and_only_the_missing_heartbeat_tells(scene: Scene) -> None:
    scene.midway()
    taken = scene.wire.accepted
    scene.wire.stall()
    recovers(scene.person)
    wait_until(lambda: scene.wire.accepted > taken, "another connection beside the frozen one")
    scene.wire.flow()
    scene.ends_well()


def test_the_browser_is_offline_while_the_answer_is_written(scene: Scene) -> None:
    room_id = scene.midway()
    scene.person.page.context.set_offline(True)
    recovers(scene.person)
    scene.line.flow()
    wait_until(lambda: scene.site.rows.answers(room_id)[0].status == "complete", "the answer's end")
    scene.person.page.context.set_offline(False)
    scene.ends_well()


@on_both
def test_the_server_is_killed_and_started_again(open_site: OpenSite, open_scene: OpenScene) -> None:
    scene = open_scene(open_site())
    scene.midway()
    scene.site.server.kill9()
    recovers(scene.person)
    scene.line.flow()
    scene.site.server.restart()
    scene.ends_well(asked=2)


def test_the_server_is_told_to_end_and_started_again(open_site: OpenSite, open_scene: OpenScene) -> None:
    scene = open_scene(open_site())
    scene.midway()
    assert scene.site.server.terminate() == 0
    scene.line.flow()
    scene.site.server.restart()
    scene.ends_well(asked=2)


def test_no_socket_ever_opens_and_the_words_come_as_a_stream(scene: Scene) -> None:
    scene.wire.deny(SOCKETS)
    room_id = scene.midway()
    scene.ends_well()
    assert scene.site.rows.answers(room_id)[0].path == "sse"


def test_the_stream_is_cut_too_and_the_answer_comes_whole(scene: Scene) -> None:
    scene.wire.deny(SOCKETS)
    scene.midway()
    scene.wire.deny(SOCKETS, STREAMS)
    scene.wire.reset()
    scene.ends_well()


def test_neither_socket_nor_stream_is_let_through_and_the_answer_comes_whole(scene: Scene) -> None:
    scene.wire.deny(SOCKETS, STREAMS)
    scene.person.open_room()
    scene.person.say(QUESTION)
    scene.ends_well()
    assert scene.site.rows.answers(scene.person.room_id)[0].path == "fallback"


def test_what_is_said_to_a_dead_wire_is_sent_once_after_the_page_is_loaded_again(scene: Scene) -> None:
    scene.person.open_room()
    scene.wire.refuse()
    scene.wire.reset()
    scene.person.say(QUESTION)
    expect(scene.person.messages.nth(1)).to_have_attribute("data-status", "sending")
    scene.wire.accept()
    scene.person.reload()
    scene.ends_well()


def test_what_is_said_offline_is_sent_once_when_the_browser_is_back(scene: Scene) -> None:
    scene.person.open_room()
    scene.person.page.context.set_offline(True)
    scene.person.say(QUESTION)
    expect(scene.person.messages.nth(1)).to_have_attribute("data-status", "sending")
    scene.person.page.context.set_offline(False)
    scene.ends_well()


def test_with_streaming_switched_off_the_same_page_gets_the_whole_answer(
    open_site: OpenSite, open_scene: OpenScene
) -> None:
    scene = open_scene(open_site(CHAT_STREAMING_ENABLED="false"))
    scene.person.open_room()
    scene.person.say(QUESTION)
    scene.ends_well()
    assert scene.site.rows.answers(scene.person.room_id)[0].path == "completed"
