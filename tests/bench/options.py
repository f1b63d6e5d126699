"""The bench's command line, as a plan and a list of subjects."""

from __future__ import annotations

import argparse

from tests.bench import __doc__ as WHAT
from tests.bench.durability import Keeps
from tests.bench.plan import Plan
from tests.bench.server import Subject
from tests.bench.tokens import Pace

SECTIONS = ("load", "paths", "slow", "capacity", "overload", "processes", "instrumentation")
#: Postgres, the log of events in Redis, hints, traces: what production has, and what is judged.
EVERYTHING = "everything"
_FIGURES = """
sections:
  load             1, 50, 200, 500 streams; and 50 at twice the pace
  paths            the same answer by socket, as server-sent events, as a completed response
  slow             300 streams of 4 tokens a second for memory, 150 for first words
  capacity         streams a core carries until added token latency p95 > 50 ms or added TTFT p95 > 100 ms
  overload         1.5 and 3 times the capacity, with 80 % of it admitted and a quarter of that waiting
  processes        two processes on two cores against one on one, each core carrying its own load as well
  instrumentation  the same server with and without, side by side

figures:
  TTFT+          added time to first token, ms: (first token's arrival − command sent) − (provider's first token
                 sent − provider's request received). At N=1 from short answers.
  token+         added latency a token, ms: arrival − the moment the provider sent it
  end+           added time to the whole answer, ms, likewise
  CPU µs/token   user and system time of the server process for each token the provider sent
  k-instr/token  thousand instructions a token, where `perf stat` counts them: steadier than microseconds
  x bare, x floor  CPU a token against the references of the same run: instructions if counted, else microseconds
  KiB            resident memory beyond the warm server, each: sockets idle, then streaming
Neither database waits for the disk at a commit (SQLite: WAL, synchronous NORMAL; Postgres: a private one without
fsync); on a disk of yours, add what one flush takes to the TTFT of Postgres.
Every token is checked for order, gaps and repeats, every answer for its content, length and checksum.
"""


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description=WHAT, epilog=_FIGURES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _what_to_run(parser)
    _how_to_run(parser)
    options = parser.parse_args(arguments)
    if options.profile and options.realtime:
        parser.error("--profile with --realtime would only sample the moments in which the load client rests")
    options.databases = options.databases or (["sqlite"] if options.quick else [EVERYTHING])
    options.sections = options.sections or (["load"] if options.quick else list(SECTIONS))
    return options


def _what_to_run(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--quick", action="store_true", help="a smoke run of about a minute and a half: SQLite, 1 and 50 streams")
    add("--sections", nargs="+", default=None, choices=SECTIONS, help="what is measured (all)")
    add("--servers", nargs="+", default=["uvicorn", "daphne"], choices=["daphne", "uvicorn"])
    add("--databases", nargs="+", default=None, choices=[EVERYTHING, "postgres", "sqlite"],
        help="ours with: everything (Postgres and Redis, the default), or one database alone")
    kinds = ["floor", "bare", "soksak"]
    add("--only", nargs="+", default=kinds, choices=kinds, help="leave out some of the subjects")
    add("--durability", action="store_true", help="compare instead: nothing kept, log and checkpoint, Redis gone")
    add("--profile", action="store_true", help="show where the server's time goes at N=50 (py-spy), no figures")
    add("--browser", action="store_true", help="measure the page instead: 200 chunks a second into a long reply")
    add("--write-docs", nargs="?", const="", default=None, metavar="RESULT.json",
        help="measure nothing: docs/PERFORMANCE.md, its plot and its data from this result, or the newest")


def _how_to_run(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--streams", type=int, nargs="+", default=[1, 50, 200, 500], metavar="N", help="in flight (1 50 200 500)")
    add("--rate", type=float, default=50.0, help="tokens a second of a stream (50)")
    add("--fast-rate", type=float, default=100.0, help="the second pace, at 50 streams; 0 leaves it out (100)")
    add("--tokens", type=int, default=200, help="tokens of an answer (200)")
    add("--seconds", type=float, default=5.0, help="how long each cell is measured (5)")
    add("--rounds", type=int, default=2, help="rounds of load, interleaved; those after the first repeat N=50 only (2)")
    add("--memory-streams", type=int, default=300, help="streams for the memory figures; 0 leaves them out (300)")
    add("--probes", type=int, default=5, help="probes of one search for a capacity, at most (5)")
    add("--pairs", type=int, default=8, help="pairs of cells with and without instrumentation, in fours (8)")
    add("--capacity", type=int, default=100, help="streams a core carries, where this run does not measure it (100)")
    add("--realtime", action="store_true",
        help="run before all other processes, readers and model before the rest (SCHED_RR, needs root): steadier")


def plan_of(options: argparse.Namespace) -> Plan:
    pace = Pace(tokens=options.tokens, rate=options.rate, delay_ms=200)
    if options.quick:
        quick = Pace(tokens=50, rate=options.rate, delay_ms=200)
        return Plan(
            streams=(1, 50), pace=quick, fast_rate=0, seconds=3.0, first_seconds=5.0, rounds=1, memory_streams=0,
            probes=3, pairs=1, pair_streams=25, pair_seconds=3.0, capacity=options.capacity, seats=400,
            realtime=options.realtime,
        )
    return Plan(
        streams=tuple(options.streams), pace=pace, fast_rate=options.fast_rate, seconds=options.seconds,
        rounds=options.rounds, memory_streams=options.memory_streams, probes=options.probes, pairs=options.pairs,
        capacity=options.capacity, realtime=options.realtime,
    )


def subjects_of(options: argparse.Namespace) -> list[Subject]:
    subjects = [Subject("floor", "raw")]
    for server in options.servers:
        subjects.append(Subject("bare", server))
        subjects += [ours(server, database) for database in options.databases]
    return [subject for subject in subjects if subject.kind in options.only]


def ours(server: str, database: str) -> Subject:
    if database == EVERYTHING:
        return Subject("soksak", server, "postgres", Keeps.ALL)
    return Subject("soksak", server, database)
