"""The browser is told about every module at once; and every module that is named exists."""

from __future__ import annotations

import re

import pytest

from chat.templatetags.modules import MODULES, imported_by, module

ENTRIES = sorted(path.name for path in MODULES.glob("main*.js"))


@pytest.mark.parametrize("entry", ENTRIES)
def test_everything_that_a_page_leads_to_is_preloaded_once(entry: str) -> None:
    names = imported_by(entry)
    assert len(set(names)) == len(names)
    for name in (entry, *names):
        source = (MODULES / name).read_text(encoding="utf-8")
        imported = {line[2:] for line in re.findall(r'from "(\./[^"]+)"', source)}
        assert imported <= set(names), name


def test_the_room_leads_to_its_session_by_way_of_others() -> None:
    assert {"session.js", "connection.js", "renderer.js"} <= set(imported_by("main_room.js"))


def test_the_links_stand_before_the_script_itself() -> None:
    html = module("main_profile.js")
    assert html.index('rel="modulepreload" href="/static/js/profile_page.js"') < html.index("<script")
    assert html.endswith('<script src="/static/js/main_profile.js" type="module"></script>')


def test_every_module_of_ours_is_led_to_from_some_page() -> None:
    used = {name for entry in ENTRIES for name in (entry, *imported_by(entry))}
    assert {path.name for path in MODULES.glob("*.js")} - used == {"theme_boot.js"}
