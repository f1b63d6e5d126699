"""What a load test found, and K1 to K3 of it: the definitions, limits and intervals are those of chat/kpi."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from chat.kpi.definitions import COMPLETION_LIMIT_MS, COUNTS, TTFT_LIMIT_MS
from chat.kpi.measure import Kpis
from chat.kpi.quantiles import Quantiles, quantiles_of
from streaming.loadtest.sends import Send
from streaming.loadtest.tab import Tab


@dataclass(slots=True)
class Findings:
    """`unfinished` sends were cut off while they were answered; they are in no figure."""

    sends: list[Send] = field(default_factory=list)
    unfinished: int = 0
    seconds: float = 0.0
    guests: int = 0
    rooms: list[UUID] = field(default_factory=list)
    closes: Counter[int] = field(default_factory=Counter)
    resumed: int = 0
    troubles: Counter[str] = field(default_factory=Counter)
    lags_ms: list[float] = field(default_factory=list)

    def sockets(self, tabs: Iterable[Tab | None]) -> None:
        for tab in tabs:
            if tab is not None:
                self.closes += tab.closes
                self.resumed += tab.resumed

    @property
    def counted(self) -> list[Send]:
        """What was refused for a reason of the sender's is no send."""
        return [send for send in self.sends if send.outcome != "refused"]

    @property
    def refusals(self) -> Counter[str]:
        return Counter(send.code for send in self.sends if send.outcome == "refused")

    @property
    def failures(self) -> Counter[str]:
        """By code; those of ack timeouts whose answer came all the same have none."""
        return Counter(send.code or "ack_timeout" for send in self.counted if send.failure)

    @property
    def verified(self) -> int:
        return sum(send.is_verified for send in self.sends)

    @property
    def mismatched(self) -> int:
        return sum(send.is_mismatched for send in self.sends)

    @property
    def acknowledged(self) -> Quantiles | None:
        return quantiles_of(send.marks["accepted"] for send in self.counted if "accepted" in send.marks)

    @property
    def lag(self) -> Quantiles | None:
        return quantiles_of(self.lags_ms)

    def kpis(self) -> Kpis | None:
        """None: nothing was sent."""
        return _kpis("", self.counted)

    def by_path(self) -> list[Kpis]:
        paths = Counter(send.path for send in self.counted)
        found = (_kpis(path, [send for send in self.counted if send.path == path]) for path, _ in paths.most_common())
        return [kpis for kpis in found if kpis]


def _kpis(path: str, sends: list[Send]) -> Kpis | None:
    if not sends:
        return None
    words = [ms for send in sends if (ms := send.first_words_ms) is not None]
    ends = [ms for send in sends if (ms := send.completion_ms) is not None]
    failures = Counter(send.failure for send in sends)
    counts = dict.fromkeys(COUNTS, 0) | {
        "sends": len(sends), "with_words": len(words), "words_seen_by_browser": len(words),
        "words_late": sum(ms > TTFT_LIMIT_MS for ms in words),
        "completed": len(ends), "completed_late": sum(ms > COMPLETION_LIMIT_MS for ms in ends),
        "ack_timeout": failures["ack_timeout"], "backend_failed": failures["backend_failed"],
        "mismatched": sum(send.is_mismatched for send in sends),
        "fallbacks": sum(send.path == "fallback" for send in sends),
    }
    return Kpis({"path": path} if path else {}, counts, quantiles_of(words), quantiles_of(ends))
