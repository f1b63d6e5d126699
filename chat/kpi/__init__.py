"""What the service promises, measured: K1 to K4, exactly, from the traces."""

from __future__ import annotations

from chat.kpi.measure import DIMENSIONS, Kpis, measure
from chat.kpi.quantiles import Quantiles
from chat.kpi.spans import Span, days, weeks

__all__ = ["DIMENSIONS", "Kpis", "Quantiles", "Span", "days", "measure", "weeks"]
