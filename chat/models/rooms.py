"""A room: one owner, one character, one running story."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from chat.models.routes import ModelRoute


class Persona(models.Model):
    """Who the user is in the story."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.CASCADE, related_name="persona"
    )
    name = models.CharField(_("name"), max_length=24)
    about = models.CharField(_("about"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("persona")
        verbose_name_plural = _("personas")

    def __str__(self) -> str:
        return self.name


class Room(models.Model):
    """Pins everything that shapes the prompt, so that a rollout never changes a running story.

    `head` grows by one with every durable change; a reader compares it to notice what it missed.
    `prompt_head` is the rendered static head (macros resolved once); `window_start` the position of
    the oldest message still sent to the model.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="rooms")
    character = models.ForeignKey(
        "chat.Character", verbose_name=_("character"), on_delete=models.PROTECT, related_name="rooms"
    )
    language = models.CharField(_("language"), max_length=8)
    title = models.CharField(_("title"), max_length=120, blank=True)
    persona_name = models.CharField(_("persona name"), max_length=24, blank=True)
    user_note = models.TextField(_("user note"), blank=True)
    prompt_version = models.PositiveSmallIntegerField(_("prompt version"), default=1)
    prompt_head = models.TextField(blank=True)
    prompt_head_tokens = models.PositiveIntegerField(_("prompt head tokens"), default=0)
    window_start = models.PositiveIntegerField(_("window start"), default=0)
    route = models.ForeignKey(
        "chat.ModelRoute", verbose_name=_("route"), null=True, blank=True, on_delete=models.SET_NULL
    )
    #: Where the next message goes; only ever read and moved under the room's lock.
    next_position = models.PositiveIntegerField(default=0)
    head = models.PositiveBigIntegerField(_("head"), default=0)
    message_count = models.PositiveIntegerField(_("message count"), default=0)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    active_at = models.DateTimeField(_("active at"), auto_now_add=True)

    class Meta:
        ordering = ["-active_at"]
        verbose_name = _("room")
        verbose_name_plural = _("rooms")
        indexes = [models.Index(fields=["owner", "-active_at"])]

    @property
    def first_route(self) -> ModelRoute | None:
        """Asked first: its own, its character's, or the operator's first; those that are off are passed over."""
        for route in (self.route, self.character.route):
            if route is not None and route.is_enabled:
                return route
        return ModelRoute.objects.filter(is_enabled=True).first()

    def __str__(self) -> str:
        return self.title or str(self.id)
