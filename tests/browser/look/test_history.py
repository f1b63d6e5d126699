"""A long room: the newest page comes with the document, older ones as one scrolls up, and the place is kept."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.look.visitor import Visitor
from tests.live import LiveServer

pytestmark = pytest.mark.browser
SKIPPING = "row => getComputedStyle(row).contentVisibility"
SHOW = "row => { row.style.contentVisibility = 'visible'; }"
HEIGHT = "row => row.offsetHeight"
#: Every column but these is as in the room's greeting.
COPY = """
INSERT INTO chat_message (id, room_id, role, position, content, tokens, status, selected, created_at)
SELECT ?, room_id, ?, ?, ?, 0, 'complete', 1, created_at
FROM chat_message WHERE room_id = ? AND position = 0 AND selected = 1
"""


def said(position: int) -> str:
    """Of very different heights, so that guesses about them go wrong."""
    return f"Number {position}. " + '*A long pause.* "And on it goes." ' * (position * 7 % 40)


@pytest.fixture
def long_room(visitor: Visitor, site: LiveServer) -> Visitor:
    """A room of 90 messages, put straight into the server's database."""
    visitor.open_room()
    room = visitor.page.url.rstrip("/").split("/")[-1].replace("-", "")
    rows = [(uuid4().hex, "user" if n % 2 else "character", n, said(n), room) for n in range(1, 90)]
    with closing(sqlite3.connect(site.log.parent / "soksak.sqlite3")) as database, database:
        database.executemany(COPY, rows)
    visitor.page.reload()
    expect(visitor.messages).to_have_count(30)
    return visitor


def top_of(visitor: Visitor, number: int) -> float:
    box = visitor.page.locator(".message", has_text=f"Number {number}.").bounding_box()
    assert box is not None
    return box["y"]


def test_a_room_opens_at_its_end_without_loading_what_nobody_looks_at(long_room: Visitor) -> None:
    assert long_room.distance_from_end() < 2
    expect(long_room.messages).to_have_count(30)


def test_older_messages_come_as_one_scrolls_up_and_the_place_is_kept(long_room: Visitor) -> None:
    with long_room.page.expect_response(re.compile("before=60")):
        long_room.pane.evaluate("pane => pane.scrollTo(0, 300)")
        before = top_of(long_room, 61)
    expect(long_room.messages).to_have_count(60)
    assert abs(top_of(long_room, 61) - before) < 2


def test_scrolling_on_reaches_the_first_message_and_asks_for_no_more(long_room: Visitor) -> None:
    asked: list[str] = []
    long_room.page.on("request", lambda request: asked.append(request.url) if "before=" in request.url else None)
    for count in (60, 90):
        long_room.pane.evaluate("pane => pane.scrollTo(0, 10)")
        expect(long_room.messages).to_have_count(count)
    long_room.pane.evaluate("pane => pane.scrollTo(0, 0)")
    expect(long_room.messages.first).to_be_in_viewport()
    assert [re.sub(r".*before=", "", url) for url in asked] == ["60", "30"]
    beginnings = long_room.messages.locator(".message__body").evaluate_all(
        "bodies => bodies.slice(1).map(body => parseInt(body.textContent.match(/\\d+/)[0]))"
    )
    assert beginnings == list(range(1, 90))


def test_messages_that_are_out_of_sight_are_not_laid_out_and_keep_their_height(long_room: Visitor) -> None:
    long_room.pane.evaluate("pane => pane.scrollTo(0, 10)")
    expect(long_room.messages).to_have_count(60)
    assert set(long_room.messages.evaluate_all(f"rows => rows.map({SKIPPING})")) == {"auto"}
    assumed = long_room.messages.evaluate_all(f"rows => rows.map({HEIGHT})")
    shown = long_room.messages.evaluate_all(f"rows => rows.map(row => (({SHOW})(row), ({HEIGHT})(row)))")
    assert assumed == shown


def test_who_reads_above_has_a_way_down(long_room: Visitor) -> None:
    pill = long_room.page.locator("[data-to-end]")
    long_room.pane.evaluate("pane => pane.scrollTo(0, 2000)")
    pill.click()
    expect(pill).to_be_hidden()
    assert long_room.distance_from_end() < 2
