"""The admin's pages, read in Korean: no word on them is English but names, codes and what people wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils.translation import override
from waffle.models import Switch

from chat.management.commands.seed import SWITCH_NOTE
from chat.models import OutboxJob, User
from tests.chat.admin_pages import as_staff, list_address, make_world, page_address

#: Of other libraries that bring no Korean for some of their fields; nobody needs them to run Soksak.
THEIRS = {"account", "socialaccount"}
OURS = [model for model in admin.site._registry if model._meta.app_label not in THEIRS]
WORD = re.compile(r"[A-Za-z][A-Za-z_]+")
#: Names and units that are written so in Korean, too.
SAME = {
    "KPI", "ms", "API", "JSON", "ID", "Id", "OpenAI", "Anthropic", "Gemini", "Character", "Card", "Control", "Mac",
    "Command", "English", "md", "LDAP", "Single", "Sign", "On", "requestId", "TRACE_RETENTION_DAYS", "portraits",
    "haneul", "svg", "Grafana", "min",
}
#: Values that are codes of the contract: paths, cohorts, marks, and who measured.
CODES = {
    "stream", "sse", "completed", "fallback", "control", "load", "received", "accepted", "first_chunk", "first_frame",
    "server", "browser",
}
#: Django's own template says it in English to screen readers.
DJANGOS = {"Search"}
HIDDEN = {"script", "style", "textarea"}


class Words(HTMLParser):
    """All that a page says, to eyes and to screen readers."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.hidden = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in HIDDEN
        told = dict(attrs)
        self.said += [told[name] or "" for name in ("title", "placeholder", "alt", "aria-label") if name in told]
        if tag == "input" and told.get("type") in ("submit", "button"):
            self.said.append(told.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in HIDDEN

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.said.append(data)


@pytest.fixture
def world(db: None) -> None:
    make_world()
    # Else a few letters of a hash would be on the page.
    User.objects.update(password="!")
    Switch.objects.create(name="chat_streaming", active=True, note=SWITCH_NOTE)
    Group.objects.create(name="operators")


def rows() -> Iterator[Any]:
    for model in OURS:
        row = model._default_manager.first()
        assert row is not None, f"the world has no {model.__name__}"
        yield row


def free_values(row: Any) -> Iterator[str]:
    """What was written into it by people or programs; a choice has a name in words."""
    for field in row._meta.concrete_fields:
        if not field.choices:
            yield str(getattr(row, field.attname))


@pytest.mark.data
def test_titles_of_rows_are_korean_but_for_names_and_codes(world: None) -> None:
    english = {}
    for row in rows():
        with override("ko"):
            title = str(row)
        for value in sorted(free_values(row), key=len, reverse=True):
            title = title.replace(value, "")
        if found := set(WORD.findall(title)) - SAME:
            english[type(row).__name__] = found
    assert english == {}


@pytest.mark.data
def test_the_note_of_our_switch_is_read_in_korean(world: None, client: Client) -> None:
    page = as_staff(client).get(reverse("admin:waffle_switch_changelist"), headers={"accept-language": "ko"})
    assert "완성형 응답" in page.content.decode()
    assert "every browser" not in page.content.decode()


@pytest.mark.data
@pytest.mark.parametrize(
    ("language", "titles"), [("ko", ("미뤄 둔 일", "미뤄 둔 일")), ("en", ("Outbox jobs", "Outbox job"))]
)
def test_pages_that_are_only_read_are_called_by_what_is_on_them(
    world: None, client: Client, language: str, titles: tuple[str, str]
) -> None:
    staff, job = as_staff(client), OutboxJob.objects.get()
    addresses = (list_address(OutboxJob), page_address(job))
    pages = [staff.get(address, headers={"accept-language": language}) for address in addresses]
    assert tuple(page.context["title"] for page in pages) == titles


@pytest.mark.data
def test_every_page_is_korean_but_for_names_and_codes(world: None, client: Client) -> None:
    staff = as_staff(client)
    known = SAME | CODES | DJANGOS | {word for text in written() for word in WORD.findall(text)}
    english = {address: found for address in addresses() if (found := words(staff, address) - known)}
    assert english == {}


def written() -> Iterator[str]:
    """By people and programs, in any row of ours."""
    for model in [*OURS, apps.get_model("chat", "Card")]:
        for row in model._default_manager.all():
            yield from free_values(row)


def addresses() -> Iterator[str]:
    yield reverse("admin:index")
    for label in sorted({model._meta.app_label for model in OURS}):
        yield reverse("admin:app_list", args=[label])
    for row in rows():
        meta = row._meta
        name = f"admin:{meta.app_label}_{meta.model_name}"
        yield reverse(f"{name}_changelist")
        yield reverse(f"{name}_add")
        yield from (reverse(f"{name}_{page}", args=[row.pk]) for page in ("change", "delete", "history"))


def words(client: Client, address: str) -> set[str]:
    """On the page; none where nobody may do that."""
    answer = client.get(address, headers={"accept-language": "ko"})
    assert answer.status_code in (200, 403), address
    page = answer.content.decode() if answer.status_code == 200 else ""
    return {word for said in Words(page).said for word in WORD.findall(said)}
