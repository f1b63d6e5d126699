"""What a person does with the site, in a person's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

#: Generous: many tests share a few processors.
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)


@dataclass(frozen=True, slots=True)
class Device:
    name: str
    width: int
    height: int
    theme: str
    language: str
    is_touch: bool = False

    def options(self) -> dict[str, Any]:
        """For `browser.new_context`."""
        return {
            "viewport": {"width": self.width, "height": self.height},
            "color_scheme": self.theme,
            "locale": {"ko": "ko-KR", "en": "en-US"}[self.language],
            "has_touch": self.is_touch,
            "is_mobile": self.is_touch,
        }

    def __str__(self) -> str:
        return self.name


DESK = Device("desk", 1280, 800, "light", "en")
NIGHT_DESK = Device("night-desk", 1280, 800, "dark", "en")
PHONE = Device("phone", 390, 844, "light", "ko", is_touch=True)
NIGHT_PHONE = Device("night-phone", 390, 844, "dark", "ko", is_touch=True)


class Visitor:
    """`troubles`: errors of the page; a test that expects one takes it out."""

    def __init__(self, page: Page, troubles: list[str]) -> None:
        self.page = page
        self.troubles = troubles
        page.set_default_timeout(PATIENCE_MS)

    def open_room(self, slug: str = "haneul") -> None:
        """From a character's page, as a stranger, into a new room that is live."""
        self.page.goto(f"/characters/{slug}/")
        self.page.locator("[data-start] button").click()
        self.page.wait_for_url("**/rooms/**")
        expect(self.messages).to_have_count(1)

    @property
    def field(self) -> Locator:
        return self.page.locator("#composer-text")

    @property
    def messages(self) -> Locator:
        return self.page.locator(".message")

    @property
    def last(self) -> Locator:
        return self.messages.last

    @property
    def pane(self) -> Locator:
        return self.page.locator("[data-pane]")

    def send(self, text: str) -> None:
        self.field.fill(text)
        self.page.locator("[data-send]").click()

    def wait_for_status(self, status: str) -> None:
        """Of the last message."""
        expect(self.last).to_have_attribute("data-status", status)

    def talk(self, text: str = "Hello.") -> None:
        """A whole turn."""
        count = self.messages.count()
        self.send(text)
        expect(self.messages).to_have_count(count + 2)
        self.wait_for_status("complete")

    def choose(self, message: Locator, action: str) -> None:
        """From the message's ⋯ menu."""
        message.hover()
        message.locator("[data-action=menu]").click()
        self.page.locator(f".sheet[open] [data-action={action}]").click()

    def distance_from_end(self) -> float:
        return float(self.pane.evaluate("pane => pane.scrollHeight - pane.scrollTop - pane.clientHeight"))
