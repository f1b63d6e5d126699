"""K4: how much less often those leave who are streamed to than those who wait for the whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chat.kpi.definitions import ABANDONED_LESS_LEAST, CONTROL, STREAMED
from chat.kpi.intervals import Estimate, difference, reduction
from chat.kpi.measure import Kpis


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of the share that left while waiting: (left, sends) of each cohort, their difference, and the part saved."""

    streamed: tuple[int, int]
    control: tuple[int, int]
    difference: Estimate
    less: Estimate

    @property
    def verdict(self) -> str:
        """`met` and `missed` only where the interval says so too."""
        if self.less.low >= ABANDONED_LESS_LEAST:
            return "met"
        return "missed" if self.less.high < ABANDONED_LESS_LEAST else "open"


def compare(cohorts: Iterable[Kpis]) -> Comparison | None:
    """Of Kpis by cohort. None: one of the two had no sends, so there is nothing to compare."""
    by_name = {kpis.group.get("cohort"): kpis for kpis in cohorts}
    streamed, control = by_name.get(STREAMED), by_name.get(CONTROL)
    if streamed is None or control is None:
        return None
    cells = (streamed.left_count, streamed.counts["sends"], control.left_count, control.counts["sends"])
    less, apart = reduction(*cells), difference(*cells)
    if less is None or apart is None:
        return None
    return Comparison((cells[0], cells[1]), (cells[2], cells[3]), apart, less)
