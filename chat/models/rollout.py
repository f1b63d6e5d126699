"""How far streaming has been rolled out, as a flag of the flag library, and every decision about it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from waffle.models import AbstractUserFlag

from chat.sayings import kept

#: The flag's name; the admin's kill switch has the same.
NAME = "chat_streaming"


class RolloutState(AbstractUserFlag):
    """WAFFLE_FLAG_MODEL: its one row, or none, and then everybody is streamed to.

    waffle draws by cookie, which a socket does not have on every way in and a second browser does not share. Here the
    user's number decides: `is_active_for_user` needs no request. `version` is the fence: who names it changes what
    they saw. It moves by chat/stages/changes.py alone, so that each move leaves its decision.
    """

    # Of waffle's own, what would decide otherwise than by stage and share. It insists on `users` and `groups`: they
    # are there, and empty.
    everyone = testing = superusers = staff = authenticated = languages = rollout = None  # type: ignore[assignment]

    name = models.CharField(max_length=100, unique=True, default=NAME, editable=False)
    stage = models.PositiveSmallIntegerField(_("stage"), default=4)
    #: Of those whom the stage is for: chat/stages/cohorts.py.
    percent = models.PositiveSmallIntegerField(_("per cent"), default=100)  # type: ignore[assignment]
    salt = models.CharField(max_length=32, default="")
    #: Evidence before this is of another stage.
    since = models.DateTimeField(_("since"))
    is_held = models.BooleanField(_("held"), default=False)
    #: The gate may promote by itself. It may always roll back.
    is_auto = models.BooleanField(_("the gate promotes by itself"), default=False)
    version = models.PositiveIntegerField(default=1)
    #: The gate's own: what it has counted, and how often it looked, which fences it.
    looks = models.PositiveIntegerField(default=0)
    looked_at = models.DateTimeField(_("looked at"), null=True, blank=True)
    evidence = models.JSONField(default=dict)

    objects: ClassVar[models.Manager[RolloutState]] = models.Manager()  # type: ignore[assignment]

    class Meta(AbstractUserFlag.Meta):
        abstract = False
        verbose_name = _("rollout flag")
        verbose_name_plural = _("rollout flag")
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="one_rollout"),
            models.CheckConstraint(condition=Q(stage__lte=4), name="rollout_stage_0_to_4"),
            models.CheckConstraint(condition=Q(percent__lte=100), name="rollout_percent_0_to_100"),
        ]

    def __str__(self) -> str:
        return gettext("stage {stage}, {percent} %").format(stage=self.stage, percent=self.percent)

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("The rollout is moved by `manage.py rollout` or in the admin; each move says who and why.")
        super().save(*args, **kwargs)

    def is_active_for_user(self, user: Any) -> bool:
        """Of this flag alone; the kill switches are above it: streaming/rollout.py."""
        from chat.stages.cohorts import cohort_of

        if self.name != NAME or user.pk is None:
            return False
        return cohort_of(self.stage, self.percent, self.salt, user.pk, is_staff=user.is_staff) == "stream"

    def is_active(self, request: HttpRequest, read_only: bool = False) -> bool:
        return self.is_active_for_user(request.user)


class RolloutDecision(models.Model):
    """Who did what, when and why, with what the evidence was then. Never changed."""

    class Action(models.TextChoices):
        PROMOTE = "promote", _("promote")
        HOLD = "hold", _("hold")
        RELEASE = "release", _("release")
        ROLLBACK = "rollback", _("rollback")

    at = models.DateTimeField(_("at"), auto_now_add=True)
    who = models.CharField(_("who"), max_length=150)
    action = models.CharField(_("action"), max_length=10, choices=Action)
    from_stage = models.PositiveSmallIntegerField(_("from stage"))
    to_stage = models.PositiveSmallIntegerField(_("to stage"))
    percent = models.PositiveSmallIntegerField(_("per cent"))
    why = models.TextField(_("why"))
    #: Sentences, as chat/sayings.py keeps them.
    evidence = models.JSONField(_("evidence"), default=list)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("rollout decision")
        verbose_name_plural = _("rollout history")

    def __str__(self) -> str:
        return f"{self.get_action_display()}: {self.from_stage} → {self.to_stage}"

    @property
    def reason(self) -> str:
        """A person's own words, or the gate's first sentence, which can be said in any language."""
        return kept(self.evidence[0]) if self.evidence else self.why
