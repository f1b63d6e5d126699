"""K1 to K4 of a span of time, whole or by path, cohort, route, character or kind. Read-only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chat.kpi.definitions import COUNTS, PEOPLE
from chat.kpi.intervals import Estimate, share
from chat.kpi.quantiles import Quantiles, quantiles
from chat.kpi.spans import Span
from chat.models import Trace

#: What one may group by, and the column it is.
DIMENSIONS = {
    "path": "path", "cohort": "cohort", "route": "route_name", "character": "character__slug", "kind": "kind",
    "stage": "stage",
}


@dataclass(frozen=True, slots=True)
class Kpis:
    """`counts` as in definitions.COUNTS; `group` is empty for all sends together."""

    group: Mapping[str, str]
    counts: Mapping[str, int]
    ttft: Quantiles | None = None
    completion: Quantiles | None = None
    #: Of which span; for people.
    span: str = field(default="", compare=False)

    @property
    def failed(self) -> Estimate | None:
        """K3."""
        return share(self.counts["ack_timeout"] + self.counts["backend_failed"], self.counts["sends"])

    @property
    def left_count(self) -> int:
        return self.counts["before_accept"] + self.counts["before_words"]

    @property
    def left_waiting(self) -> Estimate | None:
        """What K4 compares."""
        return share(self.left_count, self.counts["sends"])


def measure(span: Span, by: Sequence[str] = ()) -> list[Kpis]:
    """One for each group that had a send, the largest first; none for a span without sends."""
    rows = Trace.objects.filter(PEOPLE, created_at__gte=span.starts_at, created_at__lt=span.ends_at).order_by()
    columns = [DIMENSIONS[name] for name in by]
    # Without columns `values()` would group by the row itself.
    found = list(rows.values(*columns).annotate(**COUNTS)) if columns else [rows.aggregate(**COUNTS)]
    measured = []
    for row in sorted((row for row in found if row["sends"]), key=lambda row: -int(row["sends"])):
        ours = rows.filter(**{column: row[column] for column in columns})
        measured.append(Kpis(
            group={name: str(row[column]) for name, column in zip(by, columns, strict=True)},
            counts={name: int(row[name]) for name in COUNTS},
            ttft=quantiles(ours, "ttft_ms", row["with_words"]),
            completion=quantiles(ours, "completion_ms", row["completed"]),
            span=str(span),
        ))
    return measured
