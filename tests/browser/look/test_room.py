"""What one does in a room, and what one sees of it, against the real server."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser.look.visitor import PHONE, Device, Visitor

pytestmark = pytest.mark.browser
IS_AT_END = """() => {
  const pane = document.querySelector("[data-pane]");
  return pane.scrollHeight - pane.scrollTop - pane.clientHeight < 2;
}"""
SWIPE = """([row, across]) => {
  const box = row.getBoundingClientRect();
  const at = (x) => ({ bubbles: true, pointerType: "touch", pointerId: 1, clientX: x, clientY: box.top + 40 });
  const text = row.querySelector(".message__body");
  text.dispatchEvent(new PointerEvent("pointerdown", at(200)));
  text.dispatchEvent(new PointerEvent("pointermove", at(200 + across)));
  text.dispatchEvent(new PointerEvent("pointerup", at(200 + across)));
}"""


def test_a_stranger_talks_without_signing_up(visitor: Visitor) -> None:
    visitor.page.goto("/")
    visitor.page.locator(".character-card").first.click()
    visitor.page.locator("#persona-name").fill("Jiwoo")
    visitor.page.get_by_role("button", name="Start talking").click()
    visitor.page.wait_for_url("**/rooms/**")
    visitor.talk("Hello.")
    visitor.page.goto("/profile/")
    expect(visitor.page.locator("#persona-name")).to_have_value("Jiwoo")
    expect(visitor.page.get_by_text("You are here as a guest")).to_be_visible()
    visitor.page.goto("/")
    expect(visitor.page.locator(".room-card")).to_have_count(1)


@pytest.mark.parametrize(("path", "script"), [("/characters/haneul/", "main_character"), ("/profile/", "main_profile")])
def test_no_button_can_be_pressed_before_there_is_somebody_to_hear_it(visitor: Visitor, path: str, script: str) -> None:
    held: list[Route] = []
    visitor.page.route(re.compile(script), lambda route: held.append(route))
    visitor.page.goto(path, wait_until="commit")
    button = visitor.page.locator("[data-start] button, [data-persona] button")
    expect(button).to_be_disabled()
    visitor.page.locator("#persona-name").fill("Jiwoo")
    visitor.page.locator("#persona-name").press("Enter")
    for route in held:
        route.continue_()
    visitor.page.unroute(re.compile(script))
    expect(button).to_be_enabled()
    expect(visitor.page.locator("#persona-name")).to_have_value("Jiwoo")


def test_the_chosen_scene_is_the_one_that_opens_the_room(visitor: Visitor) -> None:
    visitor.page.goto("/characters/haneul/")
    visitor.page.locator(".greeting__input").nth(1).check()
    scene = visitor.page.locator(".greeting__text").nth(1).locator(".markup__line").first.text_content()
    assert scene
    visitor.page.locator("[data-start] button").click()
    expect(visitor.last).to_contain_text(scene)
    expect(visitor.page.locator(".variants__count")).to_have_text(re.compile("2/"))


@pytest.mark.parametrize("device", [PHONE], ids=str)
def test_a_new_story_is_read_from_its_beginning_and_one_that_goes_on_from_its_end(
    visitor: Visitor, device: Device
) -> None:
    visitor.open_room()
    visitor.page.set_viewport_size({"width": 390, "height": 480})
    visitor.page.reload()
    expect(visitor.messages.first.locator(".markup__line").first).to_be_in_viewport()
    assert visitor.distance_from_end() > 2
    visitor.talk()
    assert visitor.distance_from_end() < 2
    visitor.page.reload()
    expect(visitor.messages).to_have_count(3)
    assert visitor.distance_from_end() < 2


def test_the_waiting_answer_is_there_at_the_click(visitor: Visitor) -> None:
    visitor.open_room()
    count = visitor.page.evaluate(
        """() => {
          const field = document.querySelector("#composer-text");
          field.value = "Hello.";
          field.dispatchEvent(new Event("input", { bubbles: true }));
          document.querySelector("[data-send]").click();
          return document.querySelectorAll(".message .dots").length;
        }"""
    )
    assert count == 1


def test_stop_stands_in_place_of_send_and_keeps_what_was_read(visitor: Visitor) -> None:
    visitor.open_room()
    visitor.send("Hello.")
    visitor.wait_for_status("writing")
    expect(visitor.page.locator("[data-send]")).to_be_hidden()
    expect(visitor.last.locator(".markup__line")).not_to_be_empty()
    visitor.page.locator("[data-stop]").click()
    visitor.wait_for_status("stopped")
    text = visitor.last.locator(".message__body").text_content()
    assert text
    visitor.page.reload()
    expect(visitor.last).to_have_attribute("data-status", "stopped")
    expect(visitor.last.locator(".message__body")).to_have_text(text)
    expect(visitor.last.get_by_role("button", name="Continue")).to_be_visible()


def test_another_reply_is_a_variant_that_one_can_come_back_from(visitor: Visitor) -> None:
    visitor.open_room()
    visitor.talk()
    visitor.last.locator("[data-action=again]").click()
    count = visitor.last.locator(".variants__count")
    expect(count).to_have_text("2/2")
    visitor.last.locator("[data-action=previous]").click()
    expect(count).to_have_text("1/2")
    visitor.last.locator("[data-action=previous]").press("ArrowRight")
    expect(count).to_have_text("2/2")
    visitor.page.reload()
    expect(count).to_have_text("2/2")


@pytest.mark.parametrize("device", [PHONE], ids=str)
def test_a_swipe_over_the_last_reply_changes_the_variant(visitor: Visitor, device: Device) -> None:
    visitor.open_room()
    count = visitor.last.locator(".variants__count")
    expect(count).to_have_text(re.compile("^1/"))
    visitor.page.evaluate(SWIPE, [visitor.last.element_handle(), -120])
    expect(count).to_have_text(re.compile("^2/"))
    visitor.page.evaluate(SWIPE, [visitor.last.element_handle(), 120])
    expect(count).to_have_text(re.compile("^1/"))


@pytest.mark.parametrize("index", [1, 2], ids=["mine", "theirs"])
def test_either_side_can_be_edited_in_place(visitor: Visitor, index: int) -> None:
    visitor.open_room()
    visitor.talk()
    visitor.choose(visitor.messages.nth(index), "edit")
    editor = visitor.page.locator(".editor__field")
    expect(editor).to_be_focused()
    editor.fill('*She* says "other words".')
    visitor.page.get_by_role("button", name="Save").click()
    expect(visitor.messages.nth(index).locator(".message__body")).to_have_text('She says "other words".')
    visitor.page.reload()
    expect(visitor.messages.nth(index).locator(".message__body")).to_have_text('She says "other words".')
    expect(visitor.messages.nth(index)).to_contain_text("Edited")


def test_going_back_asks_first_and_then_drops_what_came_after(visitor: Visitor) -> None:
    visitor.open_room()
    visitor.talk()
    visitor.choose(visitor.messages.first, "rewind")
    visitor.page.get_by_role("button", name="Cancel").click()
    expect(visitor.messages).to_have_count(3)
    visitor.choose(visitor.messages.first, "rewind")
    visitor.page.get_by_role("button", name="Go back").click()
    expect(visitor.messages).to_have_count(1)


def test_copying_gives_the_text_as_it_was_written(visitor: Visitor) -> None:
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visitor.open_room()
    visitor.talk('*waves* "Hi"')
    visitor.choose(visitor.messages.nth(1), "copy")
    expect(visitor.page.locator(".toast")).to_have_text("Copied.")
    assert visitor.page.evaluate("navigator.clipboard.readText()") == '*waves* "Hi"'


def test_a_reader_who_scrolled_up_is_left_in_peace_and_shown_the_way_down(visitor: Visitor) -> None:
    visitor.open_room()
    visitor.page.set_viewport_size({"width": 600, "height": 420})
    visitor.talk("Hello.\n" * 20)
    pill = visitor.page.locator("[data-to-end]")
    expect(pill).to_be_hidden()
    visitor.send("Hello again.")
    visitor.wait_for_status("writing")
    visitor.pane.hover()
    visitor.page.mouse.wheel(0, -400)
    expect(pill).to_be_visible()
    anchor = visitor.messages.nth(1)
    before = anchor.bounding_box()
    visitor.wait_for_status("complete")
    assert anchor.bounding_box() == before
    pill.click()
    expect(pill).to_be_hidden()
    assert visitor.distance_from_end() < 2


def test_who_is_at_the_end_stays_there_while_the_reply_grows(visitor: Visitor) -> None:
    visitor.open_room()
    visitor.page.set_viewport_size({"width": 420, "height": 420})
    visitor.talk()
    assert visitor.distance_from_end() < 2
    visitor.field.fill("a\nb\nc\nd\ne")
    visitor.page.wait_for_function(IS_AT_END)


def test_words_that_could_not_be_sent_are_kept_and_can_be_taken_back(visitor: Visitor) -> None:
    visitor.open_room()

    def refuse(route: Route) -> None:
        route.fulfill(status=429, json={"error": {"code": "rate_limited", "message": "x", "retryable": True}})

    visitor.page.route("**/chat/messages*", refuse)
    visitor.page.route("**/chat/messages/stream", refuse)
    visitor.page.route_web_socket("**/ws/**", lambda socket: socket.close(code=1011))
    visitor.page.reload()
    visitor.send("Precious words.")
    expect(visitor.last).to_have_attribute("data-status", "failed")
    expect(visitor.last).to_contain_text("That was a lot at once.")
    visitor.last.get_by_role("button", name="Take back").click()
    expect(visitor.field).to_have_value("Precious words.")
    expect(visitor.messages).to_have_count(1)
    visitor.troubles.clear()


@pytest.mark.parametrize(
    ("code", "said", "way"),
    [(4501, "You are signed out.", "Sign in"), (4504, "This room does not exist any more.", "Go home")],
)
def test_a_closed_room_says_why_and_shows_the_way_out(visitor: Visitor, code: int, said: str, way: str) -> None:
    visitor.open_room()
    visitor.page.route_web_socket("**/ws/**", lambda socket: socket.close(code=code))
    visitor.page.reload()
    expect(visitor.page.locator("[data-status]:not(.message)")).to_contain_text(said)
    expect(visitor.page.get_by_role("link", name=way)).to_be_visible()
    expect(visitor.field).to_be_disabled()


def test_the_theme_is_kept_and_there_before_the_first_paint(visitor: Visitor) -> None:
    visitor.page.goto("/")
    assert visitor.page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light dark"
    visitor.page.get_by_role("button", name="Switch between light and dark").click()
    visitor.page.goto("/profile/")
    assert visitor.page.evaluate("document.documentElement.dataset.theme") == "dark"
    expect(visitor.page.locator("[data-theme-choice] input[value=dark]")).to_be_checked()
    visitor.page.locator("[data-theme-choice] label").first.click()
    visitor.page.reload()
    assert visitor.page.evaluate("document.documentElement.dataset.theme ?? 'auto'") == "auto"


def test_the_language_changes_everywhere_at_once(visitor: Visitor) -> None:
    visitor.open_room()
    visitor.page.locator("[data-room-menu-open]").click()
    visitor.page.get_by_role("button", name="한국어").click()
    expect(visitor.page.locator(".notice")).to_have_text("캐릭터의 답변은 AI가 만든 것으로, 사실과 다를 수 있어요.")
    visitor.last.hover()
    expect(visitor.last.get_by_role("button", name="더 보기")).to_be_visible()


def test_the_note_that_replies_are_written_by_ai_is_always_in_view(visitor: Visitor) -> None:
    visitor.open_room()
    visitor.talk("Hello.\n" * 30)
    expect(visitor.page.get_by_text("The character’s replies are written by AI and may be wrong.")).to_be_in_viewport()
