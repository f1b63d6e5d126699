"""Characters and their cards. The raw card is the truth; typed columns are projections of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class Character(models.Model):
    slug = models.SlugField(_("slug"), unique=True)
    #: Path below the static root, e.g. "portraits/haneul.svg".
    portrait = models.CharField(_("portrait"), max_length=200)
    #: CSS colour of the character's accents, "#rrggbb".
    accent = models.CharField(_("accent"), max_length=7, default="#7c5cff")
    is_published = models.BooleanField(_("is published"), default=True)
    sort = models.PositiveSmallIntegerField(_("sort"), default=100)
    #: Asked first for this character's answers, unless a room says otherwise.
    route = models.ForeignKey(
        "chat.ModelRoute", verbose_name=_("route"), null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    talk_count = models.PositiveIntegerField(_("talk count"), default=0, editable=False)
    #: Digest of what `seed` last wrote here; "" for an operator's own. It follows our files while it fits the row.
    shipped_digest = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["sort", "slug"]
        verbose_name = _("character")
        verbose_name_plural = _("characters")

    def __str__(self) -> str:
        return self.slug


class Card(models.Model):
    """One language's card (Character Card V2, `data` unwrapped or whole); `raw` is kept losslessly.

    Other people wrote it: every field is read with suspicion, and nothing in it is refused for being odd.
    """

    character = models.ForeignKey(
        Character, verbose_name=_("character"), on_delete=models.CASCADE, related_name="cards"
    )
    language = models.CharField(_("language"), max_length=8, choices=[("ko", "한국어"), ("en", "English")])
    raw = models.JSONField(default=dict)
    name = models.CharField(max_length=80, editable=False)
    tagline = models.CharField(max_length=200, blank=True, editable=False)
    tags = models.JSONField(default=list, editable=False)
    #: As on Character: digest of the raw that `seed` last wrote here.
    shipped_digest = models.CharField(max_length=64, blank=True, editable=False)

    #: What `project` fills.
    PROJECTIONS = ("name", "tagline", "tags")

    class Meta:
        verbose_name = _("card")
        verbose_name_plural = _("cards")
        constraints = [
            models.UniqueConstraint(fields=["character", "language"], name="one_card_per_language")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.language})"

    @property
    def data(self) -> dict[str, Any]:
        """The card's fields, whether the raw JSON wraps them in `data` (V2, V3) or not (V1)."""
        raw = _object(self.raw)
        inner = raw.get("data")
        return inner if isinstance(inner, dict) else raw

    @property
    def greetings(self) -> list[str]:
        """The first message and its alternates, those that say something."""
        candidates = [self.data.get("first_mes"), *_list(self.data.get("alternate_greetings"))]
        return [text.replace("\r\n", "\n") for text in candidates if isinstance(text, str) and text.strip()]

    @property
    def intro(self) -> str:
        """A few sentences for people: ours, or what the card's creator wrote about it."""
        return str(self._soksak.get("intro") or self.data.get("creator_notes") or "")

    @property
    def _soksak(self) -> dict[str, Any]:
        return _object(_object(self.data.get("extensions")).get("soksak"))

    def project(self) -> None:
        """Fill the typed columns from `raw`."""
        self.name = (str(self.data.get("name") or "").strip() or self.character.slug)[:80]
        self.tagline = str(self._soksak.get("tagline") or "")[:200]
        self.tags = [str(tag) for tag in _list(self.data.get("tags")) if str(tag).strip()]

    def save(self, *, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        self.project()
        if update_fields is not None and "raw" in (update_fields := set(update_fields)):
            update_fields.update(self.PROJECTIONS)
        super().save(update_fields=update_fields, **kwargs)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
