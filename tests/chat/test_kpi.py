"""K1 to K4 from traces: exact, by group, by day and week as people here count them; never better than the facts."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from io import StringIO
from math import ceil
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from chat import kpi
from chat.kpi import intervals
from chat.kpi.comparison import compare
from chat.models import Room
from tests.chat.kpi_traces import trace, traces
from tests.people import make_room, make_user

pytestmark = [pytest.mark.data, pytest.mark.django_db]
#: A Wednesday.
NOW = datetime(2026, 11, 18, 3, 0, tzinfo=UTC)


@pytest.fixture
def room(db: None) -> Room:
    return make_room(make_user("alice"))


def this_week(by: tuple[str, ...] = ()) -> list[kpi.Kpis]:
    return kpi.measure(kpi.weeks(1, NOW)[0], by)


@pytest.mark.parametrize("count", [1, 2, 19, 20, 21, 100, 257])
def test_quantiles_are_the_ones_that_sorting_gives(room: Room, count: int) -> None:
    times = [random.Random(count).lognormvariate(6, 1) for _ in range(count)]
    traces(room, NOW, [{"ttft_ms": time} for time in times])
    trace(room, NOW, outcome="failed", failure="backend_failed")
    found = this_week()[0].ttft
    assert found is not None
    ordered = sorted(times)
    assert found.count == count
    for quantile, value in ((50, found.p50), (95, found.p95), (99, found.p99)):
        assert value == pytest.approx(ordered[ceil(count * quantile / 100) - 1])
    assert (found.p95_high is None) == (count < 72 or found.p95_high is None)
    assert found.p95_low is None or found.p95_low <= found.p95


def test_a_bound_is_unknown_where_there_are_too_few() -> None:
    assert intervals.quantile_ranks(20, 0.95)[2] is None
    low, middle, high = intervals.quantile_ranks(1000, 0.95)
    assert (low, middle, high) == (936, 950, 965)


def test_a_quantiles_interval_holds_it_19_times_in_20() -> None:
    chance, held = random.Random(7), 0
    for _ in range(1000):
        sample = sorted(chance.random() for _ in range(400))
        low, _, high = intervals.quantile_ranks(400, 0.95)
        assert low is not None
        assert high is not None
        held += sample[low - 1] <= 0.95 <= sample[high - 1]
    assert 935 <= held <= 985


def test_shares_have_wilsons_interval() -> None:
    found = intervals.share(10, 100)
    assert found is not None
    assert found == pytest.approx((0.1, 0.0552, 0.1744), abs=1e-4)
    nothing = intervals.share(0, 50)
    assert nothing is not None
    assert nothing.low == 0.0 < nothing.high
    assert intervals.share(0, 0) is None


def test_a_difference_has_newcombes_interval() -> None:
    found = intervals.difference(56, 70, 48, 80)
    assert found == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-3)


def test_failures_are_counted_by_term_and_none_twice(room: Room) -> None:
    traces(room, NOW, [{"failure": term} for term in ["", "", "ack_timeout", "backend_failed", "backend_failed"]])
    found = this_week()[0]
    assert (found.counts["ack_timeout"], found.counts["backend_failed"], found.counts["sends"]) == (1, 2, 5)
    assert found.failed is not None
    assert found.failed.value == pytest.approx(0.6)


def test_a_send_that_was_never_accepted_is_a_send(room: Room) -> None:
    trace(room, NOW, outcome="", failure="ack_timeout", abandoned="before_accept")
    assert this_week()[0].counts["sends"] == 1
    assert this_week()[0].left_count == 1


def test_who_leaves_while_reading_did_not_leave_while_waiting(room: Room) -> None:
    states = ["before_accept", "before_words", "before_words", "mid_answer", ""]
    traces(room, NOW, [{"abandoned": state} for state in states])
    assert this_week()[0].left_count == 3
    assert this_week()[0].counts["mid_answer"] == 1


def test_k4_is_a_difference_with_its_interval(room: Room) -> None:
    traces(room, NOW, [{"abandoned": "before_words" if n < 40 else ""} for n in range(1000)])
    control: dict[str, Any] = {"path": "completed", "cohort": "control"}
    traces(room, NOW, [{**control, "abandoned": "before_words" if n < 100 else ""} for n in range(1000)])
    found = compare(this_week(("cohort",)))
    assert found is not None
    assert found.difference.value == pytest.approx(-0.06)
    assert found.difference.low < -0.06 < found.difference.high < 0
    assert found.less.value == pytest.approx(0.6, abs=0.01)
    assert found.verdict == "met"


def test_k4_of_a_handful_is_open_and_of_one_cohort_is_none(room: Room) -> None:
    traces(room, NOW, [{"abandoned": ""}] * 5)
    assert compare(this_week(("cohort",))) is None
    traces(room, NOW, [{"cohort": "control", "abandoned": "before_words"}] * 2)
    found = compare(this_week(("cohort",)))
    assert found is not None
    assert found.verdict == "open"


@pytest.mark.parametrize(("dimension", "field"), [("path", "path"), ("route", "route_name"), ("cohort", "cohort")])
def test_groups_sum_up_to_the_whole(room: Room, dimension: str, field: str) -> None:
    traces(room, NOW, [{field: "a", "ttft_ms": 100.0}] * 3 + [{field: "b", "ttft_ms": 900.0}] * 2)
    found = this_week((dimension,))
    assert [(each.group, each.counts["sends"]) for each in found] == [({dimension: "a"}, 3), ({dimension: "b"}, 2)]
    assert [each.ttft.p95 for each in found if each.ttft] == [100.0, 900.0]


def test_weeks_and_days_begin_at_midnight_here(room: Room) -> None:
    monday = kpi.weeks(1, NOW)[0]
    assert monday.starts_at == datetime(2026, 11, 15, 15, 0, tzinfo=UTC)
    trace(room, monday.starts_at - timedelta(milliseconds=1))
    trace(room, monday.starts_at)
    this, last = kpi.weeks(2, NOW)
    assert [kpi.measure(span)[0].counts["sends"] for span in (this, last)] == [1, 1]
    assert [span.starts_on.day for span in kpi.days(3, NOW)] == [18, 17, 16]


def printed(*arguments: str) -> str:
    out = StringIO()
    call_command("kpi", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_every_kpi_in_words(room: Room) -> None:
    now = timezone.now()
    traces(room, now, [{"ttft_ms": 400.0, "completion_ms": 3000.0}] * 120)
    traces(room, now, [{"cohort": "control", "path": "completed", "completion_ms": 9000.0, "ttft_ms": 9000.0}] * 120)
    text = printed("--weeks", "1")
    assert "path=stream cohort=stream" in text
    assert "400/400 [400, 400]/400 met" in text
    assert "9000/9000 [9000, 9000]/9000 missed" in text
    assert "K4: left while waiting" in text


def test_the_command_speaks_json(room: Room) -> None:
    trace(room, timezone.now(), ttft_ms=400.0)
    spans = json.loads(printed("--days", "2", "--by", "character", "--json"))["spans"]
    assert len(spans) == 2
    assert spans[0]["groups"][0]["group"] == {"character": "mina"}
    assert spans[0]["all"][0]["ttft_ms"]["p95"] == 400.0
    assert spans[0]["all"][0]["verdicts"] == {"K1": "open", "K2": "open", "K3": "open"}


def test_an_empty_database_has_no_kpi() -> None:
    assert "no sends" in printed()
    assert json.loads(printed("--json"))["spans"][0]["all"] == []


@pytest.mark.parametrize("wrong", [("--weeks", "0"), ("--days", "-3"), ("--weeks", "401"), ("--by", "colour")])
def test_nonsense_is_said_to_be_nonsense(wrong: tuple[str, str]) -> None:
    with pytest.raises(CommandError):
        printed(*wrong)
