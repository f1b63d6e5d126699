"""Roll-ups say what measuring says and outlive their traces; the dashboard reads them and little else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from chat import kpi
from chat.kpi import plot, report, rollups
from chat.models import KpiRollup, Room, Trace
from tests.chat.admin_pages import as_staff
from tests.chat.kpi_traces import traces
from tests.people import make_room, make_user

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
    for said in ("route quick", "cohort control", "K4: left while waiting", "the-slowest", "9876", "<svg", "polyline"):
        assert said in text
    assert "http://" not in text.replace("http://www.w3.org", "")


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
    assert len(captured) <= 12


def test_charlie_is_sent_away(client: Client) -> None:
    address = reverse("admin:chat_kpirollup_changelist")
    client.force_login(make_user("charlie"))
    assert client.get(address).status_code == 302
    client.force_login(make_user("carl", is_staff=True))
    assert client.get(address).status_code == 403


def test_a_waterfall_names_every_step_and_escapes_it() -> None:
    drawn = plot.waterfall([(0.0, "server: received"), (120.0, "<b>")])
    assert "server: received 0 ms" in drawn
    assert "&lt;b&gt; 120 ms" in drawn
    assert plot.waterfall([])
