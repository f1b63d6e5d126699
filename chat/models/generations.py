"""The life of one answer, who owns it, and what its request was measured to take."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Generation(models.Model):
    """One run of a model for one character message.

    `attempt` is the fence: whoever raises it owns the answer, and every write names the attempt it
    belongs to. `checkpoint_text` is the text as of event `checkpoint_seq`, at most about a second old.
    """

    class Status(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        STOPPED = "stopped", _("Stopped")
        INTERRUPTED = "interrupted", _("Interrupted")
        FAILED = "failed", _("Failed")

    class Kind(models.TextChoices):
        REPLY = "reply", _("Reply")
        REGENERATE = "regenerate", _("Regenerate")
        CONTINUE = "continue", _("Continuation")

    message = models.OneToOneField("chat.Message", on_delete=models.CASCADE, primary_key=True)
    room = models.ForeignKey("chat.Room", on_delete=models.CASCADE, related_name="generations")
    #: Found by its requests' constraint: an index of its own would be written at every turn, for nobody.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="generations", db_index=False
    )
    request_id = models.CharField(_("request id"), max_length=64)
    #: CRC-32 of the command's own fields, to tell a repeat from a reuse of its requestId.
    request_digest = models.CharField(max_length=8)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.REPLY)
    path = models.CharField(_("path"), max_length=10)
    #: Of the rollout, as it was when the request was accepted: whoever takes the answer over counts it there.
    cohort = models.CharField(max_length=12, default="", db_default="", blank=True)
    stage = models.PositiveSmallIntegerField(default=0, db_default=0)
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.RUNNING)
    attempt = models.PositiveIntegerField(_("attempt"), default=1)
    owner = models.CharField(_("owner"), max_length=80)
    #: Text the answer began with (continue), as code points at the start of the content.
    prefix_length = models.PositiveIntegerField(_("prefix length"), default=0)
    checkpoint_text = models.TextField(blank=True)
    checkpoint_seq = models.PositiveIntegerField(_("checkpoint seq"), default=0)
    #: Somebody wants it to end there: code points they had seen. Its owner, or the next one, does it.
    stop_length = models.PositiveIntegerField(null=True, blank=True)
    #: seq of the terminal event, once there is one.
    last_seq = models.PositiveIntegerField(_("last seq"), null=True, blank=True)
    route_name = models.CharField(_("route name"), max_length=80, blank=True)
    model = models.CharField(_("model"), max_length=120, blank=True)
    finish_reason = models.CharField(_("finish reason"), max_length=20, blank=True)
    error_code = models.CharField(_("error code"), max_length=40, blank=True)
    prompt_tokens = models.PositiveIntegerField(_("prompt tokens"), null=True, blank=True)
    completion_tokens = models.PositiveIntegerField(_("completion tokens"), null=True, blank=True)
    cached_tokens = models.PositiveIntegerField(_("cached tokens"), null=True, blank=True)
    first_ms = models.FloatField(_("first ms"), null=True, blank=True)
    total_ms = models.FloatField(_("total ms"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("generation")
        verbose_name_plural = _("generations")
        constraints = [
            models.UniqueConstraint(fields=["user", "request_id"], name="one_generation_per_request"),
            models.UniqueConstraint(
                fields=["room"], condition=Q(status="running"), name="one_running_generation_per_room"
            ),
        ]
        indexes = [
            models.Index(fields=["owner"], condition=Q(status="running"), name="running_by_owner"),
            models.Index(fields=["user"], condition=Q(status="running"), name="running_by_user"),
            models.Index(fields=["-created_at"], name="newest_generations"),
        ]

    def __str__(self) -> str:
        return f"{self.request_id}: {self.get_status_display()}"


class ProcessLease(models.Model):
    """A process says it is alive. One lease a process, not one a run."""

    owner = models.CharField(_("owner"), max_length=80, primary_key=True)
    started_at = models.DateTimeField(_("started at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires at"))

    class Meta:
        verbose_name = _("process lease")
        verbose_name_plural = _("process leases")

    def __str__(self) -> str:
        return self.owner


class Trace(models.Model):
    """One row a request: every stage mark, and the figures that chat/figures.py makes of them.

    `marks` are the server's, milliseconds since the command was received; `client_marks` the browser's, since the
    click. A send that the server never accepted has a row too, when its browser tells of it: without `outcome`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request_id = models.CharField(_("request id"), max_length=64)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="traces", db_index=False)
    room = models.ForeignKey("chat.Room", on_delete=models.CASCADE, related_name="traces")
    character = models.ForeignKey(
        "chat.Character", verbose_name=_("character"), on_delete=models.CASCADE, related_name="traces"
    )
    message = models.ForeignKey("chat.Message", null=True, on_delete=models.SET_NULL, related_name="+")
    kind = models.CharField(_("kind"), max_length=10, default="", db_default="", blank=True)
    path = models.CharField(_("path"), max_length=10)
    #: Of the rollout, as it was when the request was accepted.
    cohort = models.CharField(_("cohort"), max_length=12, default="", db_default="", blank=True)
    stage = models.PositiveSmallIntegerField(_("stage"), default=0, db_default=0)
    attempt = models.PositiveIntegerField(_("attempt"), default=1)
    outcome = models.CharField(_("outcome"), max_length=12, blank=True)
    error_code = models.CharField(_("error code"), max_length=40, blank=True)
    route_name = models.CharField(_("route name"), max_length=80, default="", db_default="", blank=True)
    ttft_ms = models.FloatField(_("ttft ms"), null=True, blank=True)
    ttft_source = models.CharField(_("ttft source"), max_length=8, default="", db_default="", blank=True)
    completion_ms = models.FloatField(_("completion ms"), null=True, blank=True)
    failure = models.CharField(_("failure"), max_length=16, default="", db_default="", blank=True)
    abandoned = models.CharField(_("abandoned"), max_length=16, default="", db_default="", blank=True)
    mismatched = models.BooleanField(_("mismatched"), default=False, db_default=False)
    #: How often a reader came back to the answer while it was written, or a moment after.
    resumes = models.PositiveSmallIntegerField(_("resumes"), default=0, db_default=0)
    marks = models.JSONField(default=dict)
    client_marks = models.JSONField(default=dict)
    #: Every request to a provider that this one caused, in the order of asking: streaming/providers/calls.py.
    calls = models.JSONField(default=list, db_default=[])
    created_at = models.DateTimeField(_("created at"), auto_now_add=True, db_index=True)
    #: When it was last written by the server, or by the browser of a send that the server never accepted; by the
    #: database's clock, as whoever counts traces by time must agree with all who write them. Null: before this column.
    settled_at = models.DateTimeField(null=True, editable=False, db_default=Now(), db_index=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("trace")
        verbose_name_plural = _("traces")
        constraints = [
            models.UniqueConstraint(fields=["user", "request_id"], name="one_trace_per_request")
        ]
        indexes = [
            models.Index(fields=["created_at", "path", "cohort"], name="traces_by_time_and_cohort"),
            # One strike and out: the gate asks for them at every look.
            models.Index(fields=["created_at"], condition=Q(mismatched=True), name="mismatched_traces"),
        ]

    def __str__(self) -> str:
        return self.request_id
