"""Characters with their cards."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.staticfiles import finders
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chat.admin.base import AnyInline, AnyModelForm, BoundedAdmin, list_link
from chat.admin.cards import CardForm
from chat.characters.shipped import digest
from chat.models import Card, Character
from chat.rooms import portrait_url


class CharacterForm(AnyModelForm):
    class Meta:
        model = Character
        fields = ("slug", "portrait", "accent", "is_published", "sort", "route")
        widgets = {"accent": forms.TextInput(attrs={"type": "color"})}
        help_texts = {
            "portrait": _("A file below the static root, e.g. portraits/haneul.svg."),
            "is_published": _("Off: nobody can begin a new story; running stories go on."),
            "sort": _("Smaller comes first."),
        }

    def clean_accent(self) -> str:
        accent: str = self.cleaned_data["accent"]
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", accent):
            raise forms.ValidationError(_("A colour like #1f8fa0."))
        return accent.lower()

    def clean_portrait(self) -> str:
        portrait: str = self.cleaned_data["portrait"]
        # Joined to the static root: neither absolute nor upwards.
        if portrait.startswith("/") or ".." in portrait or not finders.find(portrait):
            raise forms.ValidationError(_("There is no such file below the static root."))
        return portrait


class CardInline(AnyInline):
    model = Card
    form = CardForm
    extra = 0
    max_num = 2
    fields = ("language", "projected", "origin", "raw")
    readonly_fields = ("projected", "origin")

    @admin.display(description=_("as shown"))
    def projected(self, card: Card) -> str:
        if not card.pk:
            return "–"
        return gettext("{name}: {tagline} ({count} greetings)").format(
            name=card.name, tagline=card.tagline or gettext("no tagline"), count=len(card.greetings)
        )

    @admin.display(description=_("origin"))
    def origin(self, card: Card) -> str:
        if not card.shipped_digest:
            return gettext("Made here.")
        if digest(card.raw) == card.shipped_digest:
            return gettext("Shipped with Soksak; follows its updates until you edit it.")
        return gettext("Shipped with Soksak and edited here: updates leave it alone.")


@admin.register(Character)
class CharacterAdmin(BoundedAdmin):
    form = CharacterForm
    inlines = (CardInline,)
    list_display = ("slug", "thumbnail", "names", "is_published", "sort", "talk_count")
    list_filter = ("is_published",)
    search_fields = ("slug", "cards__name")
    fields = ("slug", "preview", "portrait", "accent", "is_published", "sort", "route", "talk_count", "rooms")
    readonly_fields = ("preview", "talk_count", "rooms")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("cards")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # Addresses are made of it.
        return ("slug", *self.readonly_fields) if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A shipped character would be back at the next start: it is unpublished instead."""
        return super().has_delete_permission(request, obj) and not (obj and obj.shipped_digest)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        # The list's bulk deletion does not ask about single rows.
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    @admin.display(description="")
    def thumbnail(self, character: Character) -> SafeString:
        return _picture(character, 48)

    @admin.display(description=_("preview"))
    def preview(self, character: Character) -> SafeString | str:
        return _picture(character, 180) if character.pk else "–"

    @admin.display(description=_("names"))
    def names(self, character: Character) -> str:
        return " · ".join(card.name for card in character.cards.all()) or gettext("no card: not shown to anybody")

    @admin.display(description=_("rooms"))
    def rooms(self, character: Character) -> SafeString | str:
        if not character.pk:
            return "–"
        return list_link("room", gettext("rooms with this character"), character__id__exact=character.pk)


def _picture(character: Character, width: int) -> SafeString:
    return format_html(
        '<img class="portrait" src="{}" alt="" width="{}" height="{}">'
        '<svg class="accent" width="{}" height="4" aria-hidden="true"><rect width="100%" height="4" fill="{}"/></svg>',
        portrait_url(character.portrait), width, width * 5 // 4, width, character.accent,
    )
