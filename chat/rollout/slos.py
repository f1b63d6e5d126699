"""What the gate promises: each objective a share of bad ones with its limit, and the chance it may be wrong with.

The chance of a false rollback is counted, not hoped for: `FALSE_ROLLBACK` a month of a rollout is split evenly over
the stages it may begin, the objectives, and the two ways in which each can be found out (the stage as a whole, and
the watch for a change). Errors of several sequences add at most, whatever their dependence (Bonferroni).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from chat.sayings import N_, Saying

FALSE_ROLLBACK = 0.05
#: Of a version that is over one limit, while it is in a stage. It needs no split: that one limit must be missed.
FALSE_PROMOTION = 0.05
STAGES_A_MONTH = 4


@dataclass(frozen=True)
class Slo:
    """`limit` is the largest healthy share; `what` completes "N of M …"; `margin` is how much worse than the control
    cohort is still "not worse", as a share; None: the control cohort cannot tell.
    """

    key: str
    what: Saying
    limit: float
    margin: float | None = None

    @property
    def prior(self) -> float:
        """b of the Beta(1, b) that sequences bet with: shares about three times the limit are expected when bad."""
        return 1.0 / (3.0 * self.limit)

    @property
    def alternatives(self) -> tuple[float, ...]:
        """The shares that the watch for a change bets on."""
        return tuple(min(0.9, times * self.limit) for times in (1.5, 2.0, 3.0, 5.0, 10.0))

    @cached_property
    def steps(self) -> list[tuple[float, float]]:
        """What a bad request and a good one add to the logarithm of each alternative's ratio to the limit."""
        limit = self.limit
        return [(math.log(q / limit), math.log1p(-q) - math.log1p(-limit)) for q in self.alternatives]


#: p95 ≤ T is the same as: at most 5 % later than T. No first words by T is later than T, also of who left or failed.
FIRST_WORDS = Slo("ttft", N_("sends showed their first words later than 1.5 s, or never"), 0.05, 0.025)
COMPLETION = Slo("completion", N_("answers were complete later than 8 s"), 0.05, 0.025)
FAILURES = Slo("failures", N_("sends failed"), 0.01, 0.005)
#: Half of what may fail altogether.
ACK_TIMEOUTS = Slo("ack_timeouts", N_("sends were not acknowledged in time"), 0.005, 0.0025)
PROPORTIONS = (FIRST_WORDS, COMPLETION, FAILURES, ACK_TIMEOUTS)


@dataclass(frozen=True)
class Strikes(Slo):
    """Lost or doubled answers, as browsers report them: here `limit` is what may be reported falsely, and `out` the
    observed share at which one rolls back, which makes the first report within 1 / `out` answers one strike and out.
    """

    out: float = 1e-4

    @property
    def alternatives(self) -> tuple[float, ...]:
        return (self.out, 10 * self.out, 100 * self.out)


#: One in ten million. The promise itself is none.
LOST = Strikes("lost", N_("answers arrived with a part lost or doubled"), 1e-7)
#: In the order in which they are told: what failed comes before what follows from it.
SLOS: tuple[Slo, ...] = (LOST, FAILURES, ACK_TIMEOUTS, FIRST_WORDS, COMPLETION)

#: For each way of finding one objective out in one stage: 1 / 800.
ALPHA = FALSE_ROLLBACK / (STAGES_A_MONTH * len(SLOS) * 2)
