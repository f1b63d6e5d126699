"""What stands between a stage and its promotion: data that is not there, and what the data does not show yet."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from chat.rollout import words
from chat.rollout.differences import is_not_worse
from chat.rollout.evidence import GAP, Evidence, Seen
from chat.rollout.sequences import is_under
from chat.rollout.slos import FALSE_PROMOTION, SLOS, Slo, Strikes
from chat.sayings import N_, Saying

#: From here a share looks bad enough lately not to promote: twice the limit is 20 times as likely as the limit. That
#: proves nothing, since the time was chosen for its looks; a needless wait costs little.
DOUBT = math.log(20.0)


@dataclass(frozen=True, slots=True)
class Rules:
    """`soak`: watched without a gap for so long, a whole day of the users' life. `quiet`: without a request for so
    long one hears nothing. `known`: of all answers, the share that browsers must have timed and checked. `is_last`:
    no stage comes after this one, and nobody is left to compare with.
    """

    soak: timedelta = timedelta(hours=24)
    quiet: timedelta = timedelta(minutes=15)
    least_requests: int = 1000
    known: float = 0.5
    is_last: bool = False


def missing(evidence: Evidence, now: datetime, rules: Rules) -> Iterator[Saying]:
    yield from _unheard(evidence, now, rules)
    for slo in SLOS:
        yield from _too_few(slo, evidence.seen[slo.key], rules)
    for name, known in ((N_("timed"), evidence.timed), (N_("checked"), evidence.checked)):
        if known < rules.known * evidence.requests:
            yield words.unknown(name, known, evidence.requests, rules.known)


def unproven(evidence: Evidence, now: datetime, rules: Rules) -> Iterator[Saying]:
    if rules.is_last:
        yield N_("This is the last stage: there is nothing to promote to.")
    soaked = now - evidence.watched_since
    if soaked < rules.soak:
        yield words.soaking(rules.soak - soaked, rules.soak)
    for slo in SLOS:
        yield from _doubts(slo, evidence.seen[slo.key], rules)


# Internal


def _unheard(evidence: Evidence, now: datetime, rules: Rules) -> Iterator[Saying]:
    if not timedelta() <= now - evidence.looked <= GAP:
        yield words.gap(now - evidence.looked)
    elif evidence.watched_since == evidence.looked != evidence.began:
        yield words.gap(evidence.last_gap)
    if evidence.last_request is None:
        yield N_("No request has been streamed in this stage.")
    elif now - evidence.last_request > rules.quiet:
        yield words.quiet(now - evidence.last_request)


def _too_few(slo: Slo, seen: Seen, rules: Rules) -> Iterator[Saying]:
    if seen.stream.requests < rules.least_requests:
        yield words.too_few(slo, N_("streaming"), seen.stream.requests, rules.least_requests)
    if slo.margin is not None and not rules.is_last and seen.control.requests < rules.least_requests:
        yield words.too_few(slo, N_("control"), seen.control.requests, rules.least_requests)


def _doubts(slo: Slo, seen: Seen, rules: Rules) -> Iterator[Saying]:
    if isinstance(slo, Strikes):
        if seen.stream.bad:
            yield words.struck(slo, seen.stream)
    elif not is_under(seen.stream, slo.limit, slo.prior, FALSE_PROMOTION):
        yield words.not_under(slo, seen.stream)
    if seen.watch.suspicion >= DOUBT:
        yield words.doubt(slo, seen.watch)
    if slo.margin is None or rules.is_last:
        return
    if not is_not_worse(seen.stream, seen.control, slo.margin, slo.prior, FALSE_PROMOTION):
        yield words.not_compared(slo, seen.stream, seen.control)
