"""The field one writes in: Enter, input methods, drafts, actions, limits."""

from __future__ import annotations

import pytest
from playwright.sync_api import CDPSession, expect

from tests.browser.look.visitor import PHONE, Device, Visitor

pytestmark = pytest.mark.browser
ENTER_IN_IME = {"key": "Process", "code": "Enter", "windowsVirtualKeyCode": 229}


@pytest.fixture
def keyboard(visitor: Visitor) -> CDPSession:
    """A room, its field, and a way to compose in it as an input method does."""
    visitor.open_room()
    visitor.field.focus()
    return visitor.page.context.new_cdp_session(visitor.page)


def compose(keyboard: CDPSession, syllable: str) -> None:
    keyboard.send("Input.imeSetComposition", {"text": syllable, "selectionStart": len(syllable), "selectionEnd": 0})


def press_enter_while_composing(keyboard: CDPSession) -> None:
    keyboard.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **ENTER_IN_IME})


def commit(keyboard: CDPSession, syllable: str) -> None:
    keyboard.send("Input.insertText", {"text": syllable})


def test_one_enter_sends_korean_once_with_its_last_syllable(visitor: Visitor, keyboard: CDPSession) -> None:
    commit(keyboard, "안녕하세")
    compose(keyboard, "요")
    press_enter_while_composing(keyboard)
    expect(visitor.messages).to_have_count(1)
    commit(keyboard, "요")
    expect(visitor.messages).to_have_count(3)
    expect(visitor.messages.nth(1).locator(".message__body")).to_have_text("안녕하세요")
    expect(visitor.field).to_have_value("")
    visitor.wait_for_status("complete")
    expect(visitor.messages).to_have_count(3)


def test_enter_sends_and_shift_enter_begins_a_line(visitor: Visitor) -> None:
    visitor.open_room()
    visitor.field.press_sequentially("one")
    visitor.field.press("Shift+Enter")
    visitor.field.press_sequentially("two")
    expect(visitor.field).to_have_value("one\ntwo")
    visitor.field.press("Enter")
    expect(visitor.field).to_have_value("")
    expect(visitor.messages.nth(1).locator(".markup__line")).to_have_text(["one", "two"])


@pytest.mark.parametrize("device", [PHONE], ids=str)
def test_on_a_phone_enter_begins_a_line(visitor: Visitor, device: Device) -> None:
    visitor.open_room()
    visitor.field.press_sequentially("one")
    visitor.field.press("Enter")
    expect(visitor.field).to_have_value("one\n")
    expect(visitor.messages).to_have_count(1)


def test_nothing_but_spaces_is_not_sent(visitor: Visitor) -> None:
    visitor.open_room()
    visitor.field.fill("  \n ")
    visitor.field.press("Enter")
    expect(visitor.page.locator("[data-send]")).to_be_disabled()
    expect(visitor.messages).to_have_count(1)


def test_a_draft_is_there_after_a_reload_and_gone_after_sending(visitor: Visitor) -> None:
    visitor.open_room()
    visitor.field.fill("not sent yet")
    visitor.page.reload()
    expect(visitor.field).to_have_value("not sent yet")
    visitor.field.press("Enter")
    expect(visitor.messages).to_have_count(3)
    visitor.page.reload()
    expect(visitor.field).to_have_value("")


def test_the_star_button_marks_what_is_selected(visitor: Visitor) -> None:
    visitor.open_room()
    star = visitor.page.locator("[data-marks]")
    visitor.field.fill("waves hello")
    visitor.field.evaluate("field => field.setSelectionRange(0, 5)")
    star.click()
    expect(visitor.field).to_have_value("*waves* hello")
    expect(visitor.field).to_be_focused()


def test_the_star_button_makes_room_for_an_action_and_leads_out_of_it(visitor: Visitor) -> None:
    visitor.open_room()
    star = visitor.page.locator("[data-marks]")
    visitor.field.focus()
    star.click()
    visitor.page.keyboard.type("nods")
    star.click()
    visitor.page.keyboard.type(" Yes.")
    expect(visitor.field).to_have_value("*nods* Yes.")


def test_the_count_shows_near_the_limit_and_too_much_is_not_sent(visitor: Visitor) -> None:
    visitor.open_room()
    count, send = visitor.page.locator("[data-count]"), visitor.page.locator("[data-send]")
    visitor.field.fill("x" * 3500)
    expect(count).to_be_hidden()
    visitor.field.fill("😀" * 4000)
    expect(count).to_have_text("4000 of 4000")
    expect(send).to_be_enabled()
    visitor.field.fill("😀" * 4001)
    expect(count).to_have_text("4001 of 4000")
    expect(send).to_be_disabled()


def test_the_field_grows_with_its_text_and_stops(visitor: Visitor) -> None:
    visitor.open_room()

    def height() -> float:
        box = visitor.field.bounding_box()
        assert box is not None
        return box["height"]

    one_line = height()
    visitor.field.fill("1\n2\n3")
    three_lines = height()
    assert three_lines > one_line * 1.5
    visitor.field.fill("line\n" * 100)
    assert three_lines < height() <= 220
