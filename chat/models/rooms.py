"""A room: one owner, one character, one running story."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from chat.models.routes import ModelRoute


class Persona(models.Model):
    """Who the user is in the story."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="persona")
    name = models.CharField(max_length=24)
    about = models.CharField(max_length=300, blank=True)

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
    character = models.ForeignKey("chat.Character", on_delete=models.PROTECT, related_name="rooms")
    language = models.CharField(max_length=8)
    title = models.CharField(max_length=120, blank=True)
    persona_name = models.CharField(max_length=24, blank=True)
    user_note = models.TextField(blank=True)
    prompt_version = models.PositiveSmallIntegerField(default=1)
    prompt_head = models.TextField(blank=True)
    prompt_head_tokens = models.PositiveIntegerField(default=0)
    window_start = models.PositiveIntegerField(default=0)
    route = models.ForeignKey("chat.ModelRoute", null=True, blank=True, on_delete=models.SET_NULL)
    #: Where the next message goes; only ever read and moved under the room's lock.
    next_position = models.PositiveIntegerField(default=0)
    head = models.PositiveBigIntegerField(default=0)
    message_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    active_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-active_at"]
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
