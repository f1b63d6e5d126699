"""The sentences of a verdict. Every number that decided is in them; they can be said in other languages later."""

from __future__ import annotations

from datetime import timedelta

from chat.rollout.evidence import GAP, Seen
from chat.rollout.sequences import is_over, lower_bound, upper_bound
from chat.rollout.slos import ALPHA, FALSE_PROMOTION, Slo, Strikes
from chat.rollout.tallies import Tally
from chat.rollout.watches import Watch
from chat.sayings import N_, Saying, Value


def alarm(slo: Slo, seen: Seen) -> Saying:
    if isinstance(slo, Strikes):
        told = counted(slo, seen.stream)
        return N_("{counted} One in {out:,} is one too many.", counted=told, out=round(1 / slo.out))
    if is_over(seen.stream, slo.limit, slo.prior, ALPHA):
        return N_("{standing} All of it is over the limit.", standing=standing(slo, seen))
    return N_(
        "{since} The limit is {limit}; traffic within it looks like this in one stage of {odds:,} at most.",
        since=_since(slo, seen.watch), limit=percent(slo.limit), odds=min(10**9, int(seen.watch.fortune())),
    )


def standing(slo: Slo, seen: Seen) -> Saying:
    """Where the objective stands: counts, share, interval, limit."""
    told = counted(slo, seen.stream)
    if isinstance(slo, Strikes):
        return told
    return N_(
        "{counted} The true share lies between {low} and {high}; the limit is {limit}.", counted=told,
        low=percent(lower_bound(seen.stream, slo.prior, ALPHA)),
        high=percent(upper_bound(seen.stream, slo.prior, FALSE_PROMOTION)), limit=percent(slo.limit),
    )


def counted(slo: Slo, seen: Tally) -> Saying:
    counts: dict[str, Value] = {"bad": seen.bad, "requests": seen.requests, "what": slo.what}
    if seen.bad:
        return N_("{bad:,} of {requests:,} {what} ({share}).", **counts, share=percent(seen.share))
    return N_("{bad:,} of {requests:,} {what}.", **counts)


def not_under(slo: Slo, seen: Tally) -> Saying:
    return N_(
        "Not proven yet: {some}, which may still be up to {high}; it must be {limit} at most.", some=_of(slo, seen),
        high=percent(upper_bound(seen, slo.prior, FALSE_PROMOTION)), limit=percent(slo.limit),
    )


def not_compared(slo: Slo, ours: Tally, theirs: Tally) -> Saying:
    return N_(
        "Not proven yet to be no worse than the control cohort: {some} ({share}) with streaming, {bad:,} of "
        "{requests:,} ({their_share}) without; up to {margin} more would count as no worse.",
        some=_of(slo, ours), share=percent(ours.share), bad=theirs.bad, requests=theirs.requests,
        their_share=percent(theirs.share), margin=percent(slo.margin or 0.0),
    )


def struck(slo: Strikes, seen: Tally) -> Saying:
    return N_(
        "{counted} A stage with such a report is not promoted without a person's look at it.",
        counted=counted(slo, seen),
    )


def doubt(slo: Slo, watch: Watch) -> Saying:
    return N_(
        "Lately it looks worse: {since} The limit is {limit}.", since=_since(slo, watch), limit=percent(slo.limit)
    )


def too_few(slo: Slo, cohort: Saying, requests: int, least: int) -> Saying:
    return N_(
        "Too few in the {cohort} cohort to tell whether {what}: {requests:,} of at least {least:,}.",
        cohort=cohort, what=slo.what, requests=requests, least=least,
    )


def unknown(name: Saying, known: int, requests: int, least: float) -> Saying:
    return N_(
        "Browsers have {name} {known:,} of {requests:,} answers; at least {least} must be.",
        name=name, known=known, requests=requests, least=percent(least),
    )


def quiet(passed: timedelta) -> Saying:
    return N_("No request has been heard of for {passed}.", passed=duration(passed))


def gap(passed: timedelta) -> Saying:
    if passed < timedelta():
        return N_("The clock went back by {passed}: the waiting time begins anew.", passed=duration(-passed))
    return N_(
        "Nobody looked for {passed}, and {most} is the most: the waiting time begins anew.",
        passed=duration(passed), most=duration(GAP),
    )


def soaking(left: timedelta, soak: timedelta) -> Saying:
    return N_(
        "A stage is watched for {soak} without a gap before it grows: {left} to go.",
        soak=duration(soak), left=duration(left),
    )


def percent(share: float) -> str:
    """Two digits that tell something, however small."""
    value = f"{100 * share:.2g}" if share < 0.1 else f"{100 * share:.1f}"
    return f"{float(value):.10f}".rstrip("0").rstrip(".") + " %"


def duration(passed: timedelta) -> Saying:
    minutes = passed.total_seconds() / 60
    if minutes >= 120:
        return N_("{hours} hours", hours=f"{minutes / 60:.1f}".removesuffix(".0"))
    return N_("1 minute") if round(minutes) == 1 else N_("{minutes} minutes", minutes=f"{minutes:.0f}")


# Internal


def _of(slo: Slo, seen: Tally) -> Saying:
    return N_("{bad:,} of {requests:,} {what}", bad=seen.bad, requests=seen.requests, what=slo.what)


def _since(slo: Slo, watch: Watch) -> Saying:
    return N_(
        "In the last {passed}, {counted}", passed=duration(timedelta(minutes=watch.since_minutes)),
        counted=counted(slo, watch.since),
    )
