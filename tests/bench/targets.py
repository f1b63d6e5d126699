"""The figures that were promised, and whether a run reached them. Every line says by how much."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.bench import capacity, processes
from tests.bench.comparisons import Judgement, instrumentation, overload
from tests.bench.plan import Cell
from tests.bench.rows import Row, reference_of, rows_of, socket_kib, stream_kib, times, verdict, words_of

#: Milliseconds of added TTFT p95, by streams.
FIRST_MS = {1: 5.0, 50: 15.0}
CPU_TIMES_BARE = 1.3
#: Thousand instructions a token, by server and pace, and the floor's own.
KILO_INSTRUCTIONS = {("uvicorn", 50.0): 130.0, ("uvicorn", 100.0): 85.0, ("daphne", 50.0): 260.0}
FLOOR_KILO_INSTRUCTIONS = 45.0
RATIO_AT = 50
CAPACITY_TIMES_FLOOR = {"uvicorn": 0.45, "daphne": 0.25}
SLOW_FIRST_MS = 50.0
STREAM_KIB, SOCKET_KIB, BASE_MIB = 60.0, 35.0, 130.0
PROCESSES_TIMES = 1.7
STAND_IN = "instructions are not counted here; CPU against the floor's stands in for them"


def judge(cells: Sequence[Cell]) -> list[Judgement]:
    ours = [cell for cell in cells if cell.kind == "soksak"]
    return [
        *_load(cells), *_capacity(cells), *overload(ours), *_slow(rows_of(ours, "slow")),
        *_memory(rows_of(ours, "memory")), *_processes(ours), *instrumentation(ours),
    ]


def _load(cells: Sequence[Cell]) -> Iterator[Judgement]:
    rows = rows_of(cells, "load")
    for row in rows:
        if row.kind != "soksak":
            continue
        first = words_of(row, cells)
        if not first.has_figures:
            yield Judgement("NO FIGURES", row.subject, f"{row.streams} streams", "-", "-", row.remarks)
            continue
        if row.streams in FIRST_MS and row.rate == 50:
            yield _most(first, f"added TTFT p95, {_streams(row.streams)}", first.mid(lambda c: c.seen.first_ms[1]),
                        FIRST_MS[row.streams], "ms")
        if row.streams == RATIO_AT:
            yield from _cpu(row, rows)


def _streams(count: int) -> str:
    return "1 stream" if count == 1 else f"{count} streams"


def _cpu(row: Row, rows: Sequence[Row]) -> Iterator[Judgement]:
    at = f"{row.streams} streams of {row.rate:g}/s"
    bare, floor = reference_of(row, rows, "bare"), reference_of(row, rows, "floor")
    against_bare = times(row, bare)
    if bare is not None and against_bare is not None:
        yield _most(row, f"CPU a token, {at}", against_bare, CPU_TIMES_BARE, "× bare", bare)
    limit = KILO_INSTRUCTIONS.get((row.server, row.rate))
    if limit is None:
        return
    what = f"instructions a token, {at}"
    if row.kilo_instructions is not None:
        yield _most(row, what, row.kilo_instructions, limit, "k")
    elif floor is not None:
        yield _most(row, what, times(row, floor) or 0.0, limit / FLOOR_KILO_INSTRUCTIONS, "× floor", floor,
                    note=STAND_IN)


def _most(
    row: Row, what: str, value: float, limit: float, unit: str, *others: Row, note: str = ""
) -> Judgement:
    """`value` may be `limit` at most; `others` are what it was compared with."""
    return Judgement(
        verdict(value <= limit, row, *others), row.subject, what, f"{value:.2f} {unit}", f"≤ {limit:.3g} {unit}", note
    )


def _capacity(cells: Sequence[Cell]) -> Iterator[Judgement]:
    subjects = {cell.subject: cell for cell in cells if cell.what == "capacity"}
    floor = next((name for name, cell in subjects.items() if cell.kind == "floor"), "")
    for name, one in subjects.items():
        best = capacity.best_of(cells, name)
        if one.kind != "soksak" or best is None:
            if one.kind == "soksak":
                yield Judgement("NOT REACHED", name, "streams a core", "0", "-", "no probe stayed within the limits")
            continue
        # What carries has its proof with it, faults and late models included.
        yield Judgement("reached", name, f"added TTFT p95 at capacity, {best.streams} streams",
                        f"{best.seen.first_ms[1]:.1f} ms", f"≤ {capacity.FIRST_LIMIT_MS:g} ms", "")
        if floor and (floor_streams := capacity.estimated(cells, floor)):
            yield _against_floor(cells, best, floor, floor_streams)


def _against_floor(cells: Sequence[Cell], best: Cell, floor: str, floor_streams: float) -> Judgement:
    ratio, limit = best.streams / floor_streams, CAPACITY_TIMES_FLOOR[best.server]
    note = ""
    if capacity.has_load_given_out(cells, floor):
        note = f"the load gave out before the floor: {floor_streams:.0f} streams is what a core would carry by its CPU"
    return Judgement(
        _word(ratio >= limit), best.subject, "streams of 50/s a core", f"{ratio:.2f} × floor", f"≥ {limit} × floor",
        note,
    )


def _word(is_reached: bool) -> str:
    return "reached" if is_reached else "NOT REACHED"


def _slow(rows: Sequence[Row]) -> Iterator[Judgement]:
    for row in rows:
        p95 = row.mid(lambda cell: cell.seen.first_ms[1])
        yield _most(row, f"added TTFT p95, {row.streams} slow streams", p95, SLOW_FIRST_MS, "ms")


def _memory(rows: Sequence[Row]) -> Iterator[Judgement]:
    for row in rows:
        yield _most(row, "memory a stream", stream_kib(row.cells[0]), STREAM_KIB, "KiB")
        yield _most(row, "memory an idle socket", socket_kib(row.cells[0]), SOCKET_KIB, "KiB")
        yield _most(row, "memory of the process, warm", row.cells[0].seen.rss_base_kib / 1024, BASE_MIB, "MiB")


def _processes(cells: Sequence[Cell]) -> Iterator[Judgement]:
    for name in dict.fromkeys(cell.subject for cell in cells if cell.what == "processes"):
        one, two = (processes.carried(cells, name, number) for number in (1, 2))
        if one:
            yield Judgement(
                _word(two / one >= PROCESSES_TIMES), name, "two processes on two cores",
                f"{two / one:.2f} × one ({two} to {one} streams)", f"≥ {PROCESSES_TIMES} × one", "",
            )
