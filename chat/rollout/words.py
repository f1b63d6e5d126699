"""The sentences of a verdict. Every number that decided is in them."""

from __future__ import annotations

from datetime import timedelta

from chat.rollout.evidence import GAP, Seen
from chat.rollout.sequences import is_over, lower_bound, upper_bound
from chat.rollout.slos import ALPHA, FALSE_PROMOTION, Slo, Strikes
from chat.rollout.tallies import Tally
from chat.rollout.watches import Watch


def alarm(slo: Slo, seen: Seen) -> str:
    if isinstance(slo, Strikes):
        return f"{counted(slo, seen.stream)} {_strikes_allowed(slo)}"
    if is_over(seen.stream, slo.limit, slo.prior, ALPHA):
        return f"{standing(slo, seen)} All of it is over the limit."
    return f"{_since(slo, seen.watch)} The limit is {percent(slo.limit)}; {_odds(seen.watch)}"


def standing(slo: Slo, seen: Seen) -> str:
    """Where the objective stands: counts, share, interval, limit."""
    told = counted(slo, seen.stream)
    if isinstance(slo, Strikes):
        return told
    low = lower_bound(seen.stream, slo.prior, ALPHA)
    high = upper_bound(seen.stream, slo.prior, FALSE_PROMOTION)
    return f"{told} The true share lies between {percent(low)} and {percent(high)}; the limit is {percent(slo.limit)}."


def counted(slo: Slo, seen: Tally) -> str:
    return f"{_of(slo, seen)} ({percent(seen.share)})." if seen.bad else f"{_of(slo, seen)}."


def not_under(slo: Slo, seen: Tally) -> str:
    high = upper_bound(seen, slo.prior, FALSE_PROMOTION)
    return f"Not proven yet: {_of(slo, seen)}, which may still be up to {percent(high)}; it must be {_at_most(slo)}."


def not_compared(slo: Slo, ours: Tally, theirs: Tally) -> str:
    return (
        f"Not proven yet to be no worse than the control cohort: {_of(slo, ours)} ({percent(ours.share)}) with "
        f"streaming, {theirs.bad:,} of {theirs.requests:,} ({percent(theirs.share)}) without; up to "
        f"{percent(slo.margin or 0.0)} more would count as no worse."
    )


def struck(slo: Strikes, seen: Tally) -> str:
    return f"{counted(slo, seen)} A stage with such a report is not promoted without a person's look at it."


def doubt(slo: Slo, watch: Watch) -> str:
    return f"Lately it looks worse: {_since(slo, watch)} The limit is {percent(slo.limit)}."


def too_few(slo: Slo, cohort: str, requests: int, least: int) -> str:
    return f"Too few in the {cohort} cohort to tell whether {slo.what}: {requests:,} of at least {least:,}."


def unknown(name: str, known: int, requests: int, least: float) -> str:
    return f"Browsers have {name} {known:,} of {requests:,} answers; at least {percent(least)} must be."


def quiet(passed: timedelta) -> str:
    return f"No request has been heard of for {duration(passed)}."


def gap(passed: timedelta) -> str:
    if passed < timedelta():
        return f"The clock went back by {duration(-passed)}: the waiting time begins anew."
    return f"Nobody looked for {duration(passed)}, and {duration(GAP)} is the most: the waiting time begins anew."


def soaking(left: timedelta, soak: timedelta) -> str:
    return f"A stage is watched for {duration(soak)} without a gap before it grows: {duration(left)} to go."


def percent(share: float) -> str:
    """Two digits that tell something, however small."""
    value = f"{100 * share:.2g}" if share < 0.1 else f"{100 * share:.1f}"
    return f"{float(value):.10f}".rstrip("0").rstrip(".") + " %"


def duration(passed: timedelta) -> str:
    minutes = passed.total_seconds() / 60
    if minutes >= 120:
        return f"{minutes / 60:.1f}".removesuffix(".0") + " hours"
    return "1 minute" if round(minutes) == 1 else f"{minutes:.0f} minutes"


# Internal


def _of(slo: Slo, seen: Tally) -> str:
    return f"{seen.bad:,} of {seen.requests:,} {slo.what}"


def _at_most(slo: Slo) -> str:
    return f"{percent(slo.limit)} at most"


def _since(slo: Slo, watch: Watch) -> str:
    return f"In the last {duration(timedelta(minutes=watch.since_minutes))}, {counted(slo, watch.since)}"


def _odds(watch: Watch) -> str:
    return f"traffic within it looks like this in one stage of {min(10**9, int(watch.fortune())):,} at most."


def _strikes_allowed(slo: Strikes) -> str:
    return f"One in {1 / slo.out:,.0f} is one too many."
