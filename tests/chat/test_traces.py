"""The row of a request, filled from two sides in any order; forged, late and repeated reports change no figure."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat import traces
from chat.generations import Outcome, settle
from chat.messages import Accepted, Request, accept_send
from chat.models import Generation, Room, Trace, User
from chat.traces import REJECTED, Report
from tests.chat.answers import write_trace
from tests.people import make_room, make_user, request_id

pytestmark = [pytest.mark.data, pytest.mark.django_db]

SERVER = {"received": 0.0, "accepted": 4.0, "first_frame": 300.0, "settled": 1990.0, "end_frame": 2000.0}
CLIENT = {"click": 0.0, "sent": 2.0, "accepted": 26.0, "first_chunk": 330.0, "first_paint": 345.0, "end": 2030.0}
LOST = {"click": 0.0, "sent": 2.0, "ack_timeout": 5000.0}


@pytest.fixture
def room(db: None) -> Room:
    return make_room(make_user("alice"))


@pytest.fixture
def accepted(room: Room) -> Accepted:
    rid = request_id()
    return accept_send(Request(user_id=room.owner_id, room_id=room.pk, request_id=rid, path="stream", owner="me"), "hi")


def write(accepted: Accepted, **fields: Any) -> None:
    write_trace(Trace(**{
        "request_id": accepted.request_id, "user_id": accepted.user_id, "room_id": accepted.room_id,
        "character_id": accepted.room.character_id, "message_id": accepted.message_id, "kind": accepted.kind,
        "path": "stream", "cohort": "stream", "stage": 2, "outcome": "done", "route_name": "r", "marks": SERVER,
        **fields,
    }))


def tell(accepted: Accepted, marks: dict[str, float] | None = None, **fields: Any) -> str:
    return traces.report(Report(**{
        "user_id": accepted.user_id, "request_id": accepted.request_id, "marks": marks or CLIENT,
        "room_id": accepted.room_id, **fields,
    }))


def lose(room: Room, user: User | None = None, marks: dict[str, float] | None = None, rid: str = "") -> str:
    return traces.report(Report(
        user_id=(user or room.owner).pk, request_id=rid or request_id(), marks=marks or LOST, room_id=room.pk,
        path="stream", cohort="stream", stage=3,
    ))


def rejected(reason: str) -> float:
    return float(REJECTED.labels(reason)._value.get())


@pytest.mark.parametrize("is_browser_first", [True, False])
def test_whoever_tells_first_the_row_is_the_same(accepted: Accepted, is_browser_first: bool) -> None:
    if is_browser_first:
        tell(accepted)
    write(accepted)
    if not is_browser_first:
        tell(accepted)
    trace = Trace.objects.get()
    assert (trace.marks, trace.client_marks) == (SERVER, CLIENT)
    assert (trace.ttft_ms, trace.ttft_source, trace.completion_ms) == (345.0, "browser", 2030.0)
    assert (trace.kind, trace.cohort, trace.stage, trace.route_name) == ("reply", "stream", 2, "r")
    assert (trace.failure, trace.abandoned, trace.mismatched) == ("", "", False)


def test_the_servers_side_costs_one_statement(accepted: Accepted) -> None:
    with CaptureQueriesContext(connection) as captured:
        write(accepted)
    asked = [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]
    assert len(asked) == 1, asked


def test_a_report_alone_knows_the_cohort_that_the_request_was_accepted_in(room: Room) -> None:
    """Its server may have died, and told nothing."""
    asked = Request(room.owner_id, room.pk, request_id(), "stream", "me", cohort="control", stage=2)
    tell(accept_send(asked, "hi"), cohort="stream", stage=4)
    trace = Trace.objects.get()
    assert (trace.cohort, trace.stage) == ("control", 2)


def test_without_a_report_the_server_tells(accepted: Accepted) -> None:
    write(accepted)
    trace = Trace.objects.get()
    assert (trace.ttft_ms, trace.ttft_source, trace.completion_ms) == (300.0, "server", 2000.0)


@pytest.mark.parametrize(
    ("marks", "reason"),
    [
        ({"sent": -1.0}, "negative"), ({"end": 1e9}, "absurd"), ({"mood": 1.0}, "empty"),
        ({"first_chunk": 9.0, "first_paint": 8.0}, "disordered"),
    ],
)
def test_what_cannot_be_is_counted_and_leaves_no_mark(
    accepted: Accepted, marks: dict[str, float], reason: str
) -> None:
    write(accepted)
    before = rejected(reason)
    assert tell(accepted, marks) == reason
    assert rejected(reason) == before + 1
    assert Trace.objects.get().client_marks == {}
    assert tell(accepted) == "", "an honest report still counts"


@pytest.mark.parametrize("is_browser_first", [True, False])
def test_words_seen_before_they_were_written_are_counted_and_make_no_figure(
    accepted: Accepted, is_browser_first: bool
) -> None:
    before = rejected("inconsistent")
    forged = {"click": 0.0, "sent": 0.0, "first_paint": 1.0, "end": 2.0}
    if is_browser_first:
        assert tell(accepted, forged) == ""
        write(accepted)
    else:
        write(accepted)
        assert tell(accepted, forged) == "inconsistent"
    assert rejected("inconsistent") == before + 1
    trace = Trace.objects.get()
    assert (trace.ttft_ms, trace.ttft_source, trace.completion_ms) == (300.0, "server", 2000.0)


def test_the_first_report_counts(accepted: Accepted) -> None:
    write(accepted)
    tell(accepted)
    assert tell(accepted, {"click": 0.0, "first_paint": 599_000.0}) == "duplicate"
    trace = Trace.objects.get()
    assert (trace.ttft_ms, trace.client_marks) == (345.0, CLIENT)


def test_a_page_shown_again_tells_on(accepted: Accepted) -> None:
    write(accepted)
    left = {"click": 0.0, "sent": 2.0, "accepted": 26.0, "abandoned_before_words": 100.0}
    tell(accepted, left)
    assert Trace.objects.get().abandoned == "before_words"
    assert tell(accepted, {**left, "returned": 200.0, "first_chunk": 330.0, "first_paint": 345.0, "end": 2030.0}) == ""
    trace = Trace.objects.get()
    assert (trace.abandoned, trace.ttft_ms, trace.completion_ms) == ("", 345.0, 2030.0)


def test_a_late_report_is_counted_and_dropped(accepted: Accepted, settings: Any) -> None:
    write(accepted)
    Trace.objects.update(created_at=timezone.now() - timedelta(seconds=settings.TIMINGS_LATE_SECONDS + 1))
    assert tell(accepted) == "late"
    assert Trace.objects.get().client_marks == {}


def test_a_late_report_of_a_request_without_a_trace_is_dropped_too(accepted: Accepted, settings: Any) -> None:
    Generation.objects.update(created_at=timezone.now() - timedelta(seconds=settings.TIMINGS_LATE_SECONDS + 1))
    assert tell(accepted) == "late"
    assert Trace.objects.count() == 0


def test_a_mismatch_is_told_apart_from_the_rest_and_counted_once(accepted: Accepted) -> None:
    before = traces.MISMATCHES._value.get()
    assert settle(accepted.message_id, 1, Outcome(status="done", text="Hello.", last_seq=1))
    assert tell(accepted, {"mismatch": 0.0}) == ""
    write(accepted)
    assert tell(accepted) == "", "the page that sent it has not told yet"
    assert tell(accepted, {"mismatch": 0.0}) == ""
    trace = Trace.objects.get()
    assert (trace.mismatched, trace.client_marks) == (True, CLIENT)
    assert traces.MISMATCHES._value.get() == before + 1


def test_a_later_owners_trace_replaces_the_servers_part_only(accepted: Accepted) -> None:
    write(accepted, outcome="interrupted", marks={"received": 0.0})
    tell(accepted)
    write(accepted, attempt=2)
    trace = Trace.objects.get()
    assert (trace.attempt, trace.outcome, trace.ttft_ms) == (2, "done", 345.0)


def test_somebody_who_came_back_a_moment_after_the_end_had_not_left(accepted: Accepted) -> None:
    write(accepted, marks={**SERVER, "left": 900.0})
    assert Trace.objects.get().abandoned == "mid_answer"
    traces.came_back(accepted.user_id, accepted.request_id, 2400.0)
    trace = Trace.objects.get()
    assert (trace.abandoned, trace.resumes) == ("", 1)
    traces.came_back(accepted.user_id, "of-nobody", 1.0)


# Sends that never arrived


def test_a_send_that_never_arrived_is_known_by_its_browser(room: Room) -> None:
    assert lose(room) == ""
    trace = Trace.objects.get()
    assert (trace.failure, trace.abandoned, trace.outcome, trace.message) == ("ack_timeout", "", "", None)
    assert (trace.path, trace.cohort, trace.stage, trace.room_id) == ("stream", "stream", 3, room.pk)
    assert (trace.ttft_ms, trace.completion_ms) == (None, None)


def test_one_that_was_left_before_it_arrived_is_abandoned(room: Room) -> None:
    lose(room, marks={"click": 0.0, "sent": 2.0, "abandoned_before_accept": 80.0})
    trace = Trace.objects.get()
    assert (trace.failure, trace.abandoned) == ("", "before_accept")


def test_one_that_arrives_after_all_keeps_its_one_row(room: Room) -> None:
    rid = request_id()
    lose(room, rid=rid)
    request = Request(user_id=room.owner_id, room_id=room.pk, request_id=rid, path="sse", owner="me")
    write(accept_send(request, "hi"), path="sse")
    trace = Trace.objects.get()
    assert (trace.outcome, trace.path, trace.failure, trace.stage) == ("done", "sse", "ack_timeout", 2)
    assert (trace.ttft_ms, trace.ttft_source, trace.client_marks) == (300.0, "server", LOST)


@pytest.mark.parametrize(
    "marks", [CLIENT, {"click": 0.0, "refused": 9.0}, {"mismatch": 0.0}, {**LOST, "accepted": 5500.0}],
    ids=["a whole one", "refused", "a mismatch", "accepted, it says"],
)
def test_other_reports_of_unknown_requests_leave_nothing(room: Room, marks: dict[str, float]) -> None:
    assert lose(room, marks=marks) == "unknown_request"
    assert Trace.objects.count() == 0


def test_of_one_users_lost_sends_a_few_are_believed_and_those_of_others_too(room: Room) -> None:
    assert [lose(room) for _ in range(5)] == ["", "", "", "too_many", "too_many"]
    assert Trace.objects.count() == 3
    Trace.objects.update(created_at=F("created_at") - timedelta(hours=1))
    assert lose(room) == ""
    bob = make_user("bob")
    assert lose(make_room(bob), bob) == ""


# Strangers


def test_a_stranger_changes_nothing_of_anybody_else(accepted: Accepted, room: Room) -> None:
    charlie = make_user("charlie")
    write(accepted)
    before = Trace.objects.values().get()
    assert tell(accepted, user_id=charlie.pk) == "unknown_request"
    assert lose(room, charlie, rid=accepted.request_id) == "unknown_request"
    assert lose(room, charlie) == "unknown_request"
    assert Trace.objects.values().get() == before


def test_a_strangers_own_request_of_the_same_name_is_another_one(accepted: Accepted) -> None:
    write(accepted)
    charlie = make_user("charlie")
    assert lose(make_room(charlie), rid=accepted.request_id) == ""
    assert Trace.objects.get(user=charlie).failure == "ack_timeout"
    assert Trace.objects.get(user_id=accepted.user_id).failure == ""


# At the same time


@pytest.mark.django_db(transaction=True)
def test_both_sides_at_the_same_time_make_one_row_with_both(accepted: Accepted) -> None:
    def one_side(number: int) -> str:
        try:
            if number > 0:
                return tell(accepted)
            write(accepted)
            return "written"
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        said = list(threads.map(one_side, range(4)))
    assert sorted(said) == ["", "duplicate", "duplicate", "written"]
    trace = Trace.objects.get()
    assert (trace.marks, trace.client_marks) == (SERVER, CLIENT)
    assert (trace.ttft_ms, trace.ttft_source) == (345.0, "browser")
