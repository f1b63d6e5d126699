"""One durable utterance. Variants of an answer share `reply_to` and `position`; one is selected."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Message(models.Model):
    """One messageId is one generation, never reused. `tokens` is counted when the text is written."""

    class Role(models.TextChoices):
        USER = "user", _("User")
        CHARACTER = "character", _("Character")

    class Status(models.TextChoices):
        #: Being written; the text so far is the generation's checkpoint.
        WRITING = "writing", _("Writing")
        COMPLETE = "complete", _("Complete")
        #: The reader stopped it; the text is what the reader had seen.
        STOPPED = "stopped", _("Stopped")
        #: It ended midway and could not be continued; the text so far is kept.
        INTERRUPTED = "interrupted", _("Interrupted")
        #: It ended before any text.
        FAILED = "failed", _("Failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    #: Found by its position in the room, as all who look for it do.
    room = models.ForeignKey("chat.Room", on_delete=models.CASCADE, related_name="messages", db_index=False)
    role = models.CharField(_("role"), max_length=10, choices=Role)
    reply_to = models.ForeignKey(
        "self", verbose_name=_("reply to"), null=True, blank=True, on_delete=models.CASCADE, related_name="replies"
    )
    position = models.PositiveIntegerField(_("position"))
    content = models.TextField(blank=True)
    tokens = models.PositiveIntegerField(_("tokens"), default=0)
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.COMPLETE)
    selected = models.BooleanField(_("selected"), default=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    edited_at = models.DateTimeField(_("edited at"), null=True, blank=True)
    #: Rewound away; kept so that its requestId stays answered.
    deleted_at = models.DateTimeField(_("deleted at"), null=True, blank=True)

    class Meta:
        ordering = ["position", "created_at"]
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        indexes = [
            models.Index(fields=["room", "position"]),
            models.Index(fields=["-created_at"], name="newest_messages"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["room", "position"],
                condition=Q(selected=True, deleted_at=None),
                name="one_selected_message_per_position",
            ),
            models.CheckConstraint(condition=Q(role__in=["user", "character"]), name="message_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} {self.position}"
