"""Roll-ups say what measuring says and outlive their traces; the dashboard reads them and little else."""

from __future__ import annotations

import re
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from chat import kpi
from chat.kpi import dashboard, plot, report, rollups
from chat.models import AlarmIncident, AlarmNotice, KpiRollup, Room, Trace
from streaming.providers import health
from tests.chat.admin_pages import as_staff
from tests.chat.kpi_traces import traces
from tests.people import make_room, make_route, make_user

pytestmark = [pytest.mark.data, pytest.mark.django_db]


@pytest.fixture
def room(db: None) -> Room:
    return make_room(make_user("alice"))


def roll_up_all() -> None:
    for _ in range(10):
        rollups.keep_up()


def page(client: Client) -> str:
    response = as_staff(client).get(reverse("admin:chat_kpirollup_changelist"))
    assert response.status_code == 200
    return response.content.decode()


def test_a_rollup_says_what_measuring_says(room: Room) -> None:
    traces(room, timezone.now(), [{"ttft_ms": float(n)} for n in range(100)])
    roll_up_all()
    measured = kpi.measure(kpi.weeks(1, timezone.now())[0], ("path",))
    row = KpiRollup.objects.get(period="week", starts_on=kpi.weeks(1, timezone.now())[0].starts_on, by="path")
    assert row.figures == report.plain(measured[0])


def test_what_runs_is_rolled_up_again_and_what_is_over_is_kept(room: Room) -> None:
    now = timezone.now()
    traces(room, now - timedelta(days=3), [{}] * 5)
    traces(room, now, [{}] * 5)
    roll_up_all()
    Trace.objects.all().delete()
    traces(room, now, [{}] * 7)
    roll_up_all()
    sends = {row.starts_on: row.figures["counts"]["sends"] for row in days_with_sends()}
    assert sends == {kpi.days(1, now)[0].starts_on: 7, kpi.days(4, now)[3].starts_on: 5}


def test_the_running_week_is_read_again_every_half_hour(room: Room) -> None:
    def sends() -> int:
        week = kpi.weeks(1, timezone.now())[0]
        found: int = KpiRollup.objects.get(period="week", starts_on=week.starts_on, by="").figures["counts"]["sends"]
        return found

    traces(room, timezone.now(), [{}] * 2)
    roll_up_all()
    traces(room, timezone.now(), [{}])
    rollups.keep_up()
    assert sends() == 2
    KpiRollup.objects.update(made_at=timezone.now() - rollups.WEEK_EVERY)
    rollups.keep_up()
    assert sends() == 3


def test_an_empty_week_is_read_again_at_once(room: Room) -> None:
    """Whoever has just installed it and sent a message sees it."""
    roll_up_all()
    traces(room, timezone.now(), [{}])
    rollups.keep_up()
    this_week = kpi.weeks(1, timezone.now())[0].starts_on
    assert KpiRollup.objects.get(period="week", starts_on=this_week, by="").figures["counts"]["sends"] == 1


def days_with_sends() -> list[KpiRollup]:
    return [row for row in KpiRollup.objects.filter(period="day", by="") if row.figures]


def test_what_is_half_deleted_is_not_measured_any_more(room: Room, settings: Any) -> None:
    settings.TRACE_RETENTION_DAYS = 10
    traces(room, timezone.now() - timedelta(days=15), [{}])
    roll_up_all()
    assert not days_with_sends()


def test_rolling_up_twice_leaves_one_row_a_group(room: Room) -> None:
    traces(room, timezone.now(), [{"cohort": "stream"}, {"cohort": "control"}])
    roll_up_all()
    rows = KpiRollup.objects.count()
    roll_up_all()
    assert KpiRollup.objects.count() == rows


def test_bob_sees_what_users_felt(client: Client, room: Room) -> None:
    traces(room, timezone.now(), [{"ttft_ms": 400.0, "completion_ms": 2000.0, "route_name": "quick"}] * 100)
    traces(room, timezone.now(), [{"cohort": "control", "path": "completed", "abandoned": "before_words"}] * 50)
    traces(room, timezone.now(), [{"ttft_ms": 9876.0, "request_id": "the-slowest"}])
    roll_up_all()
    text = page(client)
    for said in ("route quick", "cohort control", "left while", "the-slowest", "9.88 s", "dash-plots-data", "K4"):
        assert said in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert " style=" not in text
    assert not re.search(r"<script(?![^>]*(src=|application/json))", text)


@pytest.mark.parametrize(("rolls_up", "said"), [
    (False, "Nothing has been rolled up yet"), (True, "No sends this week"),
])
def test_an_empty_database_has_a_dashboard(client: Client, room: Room, rolls_up: bool, said: str) -> None:
    if rolls_up:
        roll_up_all()
    assert said in page(client)


def test_more_traces_cost_no_more_queries(client: Client, room: Room) -> None:
    traces(room, timezone.now(), [{"ttft_ms": 400.0}] * 3)
    roll_up_all()
    staff = as_staff(client)
    address = reverse("admin:chat_kpirollup_changelist")
    staff.get(address)
    with CaptureQueriesContext(connection) as captured:
        staff.get(address)
    assert len(captured) <= 16


def test_charlie_is_sent_away(client: Client) -> None:
    address = reverse("admin:chat_kpirollup_changelist")
    client.force_login(make_user("charlie"))
    assert client.get(address).status_code == 302
    client.force_login(make_user("carl", is_staff=True))
    assert client.get(address).status_code == 403


