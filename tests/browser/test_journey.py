"""What a person comes for: from a stranger at the door to a story that is theirs, on the real site in a real browser.

What each button does by itself: tests/browser/look.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.person import Person, shown
from tests.faultproxy import FaultProxy
from tests.faults.site import Site
from tests.provider_behaviour import words

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MODEL, ANSWER = "text-3-60+rate-150", "".join(words(3, 60))
OTHER_MODEL, OTHER_ANSWER = "text-4-30", "".join(words(4, 30))
#: Of the model's bytes: some fifteen words.
MIDWAY_BYTES = 3_000
USERNAME, PASSWORD = "minji", "a lamp in the old lighthouse"


@pytest.fixture
def halting(site: Site, line: FaultProxy) -> Site:
    """Its answers stand still midway until the line to the model flows."""
    line.hold_after(MIDWAY_BYTES)
    site.add_model(MODEL, base_url=f"{line.url}/v1")
    return site


@pytest.fixture
def reader(site: Site, visit: Visit) -> Person:
    """A guest in a room, with one answer received."""
    site.add_model(MODEL)
    person = visit(site.url)
    person.open_room()
    person.say("Tell me.")
    person.sees_answer("complete")
    return person


def test_a_stranger_chooses_a_character_and_reads_the_answer_while_it_is_written(
    halting: Site, line: FaultProxy, visit: Visit
) -> None:
    stranger = visit(halting.url, locale="ko-KR")
    stranger.visit()
    stranger.page.get_by_role("link", name=re.compile("윤하늘")).first.click()
    stranger.press("대화 시작하기")
    stranger.page.wait_for_url("**/rooms/**")
    stranger.say("안녕, 하늘아. *손을 흔든다*")
    first = stranger.sees_words()
    assert shown(ANSWER).startswith(first)
    assert first != shown(ANSWER)
    stranger.sees_answer("writing")
    line.flow()
    stranger.sees_answer("complete")
    greeting, said, answer = stranger.stored()
    assert (said["text"], answer["text"]) == ("안녕, 하늘아. *손을 흔든다*", ANSWER)
    assert greeting["text"]
    stranger.sees_what_is_stored()
    before = stranger.story()
    stranger.reload()
    assert stranger.story() == before


def test_what_was_read_before_the_stop_is_what_stays_and_what_is_gone_on_from(
    halting: Site, line: FaultProxy, visit: Visit
) -> None:
    reader = visit(halting.url)
    reader.open_room()
    reader.say("Tell me.")
    seen = reader.sees_words()
    reader.press("Stop writing")
    reader.sees_answer("stopped")
    # More may have come between the look and the press.
    kept = reader.text_of(reader.last)
    assert kept.startswith(seen)
    assert shown(ANSWER).startswith(kept)
    assert kept != shown(ANSWER)
    reader.sees_what_is_stored()
    line.flow()
    reader.press("Continue")
    reader.sees_answer("complete")
    assert reader.stored()[-1]["text"] == ANSWER
    reader.sees_what_is_stored()
    expect(reader.last.locator(".variants__count")).to_have_text("2/2")


def test_another_reply_stands_beside_the_first_and_either_can_be_kept(site: Site, reader: Person) -> None:
    site.rows.drop_routes()
    site.add_model(OTHER_MODEL)
    reader.press("Write another reply")
    count = reader.last.locator(".variants__count")
    expect(count).to_have_text("2/2")
    reader.sees_answer("complete")
    assert reader.text_of(reader.last) == shown(OTHER_ANSWER)
    reader.sees_what_is_stored()
    reader.press("Previous reply")
    expect(count).to_have_text("1/2")
    assert reader.text_of(reader.last) == shown(ANSWER)
    reader.sees_what_is_stored()
    reader.reload()
    expect(count).to_have_text("1/2")
    reader.sees_what_is_stored()


def test_a_story_that_was_rewritten_and_taken_back_is_stored_as_it_is_seen(reader: Person) -> None:
    reader.open_menu_of(reader.last)
    reader.choose("Edit")
    reader.page.get_by_role("textbox", name="Edit message").fill('*He turns.*\n\n"Other words." 다른 말')
    reader.press("Save")
    expect(reader.last).to_contain_text("Edited")
    reader.sees_what_is_stored()
    reader.say("And then?")
    reader.sees_answer("complete")
    expect(reader.messages).to_have_count(5)
    reader.sees_what_is_stored()
    reader.open_menu_of(reader.messages.nth(2))
    reader.choose("Go back to this point")
    reader.press("Go back")
    expect(reader.messages).to_have_count(3)
    reader.sees_what_is_stored()


def test_a_guest_who_signs_up_keeps_every_room(site: Site, reader: Person) -> None:
    room_id, story = reader.room_id, reader.story()
    reader.visit("/profile/")
    reader.follow("Sign up and keep everything")
    reader.page.get_by_label("Username").fill(USERNAME)
    reader.page.get_by_label("Password", exact=True).fill(PASSWORD)
    reader.press("Sign up")
    expect(reader.page.locator("html")).to_have_attribute("data-user", "member")
    reader.visit()
    expect(reader.page.locator(f".room-card[href='/rooms/{room_id}/']")).to_be_visible()
    reader.return_to(room_id)
    assert reader.story() == story
    site.rows.drop_routes()
    site.add_model(OTHER_MODEL)
    reader.say("Still here?")
    reader.sees_answer("complete")
    reader.sees_what_is_stored()


def test_the_character_greets_by_the_name_one_gives(site: Site, visit: Visit) -> None:
    person = visit(site.url, locale="ko-KR")
    person.visit("/characters/yuseong/")
    person.page.locator("[name=name]").fill("민지")
    person.press("대화 시작하기")
    person.page.wait_for_url("**/rooms/**")
    expect(person.last).to_contain_text("민지")
    person.visit("/profile/")
    expect(person.page.get_by_label("이름")).to_have_value("민지")


def test_a_room_speaks_the_language_one_switches_to_and_the_story_stays(reader: Person) -> None:
    story = reader.story()
    reader.press("Room menu")
    reader.choose("한국어")
    expect(reader.page.locator("html")).to_have_attribute("lang", "ko")
    expect(reader.page.get_by_role("button", name="보내기")).to_be_visible()
    assert reader.story() == story
