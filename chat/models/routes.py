"""Ways to a model, as the operator orders them. Keys stay in the environment."""

from __future__ import annotations

from django.db import models


class ModelRoute(models.Model):
    """Tried in `sort` order; a room may pin one, the others are its fallback."""

    class Kind(models.TextChoices):
        OPENAI = "openai", "OpenAI-compatible"
        ANTHROPIC = "anthropic", "Anthropic"
        GEMINI = "gemini", "Gemini"
        SCRIPTED = "scripted", "Scripted (development and tests)"

    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.OPENAI)
    base_url = models.CharField(max_length=300, blank=True)
    model = models.CharField(max_length=120, blank=True)
    api_key_env = models.CharField(
        max_length=80, blank=True, help_text="Name of the environment variable that holds the key."
    )
    sort = models.PositiveSmallIntegerField(default=100)
    is_enabled = models.BooleanField(default=True)
    #: Written by the environment at start; edits in the admin would be overwritten.
    is_from_environment = models.BooleanField(default=False, editable=False)
    warms_prompt = models.BooleanField(
        default=False, help_text="Have the room's prompt read as soon as the room is opened. Costs a request each time."
    )
    can_prefill = models.BooleanField(default=False)
    max_context_tokens = models.PositiveIntegerField(default=8192)
    max_output_tokens = models.PositiveIntegerField(default=1024)
    first_content_seconds = models.FloatField(default=10.0)
    gap_seconds = models.FloatField(default=10.0)
    total_seconds = models.FloatField(default=60.0)
    options = models.JSONField(default=dict, blank=True)
    max_concurrent = models.PositiveIntegerField(
        default=0, db_default=0,
        help_text="Requests at a time from one process; more of them wait their turn. 0: no limit."
    )
    hedges = models.BooleanField(
        default=False, db_default=False,
        help_text="When first words are late here, ask the next route too; the first one wins."
    )
    price_prompt = models.FloatField(
        default=0.0, db_default=0.0, help_text="US dollars for a million tokens of prompt."
    )
    price_cached = models.FloatField(
        default=0.0, db_default=0.0, help_text="The same, for those that the provider had cached."
    )
    price_completion = models.FloatField(
        default=0.0, db_default=0.0, help_text="The same, for tokens of the answer."
    )

    class Meta:
        ordering = ["sort", "name"]

    def __str__(self) -> str:
        return self.name
