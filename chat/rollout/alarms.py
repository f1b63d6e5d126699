"""Which objective has been found out: the rules by which a stage rolls back. Cheap; asked at every look."""

from __future__ import annotations

from chat.rollout.evidence import Evidence, Seen
from chat.rollout.sequences import is_over
from chat.rollout.slos import ALPHA, SLOS, Slo, Strikes


def alarmed(evidence: Evidence) -> list[Slo]:
    return [slo for slo in SLOS if is_alarmed(slo, evidence.seen[slo.key])]


def is_alarmed(slo: Slo, seen: Seen) -> bool:
    return is_over_as_a_whole(slo, seen) or has_changed(seen)


def is_over_as_a_whole(slo: Slo, seen: Seen) -> bool:
    if isinstance(slo, Strikes):
        return is_struck_out(slo, seen)
    return is_over(seen.stream, slo.limit, slo.prior, ALPHA)


def has_changed(seen: Seen) -> bool:
    return seen.watch.fortune() >= 1 / ALPHA


def is_struck_out(slo: Strikes, seen: Seen) -> bool:
    """As soon as the observed share is `out` or more.

    Of independent reports, each with a chance of `limit` at most, the observed share ever reaches `out` with a chance
    of at most limit / out: it is a martingale backwards in time (Doob), and fewer reports only help. No mixture lets
    one report count for as long.
    """
    return seen.stream.bad > 0 and seen.stream.share >= slo.out
