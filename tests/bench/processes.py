"""Whether two processes on two cores carry twice what one carries on one.

The load needs a core too, and there may be two in all. So everything that one process needs, its readers and its model
included, shares that process's core; then there are two of each, a core for each pair. Postgres and Redis, the
site's only ones, have the same cores as the processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from tests.bench.capacity import PACE, SECONDS, carries
from tests.bench.client import Seen
from tests.bench.databases import Prepared, prepared
from tests.bench.durability import store_of
from tests.bench.measure import BenchError, listener, move
from tests.bench.plan import WARM_SEATS, Cell, Job, Loader, Provider
from tests.bench.rounds import WARM, Bench, Served
from tests.bench.search import largest
from tests.bench.server import Subject, serve

SEATS = 600
START = 160
#: What the two are asked to carry, in turn, as times what the one did.
TIMES = (1.25, 1.5, 1.7, 1.85, 2.0)


@dataclass(frozen=True)
class Side:
    """One process with its readers and its model."""

    loader: Loader
    provider: Provider
    served: Served


def processes(bench: Bench, subjects: list[Subject]) -> None:
    """Of the first server only: what two processes have to do with each other is the same code on the other."""
    sharing = [one for one in subjects if one.kind == "soksak" and one.database == "postgres" and one.keeps]
    for subject in sharing[:1]:
        bench.guarded(subject, partial(_compare, bench), f"two processes of {subject.name}")


def _compare(bench: Bench, subject: Subject) -> None:
    cores = [core for core in (bench.cores.server, bench.cores.load) if core is not None]
    if len(cores) < 2:
        raise BenchError("It takes two cores.")
    with _site(bench, subject, cores) as (providers, database):
        with _sides(bench, subject, cores[:1], providers, database) as sides:
            one = largest(
                lambda streams: carries(_cell(bench, subject, sides, streams)),
                start=START, most=SEATS // 2, probes=bench.plan.probes,
            )
        if not one:
            raise BenchError("One process carried nothing within the limits.")
        with _sides(bench, subject, cores, providers, database) as sides:
            for times in TIMES:
                if not carries(_cell(bench, subject, sides, round(one * times / 2) * 2)):
                    break


@contextmanager
def _site(bench: Bench, subject: Subject, cores: list[int]) -> Iterator[tuple[list[Provider], Prepared]]:
    """A model for each core, and a database whose rooms know theirs."""
    realtime = bench.plan.realtime
    with ExitStack() as stack:
        providers = [Provider(core=core, realtime=realtime) for core in cores]
        for provider in providers:
            stack.callback(provider.stop)
        database = stack.enter_context(prepared(
            subject.database, bench.directory / "processes", seats=SEATS, realtime=realtime,
            provider_urls=[provider.url for provider in providers],
        ))
        yield providers, database


@contextmanager
def _sides(
    bench: Bench, subject: Subject, cores: list[int], providers: list[Provider], database: Prepared
) -> Iterator[list[Side]]:
    realtime = bench.plan.realtime
    environment = database.environment()
    slug = f"{subject.name.replace(' ', '-')}-{len(cores)}"
    with ExitStack() as stack:
        store = stack.enter_context(store_of(subject, bench.directory / slug, realtime=realtime))
        for port in (urlsplit(environment["DATABASE_URL"]).port, store.port):
            move(listener(port), set(cores))
        sides = []
        for number, core in enumerate(cores):
            running = stack.enter_context(serve(
                subject, environment={**environment, **store.environment}, core=core, realtime=realtime,
                log=bench.logs / f"{slug}-{number}.log",
            ))
            loader = Loader(running, core, realtime, bench.count_instructions)
            served = Served(subject, running, database.seats[number :: len(providers)])
            sides.append(Side(loader, providers[number], served))
        for side in sides:
            side.loader.run(side.served.take(WARM_SEATS), WARM)
        yield sides


def _cell(bench: Bench, subject: Subject, sides: Sequence[Side], streams: int) -> Cell:
    """All sides at once, `streams` in all."""
    job = Job("processes", PACE, SECONDS, reports=subject.is_reported_to)
    for side in sides:
        side.provider.late_p99_ms()
    with ThreadPoolExecutor(len(sides)) as pool:
        each = streams // len(sides)
        seen = list(pool.map(lambda side: side.loader.run(side.served.take(each), job), sides))
    cell = Cell(
        subject=subject.name, kind=subject.kind, server=subject.server, database=subject.database, what=job.what,
        streams=streams, round=0, late_p99_ms=max(side.provider.late_p99_ms() for side in sides),
        seen=together(seen), processes=len(sides),
    )
    bench.keep(cell)
    return cell


def together(seen: Sequence[Seen]) -> Seen:
    """As one: what can be counted is added up, of times the worst side's stand."""
    def total(name: str) -> int:
        return sum(getattr(one, name) for one in seen)

    def worst(name: str) -> tuple[float, ...]:
        return tuple(max(column) for column in zip(*(getattr(one, name) for one in seen), strict=True))

    first = seen[0]
    counted = [one.instructions for one in seen if one.instructions is not None]
    faults: dict[str, int] = {}
    for one in seen:
        for name, count in one.faults.items():
            faults[name] = faults.get(name, 0) + count
    return Seen(
        tokens=total("tokens"), frames=total("frames"), turns=total("turns"), seconds=first.seconds,
        cpu_seconds=sum(one.cpu_seconds for one in seen), client_cpu_seconds=sum(o.client_cpu_seconds for o in seen),
        instructions=sum(counted) if len(counted) == len(seen) else None, first_count=total("first_count"),
        first_ms=worst("first_ms"),  # type: ignore[arg-type]
        token_ms=worst("token_ms"),  # type: ignore[arg-type]
        end_ms=worst("end_ms"),  # type: ignore[arg-type]
        rss_base_kib=total("rss_base_kib"), rss_idle_kib=total("rss_idle_kib"), rss_busy_kib=total("rss_busy_kib"),
        faults=faults,
    )


def carried(cells: Sequence[Cell], subject: str, number: int) -> int:
    """Streams that so many processes of it carried within the limits."""
    passed = [
        cell.streams for cell in cells
        if cell.what == "processes" and cell.subject == subject and cell.processes == number and carries(cell)
    ]
    return max(passed, default=0)
