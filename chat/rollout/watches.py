"""The watch for a change: finds a share that has become bad after a long good time, which a sequence from the stage's
begin would take long to notice.

At every minute of a month somebody begins anew to bet against "the share is `limit` or less" with 1/43,200 of the
stake, on each of the alternatives alike. Their money together is one fortune with the start 1 that cannot be expected
to grow while the share is healthy, so that by Ville's inequality it ever reaches 1/α with a chance of at most α, all
starts together: no further correction is due. The sum obeys S ← S x likelihood ratio + new stake, which is the
Shiryaev-Roberts recursion with the stakes as weights: state and cost do not grow with time.

A stake is as large as the time since the last look, and how long that was may have to do with what came in it (a
service in trouble is looked at late). So it bets on what comes next only: nobody bets on what is known already.

After a month the watch begins anew, with the next month's chance of a false rollback: a month on the calendar may
hold parts of two.

Sources: Shin, Ramdas, Rinaldo 2022, arXiv 2203.03532 (e-detectors); Shekhar, Ramdas 2023, arXiv 2309.09111 (a
sequence begun at each step).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from chat.rollout.slos import Slo
from chat.rollout.tallies import NONE, Tally

MONTH_MINUTES = 43_200
#: A fortune that one stops counting at; less money is still a fair game. e^600 is near what a float holds.
ENOUGH, LARGEST_LOG = 1e30, 600.0


@dataclass(slots=True)
class Watch:
    """Of one objective. `spent`: the share of the stake that has been put in. The rest is kept for words only: what
    has come since the share began to look bad, how clearly, and how many minutes ago.
    """

    spent: float = 0.0
    sums: list[float] = field(default_factory=list)
    suspicion: float = 0.0
    since: Tally = NONE
    since_minutes: float = 0.0

    def feed(self, seen: Tally, minutes: float, slo: Slo) -> None:
        """`minutes` since the last time: stakes go by the clock, however often one looks."""
        ratios = likelihood_ratios(seen, slo)
        if self.spent >= 1.0 or not self.sums:
            self.spent, self.sums = 0.0, [0.0] * len(ratios)
        stake = min(1.0 - self.spent, max(0.0, minutes) / MONTH_MINUTES)
        self.spent += stake
        share = stake / len(ratios)
        self.sums = [
            min(ENOUGH, held * math.exp(min(LARGEST_LOG, ratio))) + share
            for held, ratio in zip(self.sums, ratios, strict=True)
        ]
        self._suspect(seen, minutes, ratios[1])

    def fortune(self) -> float:
        """The evidence against "the share is healthy": 1 at the start."""
        return 1.0 - self.spent + sum(self.sums)

    def _suspect(self, seen: Tally, minutes: float, ratio: float) -> None:
        """Page's CUSUM of one alternative tells best since when."""
        self.suspicion = min(ENOUGH, max(0.0, self.suspicion + ratio))
        is_clear = self.suspicion == 0.0
        self.since = NONE if is_clear else self.since + seen
        self.since_minutes = 0.0 if is_clear else self.since_minutes + max(0.0, minutes)


def likelihood_ratios(seen: Tally, slo: Slo) -> list[float]:
    """The logarithm for each alternative, against the limit."""
    if not seen.requests:
        return [0.0] * len(slo.steps)
    good = seen.requests - seen.bad
    return [seen.bad * up + good * down for up, down in slo.steps]
