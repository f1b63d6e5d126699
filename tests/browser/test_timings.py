"""What a real browser tells of a request, joined with what the server saw of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from tests.browser.conftest import Visit
from tests.browser.person import Person
from tests.faultproxy import FaultProxy
from tests.faults.site import Site
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MODEL = "text-3-60+rate-150"
#: Of the model's bytes: some fifteen words.
MIDWAY_BYTES = 3_000


@pytest.fixture
def halting(site: Site, line: FaultProxy) -> Callable[[int], Site]:
    """Its model's answers stand still after so many bytes until the line flows."""

    def halt(after: int) -> Site:
        line.hold_after(after)
        site.add_model(MODEL, base_url=f"{line.url}/v1")
        return site

    return halt


def trace_of(site: Site, room_id: UUID, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The room's one trace, once both sides have told and it is as it should be."""

    def is_there() -> bool:
        found = site.rows.traces(room_id)
        return len(found) == 1 and bool(found[0]["outcome"] and found[0]["client_marks"] and condition(found[0]))

    wait_until(is_there, "the trace")
    return site.rows.traces(room_id)[0]


def leave(reader: Person) -> None:
    """For another site: the page goes away, and comes back no more."""
    reader.page.goto("about:blank")


def test_first_words_and_completion_are_the_browsers_own(site: Site, visit: Visit) -> None:
    site.add_model(MODEL)
    reader = visit(site.url)
    room_id = reader.open_room()
    reader.say("Tell me.")
    reader.sees_answer("complete")
    trace = trace_of(site, room_id, lambda trace: trace["client_marks"].get("end"))
    marks = trace["client_marks"]
    assert marks.keys() >= {"click", "sent", "accepted", "start", "first_chunk", "first_paint", "end"}
    assert (trace["ttft_source"], trace["ttft_ms"]) == ("browser", marks["first_paint"])
    assert trace["completion_ms"] == marks["end"]
    assert (trace["path"], trace["failure"], trace["abandoned"]) == ("stream", "", "")


@pytest.mark.parametrize(("after", "state"), [(0, "before_words"), (MIDWAY_BYTES, "mid_answer")])
def test_who_leaves_while_they_wait_is_counted_once_in_that_state(
    halting: Callable[[int], Site], line: FaultProxy, visit: Visit, after: int, state: str
) -> None:
    site = halting(after)
    reader = visit(site.url)
    room_id = reader.open_room()
    reader.say("Tell me.")
    # Begun, as its reader has been told; words or none.
    reader.sees_answer("writing")
    if after:
        reader.sees_words()
    leave(reader)
    wait_until(lambda: site.rows.traces(room_id), "the beacon")
    line.flow()
    trace = trace_of(site, room_id, lambda trace: True)
    assert (trace["abandoned"], trace["outcome"]) == (state, "done")
    assert f"abandoned_{state}" in trace["client_marks"]


def test_a_reload_is_no_leaving(halting: Callable[[int], Site], line: FaultProxy, visit: Visit) -> None:
    site = halting(MIDWAY_BYTES)
    reader = visit(site.url)
    room_id = reader.open_room()
    reader.say("Tell me.")
    reader.sees_words()
    reader.reload()
    reader.sees_answer("writing")
    line.flow()
    reader.sees_answer("complete")
    # A coming back right after the end is noted after it.
    trace = trace_of(site, room_id, lambda trace: "back" in trace["marks"])
    assert (trace["abandoned"], trace["outcome"]) == ("", "done")
    assert "abandoned_mid_answer" in trace["client_marks"], "it was told, and taken back"
