"""How far streaming has been rolled out, and every decision about it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class RolloutState(models.Model):
    """One row, or none: then everybody is streamed to. `version` is the fence: who names it changes what they saw."""

    stage = models.PositiveSmallIntegerField()
    #: Of those whom the stage is for: chat/stages/cohorts.py.
    percent = models.PositiveSmallIntegerField()
    salt = models.CharField(max_length=32)
    #: Evidence before this is of another stage.
    since = models.DateTimeField()
    is_held = models.BooleanField(default=False)
    #: The gate may promote by itself. It may always roll back.
    is_auto = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    #: The gate's own: what it has counted, how often it looked, and its last verdict. It fences them by `looks`.
    looks = models.PositiveIntegerField(default=0)
    looked_at = models.DateTimeField(null=True, blank=True)
    evidence = models.JSONField(default=dict)
    verdict = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "rollout"
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="one_rollout"),
            models.CheckConstraint(condition=Q(stage__lte=4), name="rollout_stage_0_to_4"),
            models.CheckConstraint(condition=Q(percent__lte=100), name="rollout_percent_0_to_100"),
        ]

    def __str__(self) -> str:
        return f"stage {self.stage}, {self.percent} %"


class RolloutDecision(models.Model):
    """Who did what, when and why, with what the evidence was then. Never changed."""

    at = models.DateTimeField(auto_now_add=True)
    who = models.CharField(max_length=150)
    action = models.CharField(max_length=10)
    from_stage = models.PositiveSmallIntegerField()
    to_stage = models.PositiveSmallIntegerField()
    percent = models.PositiveSmallIntegerField()
    why = models.TextField()
    evidence = models.JSONField(default=list)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.action}: {self.from_stage} → {self.to_stage}"
