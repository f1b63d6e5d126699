"""What a day or a week came to, kept so that looking at it costs nothing and outlives its traces."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class KpiRollup(models.Model):
    """Of all sends (`by` empty), or of one group: `by` path, cohort or route, and which one.

    A day also has what racing came to (`by` hedging) and its slowest requests (`by` slowest).
    """

    class Period(models.TextChoices):
        DAY = "day", _("day")
        WEEK = "week", _("week")

    period = models.CharField(_("period"), max_length=4, choices=Period)
    starts_on = models.DateField(_("starts on"))
    by = models.CharField(_("by"), max_length=10, blank=True)
    value = models.CharField(_("value"), max_length=80, blank=True)
    #: Of a group as chat/kpi/report.py's `plain`; empty where nothing was sent.
    figures = models.JSONField(_("figures"), default=dict)
    made_at = models.DateTimeField(_("made at"))

    class Meta:
        ordering = ["-starts_on"]
        verbose_name = "KPI"
        verbose_name_plural = _("KPI dashboard")
        constraints = [
            models.UniqueConstraint(fields=["period", "starts_on", "by", "value"], name="one_rollup_a_group")
        ]

    def __str__(self) -> str:
        return f"{self.starts_on}, {self.get_period_display()} {self.value}".strip()
