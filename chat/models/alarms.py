"""Alarms: each incident once, and what was told of it to whom."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext

from chat.sayings import kept, say


class AlarmIncident(models.Model):
    """From the moment a rule was broken until it held again for a while."""

    rule = models.CharField(max_length=40)
    #: In English; `saying` is the same as chat/sayings.py keeps it.
    text = models.TextField()
    saying = models.JSONField(default=dict)
    value = models.FloatField()
    limit = models.FloatField()
    worst = models.FloatField()
    #: Looks in a row at which the rule held.
    calm_looks = models.PositiveSmallIntegerField(default=0)
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["rule"], condition=Q(closed_at=None), name="one_open_incident_a_rule")
        ]

    def __str__(self) -> str:
        return f"{self.rule} since {self.opened_at:%Y-%m-%d %H:%M}"

    @property
    def in_words(self) -> str:
        """In the reader's language."""
        return say(kept(self.saying), gettext) if self.saying else self.text


class AlarmNotice(models.Model):
    """One message to one receiver: sent until it is delivered, and seen until then."""

    incident = models.ForeignKey(AlarmIncident, on_delete=models.CASCADE, related_name="notices")
    is_recovery = models.BooleanField()
    #: An address, or `webhook`; the webhook's URL is a secret and stays in the environment.
    receiver = models.CharField(max_length=254)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "is_recovery", "receiver"], name="one_notice_a_receiver")
        ]

    def __str__(self) -> str:
        return f"{'recovery' if self.is_recovery else 'alarm'} to {self.receiver}"
