"""WCAG 2 AA by axe: no violation on any page, in any state of the room, in either theme and language."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from tests.browser.look.visitor import DESK, NIGHT_DESK, NIGHT_PHONE, PHONE, Device, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]
axe = Axe()

#: A menu that is still rising is half transparent.
STILL = """Promise.allSettled(document.getAnimations()
  .filter((animation) => animation.effect.getTiming().iterations === 1)
  .map((animation) => animation.finished)).then(() => null)"""
FOCUS_IS_INSIDE = "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
NOTE_WHAT_IS_SAID = """() => {
  const region = document.querySelector("[data-announcer]");
  globalThis.said = [];
  new MutationObserver(() => said.push(region.textContent)).observe(region, { childList: true });
}"""
PATHS = (
    "/", "/characters/haneul/", "/profile/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/",
)

on_each = pytest.mark.parametrize("device", [DESK, NIGHT_DESK, PHONE, NIGHT_PHONE], ids=str)
on_two = pytest.mark.parametrize("device", [NIGHT_DESK, PHONE], ids=str)


def assert_accessible(page: Page, what: str) -> None:
    page.evaluate(STILL)
    results = axe.run(page)
    assert results.violations_count == 0, f"{what}\n{results.generate_report()}"


@on_each
def test_pages(visitor: Visitor, device: Device) -> None:
    for path in PATHS:
        visitor.page.goto(path)
        visitor.page.wait_for_load_state("networkidle")
        assert_accessible(visitor.page, path)


def test_a_page_that_is_not_there(visitor: Visitor) -> None:
    visitor.page.goto("/nothing/")
    assert_accessible(visitor.page, "404")
    assert len(visitor.troubles) == 1
    visitor.troubles.clear()


@on_each
def test_a_room_before_during_and_after_an_answer(visitor: Visitor, device: Device) -> None:
    visitor.open_room()
    assert_accessible(visitor.page, "a new room")
    visitor.send('*waves* "Hello."')
    visitor.wait_for_status("writing")
    assert_accessible(visitor.page, "writing")
    visitor.wait_for_status("complete")
    assert_accessible(visitor.page, "answered")
    visitor.page.locator(".message:last-child [data-action=again]").click()
    expect(visitor.page.locator(".variants__count").last).to_have_text("2/2")
    assert_accessible(visitor.page, "two variants")


@on_two
def test_everything_that_opens(visitor: Visitor, device: Device) -> None:
    visitor.open_room()
    visitor.talk()
    page = visitor.page
    page.locator("[data-room-menu-open]").click()
    assert_accessible(page, "the room's menu")
    page.keyboard.press("Escape")
    visitor.last.hover()
    visitor.last.locator("[data-action=menu]").click()
    assert_accessible(page, "a message's menu")
    page.locator(".sheet[open] [data-action=edit]").click()
    assert_accessible(page, "the editor")
    page.keyboard.press("Escape")
    visitor.choose(visitor.messages.nth(1), "rewind")
    assert_accessible(page, "a question")
    page.keyboard.press("Escape")


@on_two
def test_home_with_rooms_to_go_on_with(visitor: Visitor, device: Device) -> None:
    visitor.open_room()
    visitor.page.goto("/")
    expect(visitor.page.locator(".room-card")).to_have_count(1)
    assert_accessible(visitor.page, "home with rooms")


def test_a_dialog_keeps_the_focus_and_gives_it_back(visitor: Visitor) -> None:
    visitor.open_room()
    opener = visitor.page.locator("[data-room-menu-open]")
    opener.press("Enter")
    for _ in range(12):
        visitor.page.keyboard.press("Tab")
        assert visitor.page.evaluate(FOCUS_IS_INSIDE)
    visitor.page.keyboard.press("Escape")
    expect(opener).to_be_focused()


def test_a_reply_is_read_out_once_when_it_is_whole(visitor: Visitor) -> None:
    visitor.open_room()
    spoken = visitor.page.locator("[data-announcer]")
    visitor.page.evaluate(NOTE_WHAT_IS_SAID)
    visitor.talk()
    expect(spoken).not_to_be_empty()
    assert visitor.page.evaluate("said.length") == 1
    expect(visitor.page.locator("[data-messages]")).to_have_attribute("aria-live", "off")