@translation.override("en")
def test_a_waterfall_names_every_step_and_escapes_it() -> None:
    drawn = plot.waterfall([(0.0, "server", "received"), (1234.0, "browser", "<b>")], "ms")
    assert '<td>server</td><th scope="row">received</th><td>0.0</td><td>+0.0</td>' in drawn
    assert '<th scope="row">&lt;b&gt;</th><td>1,234.0</td><td>+1,234.0</td>' in drawn
    assert drawn.count("<rect") == 2
    assert plot.waterfall([], "ms") == ""


def test_a_request_is_found_by_its_id_and_one_that_is_not_there_is_said(client: Client, room: Room) -> None:
    [one] = traces(room, timezone.now(), [{"request_id": "요청-1"}])
    staff, address = as_staff(client), reverse("admin:chat_kpirollup_changelist")
    assert staff.get(address, {"request": " 요청-1 "})["Location"] == reverse("admin:chat_trace_change", args=[one.pk])
    assert "No request has this id" in staff.get(address, {"request": "x" * 500}).content.decode()
    dora = make_room(make_user("dora"))
    traces(dora, timezone.now(), [{"request_id": "요청-1"}])
    assert "/chat/trace/?q=" in staff.get(address, {"request": "요청-1"})["Location"]


def test_a_trace_of_one_side_has_a_waterfall_too(client: Client, room: Room) -> None:
    [one] = traces(room, timezone.now(), [{"marks": {"received": 0.0, "first_frame": 250.0}}])
    text = as_staff(client).get(reverse("admin:chat_trace_change", args=[one.pk])).content.decode()
    assert '<th scope="row">first_frame</th><td>250.0</td>' in text
    assert "waterfall__step--server" in text


def test_hedging_is_summed_over_days_and_the_routes_last_hour_is_shown(client: Client, room: Room) -> None:
    def call(**fields: Any) -> dict[str, Any]:
        return {"route": "느린 길", "why": "first", "outcome": "stop", "firstMs": 300.0, "ms": 900.0, "promptTokens": 5,
                "completionTokens": 5, "cost": 0.5, **fields}

    race = [call(outcome="lost", firstMs=None), call(route="quick", why="hedge")]
    for back in (0, 1):
        traces(room, timezone.now() - timedelta(days=back), [{"calls": [call()]}, {"calls": race}])
    traces(room, timezone.now(), [{"calls": [call(outcome="provider_gap_timeout")]}])
    make_route(name="quick", sort=1)
    health.OPEN.labels("quick").set(1)
    roll_up_all()
    shown = dashboard.dashboard()
    health.OPEN.remove("quick")
    [row] = shown["hedging"]
    assert (row["route"], row["answers"], row["raced"], row["won"], row["lostTokens"]) == ("느린 길", 5, 2, 2, 20)
    quick, slow = shown["routes"]
    assert (quick.name, quick.is_open, quick.asked, quick.well) == ("quick", True, 1, "100%")
    assert (slow.name, slow.is_enabled, slow.asked, slow.well) == ("느린 길", False, 3, "50%")
    assert slow.failed_with == "provider_gap_timeout"


@translation.override("en")
def test_cohorts_stand_side_by_side_with_their_difference(room: Room) -> None:
    traces(room, timezone.now(), [{"abandoned": "before_words"}] * 5 + [{"ttft_ms": 500.0}] * 95)
    control = {"cohort": "control", "path": "completed"}
    traces(room, timezone.now(), [{**control, "abandoned": "before_accept"}] * 20 + [control] * 80)
    roll_up_all()
    rows = {str(row["name"]): row["cells"] for row in dashboard.dashboard()["cohorts"]}
    assert rows["sends"] == ("100", "100", "")
    assert rows["left while waiting"][2].startswith("-15.0% [")
    assert rows["before first words"] == ("5", "0", "")
    [k1, *_, k4] = dashboard.dashboard()["tiles"]
    assert k1["streamed"][0] == "500 ms"
    assert k4["value"] == "73%"


def test_what_nobody_took_is_on_the_dashboard(client: Client, room: Room) -> None:
    incident = AlarmIncident.objects.create(rule="failed_sends", text="3 % failed", value=0.03, limit=0.01, worst=0.03)
    AlarmNotice.objects.create(
        incident=incident, is_recovery=False, receiver="ops@example.org", attempts=2, next_at=timezone.now(),
        last_error="ConnectionRefusedError",
    )
    text = page(client)
    assert "ops@example.org" in text
    assert "ConnectionRefusedError" in text


def test_the_plots_know_every_day_and_week_and_say_huge_values(room: Room) -> None:
    traces(room, timezone.now(), [{"ttft_ms": 9e15, "failure": "ack_timeout"}, {}])
    roll_up_all()
    shown = dashboard.dashboard()
    words_plot, _, failures, _ = shown["plots"]
    assert len(words_plot["spans"]["day"]["at"]) == rollups.DAYS
    assert words_plot["spans"]["week"]["series"][1]["values"][-1] == 9e15
    assert failures["spans"]["day"]["series"][0]["values"][-1] == 0.5
    assert failures["spans"]["day"]["series"][0]["values"][0] is None
    assert shown["tiles"][0]["value"] == "2,500,000,000 h"


def test_the_vendored_library_is_as_it_was_published() -> None:
    folder = settings.BASE_DIR / "frontend_static" / "vendor" / "uplot"
    said = (folder / "VERSION").read_text()
    for name in ("uPlot.esm.js", "uPlot.min.css"):
        assert f"{sha256((folder / name).read_bytes()).hexdigest()}  {name}" in said
    assert "MIT" in (folder / "LICENSE").read_text()
