"""Every page is well-behaved: usable by keyboard alone, accessible in trouble, deaf to markup, alone with its own site.

Accessibility of every page and state that is not trouble: tests/browser/look.
"""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visit
from tests.browser.person import Person, shown
from tests.faults.site import Site
from tests.provider_behaviour import words

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATHS = (
    "/", "/characters/haneul/", "/profile/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/",
    "/accounts/email/", "/accounts/logout/",
)
MODEL, ANSWER = "text-6-30+rate-100", "".join(words(6, 30))
TABS = 80
IS_FOCUSED = "element => element === document.activeElement"
OUTLINE = "element => getComputedStyle(element).outlineStyle"
on_each = pytest.mark.parametrize(
    "layout",
    [
        pytest.param(
            {"locale": locale, "color_scheme": theme, "viewport": {"width": width, "height": 844}},
            id=f"{locale}-{theme}-{width}",
        )
        for locale, theme, width in (("ko-KR", "light", 390), ("en-US", "dark", 390), ("ko-KR", "dark", 1280))
    ],
)
HOSTILE = (
    "<script>hacked = 1</script> <img src=x onerror='hacked = 1'> [go](javascript:hacked=1) javascript:hacked=1 "
    '![see](https://evil.example/pixel.png) <a href="https://evil.example/" onclick="hacked = 1">x</a> '
    "<iframe srcdoc='<script>parent.hacked = 1</script>'></iframe> </script><style>body{display:none}</style>"
)


@on_each
def test_no_page_complains_or_asks_another_site(site: Site, visit: Visit, layout: dict[str, Any]) -> None:
    """The witness of `visit` fails the test: console, policy, exceptions and requests of every page below."""
    site.add_model(MODEL)
    person = visit(site.url, **layout)
    person.open_room()
    person.say("Tell me.")
    person.sees_answer("complete")
    for path in PATHS:
        person.visit(path)
        expect(person.page.locator("main")).to_be_visible()
        assert person.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is too wide"


def test_a_story_is_begun_and_told_without_a_mouse(site: Site, visit: Visit) -> None:
    site.add_model(MODEL)
    person = visit(site.url)
    person.visit()
    press_on(person, person.page.locator(".character-card").first)
    press_on(person, person.page.get_by_role("button", name="Start talking"))
    person.page.wait_for_url("**/rooms/**")
    press_on(person, person.page.get_by_role("link", name="Skip to the message field"))
    expect(person.field).to_be_focused()
    person.page.keyboard.type("Tell me.")
    person.page.keyboard.press("Enter")
    person.sees_answer("complete")
    press_on(person, person.last.get_by_role("button", name="More"))
    press_on(person, person.page.locator("dialog[open]").get_by_role("button", name="Edit"))
    person.page.keyboard.press("Control+End")
    person.page.keyboard.type(" The end.")
    person.page.keyboard.press("Control+Enter")
    expect(person.last).to_contain_text("The end.")
    person.sees_what_is_stored()


def press_on(person: Person, target: Locator) -> None:
    """Tabs to it, sees where one is, and presses Enter."""
    expect(target).to_be_attached()
    for _ in range(TABS):
        if target.evaluate(IS_FOCUSED):
            break
        person.page.keyboard.press("Tab")
    assert target.evaluate(IS_FOCUSED), f"{target} cannot be reached by Tab"
    assert target.evaluate(OUTLINE) != "none", f"{target} does not show that it is focused"
    person.page.keyboard.press("Enter")


@on_each
def test_an_answer_that_failed_or_broke_off_is_as_accessible_as_one_that_did_not(
    site: Site, visit: Visit, layout: dict[str, Any]
) -> None:
    site.add_model("empty")
    person = visit(site.url, **layout)
    person.open_room()
    person.say("Tell me.")
    person.sees_answer("failed")
    assert_accessible(person)
    site.rows.drop_routes()
    site.add_model("text-3-400+cut-after-20")
    person.last.locator(".note__button").click()
    person.sees_answer("interrupted")
    assert_accessible(person)


def assert_accessible(person: Person) -> None:
    results = Axe().run(person.page)
    assert results.violations_count == 0, results.generate_report()


def test_what_is_written_to_harm_is_only_text_whoever_writes_it(site: Site, visit: Visit) -> None:
    site.rows.add_route("hostile", kind="scripted", options={"text": HOSTILE, "chunk_chars": 7})
    person = visit(site.url)
    person.enter()
    person.post("/accounts/persona/", {"name": "<img src=x onerror=1>", "about": HOSTILE[:300]})
    person.open_room("yuseong")
    person.say(HOSTILE)
    person.sees_answer("complete")
    person.sees_what_is_stored()
    assert [said.text for said in person.story()[1:]] == [shown(HOSTILE)] * 2
    person.reload()
    person.sees_what_is_stored()
    person.visit("/profile/")
    expect(person.page.locator("[name=name]")).to_have_value("<img src=x onerror=1>")
    person.visit()
    expect(person.page.locator(".room-card__last")).to_contain_text("<script>hacked")
    assert person.page.evaluate("typeof hacked") == "undefined"


def test_a_stranger_sees_nobodys_room(site: Site, visit: Visit) -> None:
    alice, charlie = visit(site.url), visit(site.url, may_lose_network=True)
    room_id = alice.open_room()
    charlie.enter()
    charlie.visit(f"/rooms/{room_id}/")
    expect(charlie.page.get_by_role("heading", level=1)).to_be_visible()
    expect(charlie.messages).to_have_count(0)
