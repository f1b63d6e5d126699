"""Ways to a model, as the operator orders them. Keys stay in the environment."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ModelRoute(models.Model):
    """Tried in `sort` order; a room may pin one, the others are its fallback."""

    class Kind(models.TextChoices):
        OPENAI = "openai", _("OpenAI-compatible")
        ANTHROPIC = "anthropic", "Anthropic"
        GEMINI = "gemini", "Gemini"
        SCRIPTED = "scripted", _("Scripted (development and tests)")

    name = models.CharField(_("name"), max_length=80, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.OPENAI)
    base_url = models.CharField(_("base url"), max_length=300, blank=True)
    model = models.CharField(_("model"), max_length=120, blank=True)
    api_key_env = models.CharField(
        _("api key env"), max_length=80, blank=True, help_text=_("Name of the environment variable that holds the key.")
    )
    sort = models.PositiveSmallIntegerField(_("sort"), default=100)
    is_enabled = models.BooleanField(_("is enabled"), default=True)
    #: The environment writes ENVIRONMENTS of chat/routes.py at every start, the rest once.
    is_from_environment = models.BooleanField(default=False, editable=False)
    #: Switched off because its variables are gone, so that it comes back with them; not because an operator wants it.
    is_gone = models.BooleanField(default=False, db_default=False, editable=False)
    warms_prompt = models.BooleanField(
        _("warms prompt"), default=False,
        help_text=_("Have the room's prompt read as soon as the room is opened. Costs a request each time."),
    )
    can_prefill = models.BooleanField(_("can prefill"), default=False)
    max_context_tokens = models.PositiveIntegerField(_("max context tokens"), default=8192)
    max_output_tokens = models.PositiveIntegerField(_("max output tokens"), default=1024)
    first_content_seconds = models.FloatField(_("first content seconds"), default=10.0)
    gap_seconds = models.FloatField(_("gap seconds"), default=10.0)
    total_seconds = models.FloatField(_("total seconds"), default=60.0)
    options = models.JSONField(_("options"), default=dict, blank=True)
    max_concurrent = models.PositiveIntegerField(
        _("max concurrent"), default=0, db_default=0,
        help_text=_("Requests at a time from one process; more begin with another route, or wait. 0: no limit.")
    )
    hedges = models.BooleanField(
        _("hedges"), default=False, db_default=False,
        help_text=_("When first words are late here, ask the next route too; the first one wins.")
    )
    price_prompt = models.FloatField(
        _("price prompt"), default=0.0, db_default=0.0, help_text=_("US dollars for a million tokens of prompt.")
    )
    price_cached = models.FloatField(
        _("price cached"), default=0.0, db_default=0.0, help_text=_("The same, for those that the provider had cached.")
    )
    price_completion = models.FloatField(
        _("price completion"), default=0.0, db_default=0.0, help_text=_("The same, for tokens of the answer.")
    )

    class Meta:
        ordering = ["sort", "name"]
        verbose_name = _("model route")
        verbose_name_plural = _("model routes")

    def __str__(self) -> str:
        return self.name
