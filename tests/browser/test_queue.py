"""More people than a model can serve: each sees the place in the queue, and whoever finds it full loses nothing."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenSite, Visit
from tests.browser.person import Person
from tests.provider_server import RunningServer
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ANSWER = "Here I am."
NARROW = {"width": 390, "height": 844}


def sees_place(person: Person, words: str) -> None:
    expect(person.last.locator(".dots__queue")).to_have_text(words)
    assert person.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it is too wide"


def test_who_waits_for_a_model_sees_the_place_and_who_finds_no_place_keeps_the_words(
    open_site: OpenSite, visit: Visit, models: RunningServer
) -> None:
    site = open_site(ADMISSION_QUEUE_MAX="2")
    gate = site.add_model("say-Here_I_am.+gate-first", max_concurrent=1).rpartition("+id-")[2]
    served, second, third, late = [
        visit(site.url, **layout)
        for layout in ({}, {"viewport": NARROW}, {"locale": "ko-KR", "color_scheme": "dark"}, {})
    ]
    for person in (served, second, third, late):
        person.open_room()
    served.say("Is anybody there?")
    wait_until(lambda: gate in models.held(), "the model to be busy")
    second.say("Are you there?")
    sees_place(second, "You are next.")
    third.say("거기 누구 있어요?")
    sees_place(third, "앞에 1명이 기다리고 있어요")
    late.say("And me?")
    late.page.get_by_text("Very many people are writing.").first.wait_for()
    models.let_go([gate])
    for person in (served, second, third):
        person.sees_answer("complete")
        assert person.text_of(person.last) == ANSWER
        person.sees_what_is_stored()
