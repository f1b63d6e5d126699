"""Deferred work as rows, written in the same transaction as their cause."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class OutboxJob(models.Model):
    """A job is due when `available_at` has come and nobody holds its lease."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Done")
        #: Tried too often; kept for a person to look at and re-run.
        DEAD = "dead", _("Dead")

    kind = models.CharField(_("kind"), max_length=40)
    message = models.ForeignKey("chat.Message", on_delete=models.CASCADE, related_name="jobs")
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    available_at = models.DateTimeField(_("available at"))
    leased_until = models.DateTimeField(_("leased until"), null=True, blank=True)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    class Meta:
        ordering = ["available_at"]
        verbose_name = _("outbox job")
        verbose_name_plural = _("outbox jobs")
        constraints = [models.UniqueConstraint(fields=["kind", "message"], name="one_job_per_kind_and_message")]
        indexes = [models.Index(fields=["available_at"], condition=Q(status="waiting"), name="waiting_jobs")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.get_status_display()}"


class PeriodicJob(models.Model):
    """Work that comes back: due when `next_at` has come and nobody holds its lease. Never given up, only slowed."""

    name = models.CharField(_("name"), max_length=40, primary_key=True)
    next_at = models.DateTimeField(_("next at"))
    leased_until = models.DateTimeField(_("leased until"), null=True, blank=True)
    #: Since it last went well; the fence too, as every claim raises it.
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    last_error = models.TextField(blank=True)
    last_done_at = models.DateTimeField(_("last done at"), null=True, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("periodic job")
        verbose_name_plural = _("periodic jobs")

    def __str__(self) -> str:
        return self.name
