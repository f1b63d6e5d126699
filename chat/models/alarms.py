"""Alarms: each incident once, and what was told of it to whom."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chat.sayings import kept, say


class AlarmIncident(models.Model):
    """From the moment a rule was broken until it held again for a while."""

    rule = models.CharField(_("rule"), max_length=40)
    #: In English; `saying` is the same as chat/sayings.py keeps it.
    text = models.TextField(_("text"))
    saying = models.JSONField(null=True)
    value = models.FloatField(_("value"))
    limit = models.FloatField(_("limit"))
    worst = models.FloatField(_("worst"))
    #: Looks in a row at which the rule held.
    calm_looks = models.PositiveSmallIntegerField(_("calm looks"), default=0)
    opened_at = models.DateTimeField(_("opened at"), auto_now_add=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("alarm incident")
        verbose_name_plural = _("alarm incidents")
        constraints = [
            models.UniqueConstraint(fields=["rule"], condition=Q(closed_at=None), name="one_open_incident_a_rule")
        ]

    def __str__(self) -> str:
        return gettext("{rule} since {when}").format(rule=self.rule, when=f"{self.opened_at:%Y-%m-%d %H:%M}")

    @property
    def in_words(self) -> str:
        """In the reader's language."""
        return say(kept(self.saying), gettext) if self.saying else self.text


class AlarmNotice(models.Model):
    """One message to one receiver: sent until it is delivered, and seen until then."""

    incident = models.ForeignKey(
        AlarmIncident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="notices"
    )
    is_recovery = models.BooleanField(_("is recovery"))
    #: An address, or `webhook`; the webhook's URL is a secret and stays in the environment.
    receiver = models.CharField(_("receiver"), max_length=254)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_at = models.DateTimeField(_("next at"))
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)
    last_error = models.TextField(_("last error"), blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("alarm notice")
        verbose_name_plural = _("alarm notices")
        constraints = [
            models.UniqueConstraint(fields=["incident", "is_recovery", "receiver"], name="one_notice_a_receiver")
        ]

    def __str__(self) -> str:
        said = gettext("recovery to {receiver}") if self.is_recovery else gettext("alarm to {receiver}")
        return said.format(receiver=self.receiver)
