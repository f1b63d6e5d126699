"""What the sections beside the plain load prove, and what they do not."""

from __future__ import annotations

import pytest

from tests.bench import capacity
from tests.bench.comparisons import t_quantile
from tests.bench.plan import Cell
from tests.bench.search import NEAR_TIMES, largest
from tests.bench.targets import judge
from tests.bench.test_report import FLOOR, OURS, like


@pytest.mark.parametrize("limit", [3, 39, 120, 131, 400, 1000])
def test_the_search_comes_near_from_anywhere(limit: int) -> None:
    found = largest(lambda streams: streams <= limit, start=120, most=2000, probes=12)
    assert found <= limit <= found * NEAR_TIMES + 1


def test_the_search_keeps_its_bounds() -> None:
    asked: list[int] = []

    def refuses(streams: int) -> bool:
        asked.append(streams)
        return False

    assert largest(refuses, start=64, most=100, probes=4) == 0
    assert asked == [64, 32, 16, 8]
    assert largest(lambda streams: True, start=64, most=100, probes=9) == 100


def probes(cell: Cell, *streams: int, upto: int, **changes: float) -> list[Cell]:
    return [
        like(cell, what="capacity", streams=n, token_ms=(1.0, 5.0 if n <= upto else 51.0), **changes) for n in streams
    ]


def _figure(cells: list[Cell], what: str) -> tuple[str, str]:
    return next((one.word, one.figure) for one in judge(cells) if one.what.startswith(what))


def test_capacity_is_judged_against_the_floors_of_the_same_run() -> None:
    cells = [*probes(FLOOR, 400, 420, upto=400), *probes(OURS, 180, 200, upto=180)]
    assert _figure(cells, "streams of 50/s") == ("reached", "0.45 × floor")
    assert _figure(cells, "added TTFT p95 at capacity") == ("reached", "10.0 ms")


def test_a_floor_for_which_the_load_gave_out_counts_as_what_its_cpu_promises() -> None:
    late = [like(one, what="capacity", late_p99_ms=60.0) for one in probes(FLOOR, 420, upto=420)]
    floor = probes(FLOOR, 400, upto=400, cpu_seconds=0.475)
    cells = [*floor, *late, *probes(OURS, 180, upto=180)]
    assert capacity.has_load_given_out(cells, FLOOR.subject)
    assert _figure(cells, "streams of 50/s") == ("NOT REACHED", "0.23 × floor")


def test_overload_must_be_told_in_time_and_must_cost_nothing() -> None:
    measure = like(OURS, what="overload", streams=80, calls_most=80, token_ms=(10.0, 33.0))
    told = like(measure, what="overload", streams=300, waiting_count=9, waiting_ms=20.0, refused_count=9)
    assert [one.word for one in judge([measure, told])] == ["reached"] * 3
    silent = like(measure, what="overload", streams=300)
    late = like(told, what="overload", refused_ms=101.0, cpu_seconds=0.12, token_ms=(10.0, 51.0))
    assert [one.word for one in judge([measure, silent])] == ["reached", "NOT REACHED", "reached"]
    assert [one.word for one in judge([measure, late])] == ["NOT REACHED"] * 3


def test_two_processes_are_judged_by_what_they_carried() -> None:
    one = [like(OURS, what="processes", streams=n, token_ms=(1.0, ms)) for n, ms in ((40, 20.0), (60, 70.0))]
    two = [like(OURS, what="processes", streams=n, processes=2, token_ms=(1.0, 40.0)) for n in (68, 74)]
    assert _figure([*one, *two], "two processes") == ("reached", "1.85 × one (74 to 40 streams)")
    assert _figure([*one, like(two[0], what="processes", streams=66)], "two processes")[0] == "NOT REACHED"


def test_instrumentation_is_judged_pair_by_pair() -> None:
    def pair(number: int, micros: float, first: float) -> list[Cell]:
        ours = like(OURS, what="instrumentation", round=number)
        without = like(ours, what="instrumentation", subject=f"{OURS.subject} uninstrumented")
        return [without, like(ours, what="instrumentation", cpu_seconds=micros / 1000, first_ms=(first, 9.0, 9.0))]

    cells = [*pair(0, 125, 5.5), *pair(1, 80, 6.5), *pair(2, 102, 5.5)]
    assert _figure(cells, "instrumentation, CPU") == ("NOT PROVEN", "1.007 × without")
    assert _figure(cells, "instrumentation, added TTFT") == ("reached", "+0.50 ms (+0.50 to +1.50)")
    # What an order does to its pairs cancels out, and is no part of the doubt.
    told = [pair(number, (125, 80, 102, 101)[number % 4] + number // 4 / 10, 5.5) for number in range(12)]
    cells = [cell for both in told for cell in both]
    assert _figure(cells, "instrumentation, CPU") == ("reached", "1.008 × without (95 %: 1.008–1.009)")
    doubtful = [*cells, *pair(12, 200, 5.5), *pair(13, 81, 5.5), *pair(14, 60, 5.5), *pair(15, 101, 5.5)]
    assert _figure(doubtful, "instrumentation, CPU")[0] == "NOT PROVEN"
    dear = [cell for number in range(8) for cell in pair(number, 110 + number // 4 / 10, 5.5)]
    assert _figure(dear, "instrumentation, CPU")[0] == "NOT REACHED"


@pytest.mark.parametrize(("free", "quantile"), [(4, 2.776), (10, 2.228), (20, 2.086), (60, 2.000)])
def test_students_quantile_is_the_tables(free: int, quantile: float) -> None:
    assert t_quantile(free) == pytest.approx(quantile, abs=0.01)
