"""Somebody at a browser: what they do, and what they see, in the words of the page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from playwright.sync_api import APIResponse, Locator, Page, expect

CHARACTER = "haneul"
#: The text of a message as the page shows it, lines and gaps included.
_TEXT = """row => [...row.querySelectorAll(".markup__line")]
    .map(line => (line.classList.contains("markup__line--gap") ? "\\n" : "") + line.textContent).join("\\n")"""
_STORY = f"""list => [...list.querySelectorAll("[data-id]")]
    .map(row => ({{role: row.classList.contains("message--user") ? "user" : "character",
                   status: row.dataset.status, text: ({_TEXT})(row)}}))"""


@dataclass(frozen=True, slots=True)
class Said:
    """One message, as it is seen or as it is stored."""

    role: str
    status: str
    text: str


def shown(text: str) -> str:
    """What the page shows of a stored text whose stars come in pairs: no marks, at most one empty line together."""
    lines = [line.lstrip(" \t") for line in text.replace("*", "").split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip("\n")


class Person:
    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.field = page.locator("#composer-text")
        self.messages = page.locator("[data-messages] > [data-id]")
        self.last = self.messages.last

    # Going places

    def new_tab(self) -> Person:
        """The same browser profile, beside this page."""
        return Person(self.page.context.new_page(), self.url)

    def visit(self, path: str = "/") -> None:
        self.page.goto(self.url + path)

    def enter(self) -> None:
        """As a guest, without a page."""
        self.page.request.get(f"{self.url}/").dispose()
        self.post("/accounts/guest/", {})

    def open_room(self, character: str = CHARACTER) -> UUID:
        """A guest's new room, opened; the story's own page of choices is left out."""
        self.enter()
        room_id = UUID(self.post("/chat/rooms", {"characterId": character}).json()["roomId"])
        self.return_to(room_id)
        return room_id

    def return_to(self, room_id: UUID) -> None:
        self.visit(f"/rooms/{room_id}/")
        expect(self.messages.first).to_be_visible()

    def reload(self) -> None:
        self.page.reload()
        expect(self.messages.first).to_be_visible()

    @property
    def room_id(self) -> UUID:
        return UUID(urlsplit(self.page.url).path.strip("/").split("/")[1])

    def post(self, path: str, body: dict[str, Any]) -> APIResponse:
        token = next(c["value"] for c in self.page.context.cookies(self.url) if c["name"] == "csrftoken")
        response = self.page.request.post(self.url + path, data=body, headers={"X-CSRFToken": token})
        assert response.ok, response.text()
        return response

    # Talking

    def say(self, text: str) -> None:
        self.field.fill(text)
        self.field.press("Enter")

    def press(self, name: str) -> None:
        """A button, by what it says."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        """A link, by what it says."""
        self.page.get_by_role("link", name=name, exact=True).click()

    def open_menu_of(self, message: Locator) -> None:
        message.hover()
        message.locator(".message__more").click()

    def choose(self, name: str) -> None:
        """An entry of the open menu."""
        self.page.locator("dialog[open]").get_by_role("button", name=name, exact=True).click()

    # Seeing

    def sees_answer(self, status: str) -> None:
        """The newest message is an answer in this state."""
        expect(self.last).to_have_class(re.compile("message--character"))
        expect(self.last).to_have_attribute("data-status", status)

    def sees_words(self) -> str:
        """Waits for the answer's first words; returns what can be read of it by now."""
        expect(self.last).to_have_class(re.compile("message--character"))
        expect(self.last.locator(".markup__line").first).to_have_text(re.compile(r"\S"))
        return self.text_of(self.last)

    def text_of(self, message: Locator) -> str:
        text: str = message.evaluate(_TEXT)
        return text

    def story(self) -> list[Said]:
        """Every message on the page, read at one moment."""
        seen: list[dict[str, str]] = self.page.locator("[data-messages]").evaluate(_STORY)
        return [Said(**message) for message in seen]

    # Comparing

    def stored(self) -> list[dict[str, Any]]:
        """The room's messages as the server tells them."""
        response = self.page.request.get(f"{self.url}/chat/rooms/{self.room_id}/messages")
        found: list[dict[str, Any]] = response.json()["messages"]
        return found

    def sees_what_is_stored(self) -> None:
        """Every character of every message, and how each stands."""
        stored = [Said(view["role"], view["status"], shown(view["text"])) for view in self.stored()]
        assert self.story() == stored
