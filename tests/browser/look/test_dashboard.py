"""The admin's KPI dashboard in a real browser: drawn, readable, nothing from outside, nothing inline."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.look.test_accessibility import assert_accessible
from tests.browser.look.visitor import DESK, NIGHT_PHONE, Device, Visitor
from tests.live import LiveServer
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ROOT = Path(__file__).parents[3]
ADDRESS = "/admin/chat/kpirollup/"
#: Bob, and a few days of alice's: both cohorts, Korean names, one answer that took a month.
FILL = """
import django
django.setup()
from datetime import timedelta
from django.utils import timezone
from chat.kpi import days, rollups, weeks
from chat.models import AlarmIncident, AlarmNotice
from tests.chat.kpi_traces import traces
from chat.rooms import create_room
from tests.people import make_user
make_user("bob", is_staff=True, is_superuser=True)
room = create_room(user=make_user("alice"), character_slug="haneul", greeting=0, language="en")
now = timezone.now()
call = {"route": "한국어 모델", "why": "first", "outcome": "stop", "firstMs": 300.0, "ms": 900.0, "promptTokens": 9,
        "completionTokens": 9, "cost": 0.001}
marks = {"received": 0.0, "accepted": 6.0, "first_frame": 400.0, "end_frame": 2000.0}
for back in range(9):
    good = {"ttft_ms": 400.0 + back, "completion_ms": 2000.0, "calls": [call], "route_name": "한국어", "marks": marks}
    control = {**good, "cohort": "control", "path": "completed", "abandoned": "before_words"}
    traces(room, now - timedelta(days=back, seconds=1), [good] * 40 + [control] * 10 + [{"failure": "backend_failed"}])
traces(room, now, [{"ttft_ms": 2.6e9, "completion_ms": 2.6e9, "request_id": "요청-1", "marks": marks}])
for span in [*days(9, now), *weeks(2, now)]:
    rollups.roll_up(span, now)
incident = AlarmIncident.objects.create(rule="mismatches", text="1 answer", value=1, limit=0, worst=1)
AlarmNotice.objects.create(
    incident=incident, is_recovery=False, receiver="webhook", attempts=3, next_at=now + timedelta(days=1),
    last_error="500",
)
"""
INK = """canvas => {
  const { width, height } = canvas;
  const pixels = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, width, height).data.buffer);
  return new Set(pixels).size;
}"""


@pytest.fixture(scope="module")
def filled(site: LiveServer) -> None:
    subprocess.run([sys.executable, "-c", FILL], cwd=ROOT, env={**os.environ, **site.env}, check=True)


@pytest.fixture
def bob(visitor: Visitor, site: LiveServer, filled: None) -> Page:
    """Signed in; the page's own errors, the CSP's among them, fail the test. So does a request to elsewhere."""
    page = visitor.page

    def note(asked: Request) -> None:
        if not asked.url.startswith(site.url):
            visitor.troubles.append(asked.url)

    page.on("request", note)
    page.goto("/admin/login/")
    page.locator("#id_username").fill("bob")
    page.locator("#id_password").fill("correct horse")
    page.locator("[type=submit]").click()
    page.wait_for_url("**/admin/")
    return page


@pytest.mark.parametrize("device", [DESK, NIGHT_PHONE], ids=str)
def test_it_is_drawn_and_can_be_read(bob: Page, device: Device) -> None:
    response = bob.goto(ADDRESS)
    assert response is not None
    assert "'unsafe-inline'" not in response.headers["content-security-policy"]
    canvases = bob.locator(".plot canvas")
    expect(canvases).to_have_count(4)
    by_day = [canvases.nth(number).evaluate(INK) for number in range(4)]
    assert min(by_day) > 10
    bob.locator("[name=span][value=week]").check()
    expect(canvases).to_have_count(4)
    assert min(canvases.nth(number).evaluate(INK) for number in range(4)) > 10
    assert bob.evaluate("document.documentElement.scrollWidth") <= device.width
    expect(bob.locator(".dash__alarms")).to_contain_text("webhook")
    bob.locator("summary").click()
    assert_accessible(bob, "the dashboard")


def test_a_wide_table_is_scrolled_by_keys_beside_its_names(bob: Page) -> None:
    bob.goto(ADDRESS)
    table = bob.get_by_role("region", name="This week, by group")
    name = table.get_by_role("rowheader").first
    table.focus()
    before = name.bounding_box()
    bob.keyboard.press("ArrowRight")
    wait_until(lambda: table.evaluate("table => table.scrollLeft") > 20, "the table to be scrolled")
    assert name.bounding_box() == before


def test_a_requests_waterfall_is_found_by_its_id(bob: Page) -> None:
    bob.goto(ADDRESS)
    bob.locator("#dash-request").fill("요청-1")
    bob.locator("#dash-request").press("Enter")
    bob.wait_for_url("**/admin/chat/trace/**")
    expect(bob.locator(".waterfall")).to_contain_text("first_frame")
    assert (bob.locator(".waterfall svg").first.bounding_box() or {"width": 0})["width"] > 300
    bob.goto(f"{ADDRESS}?request=nothing")
    expect(bob.locator(".messagelist")).to_contain_text("No request has this id")


def test_no_page_of_the_admin_needs_anything_inline(bob: Page) -> None:
    bob.goto("/admin/")
    lists = bob.locator("#content-main a[href$='/'].addlink, #content-main th a").evaluate_all(
        "links => links.map((link) => link.getAttribute('href'))"
    )
    assert len(lists) > 20
    for address in lists:
        response = bob.goto(address)
        assert response is not None
        assert response.ok, address
        row = bob.locator("#result_list tbody th a").first
        if row.count():
            row.click()
            bob.wait_for_load_state()
