"""A card as JSON in a form: every key that was there is there again after saving, known to us or not."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from chat.admin.base import AnyModelForm
from chat.models import Card

#: Code points; Seraphina, a rich card with a lorebook, has 18,000.
CARD_MAX_CHARS = 1_000_000


class CardJSONField(forms.JSONField):
    """Shown indented, as a person would write it. Refuses what a database cannot hold as it stands."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=CARD_MAX_CHARS, **kwargs)

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What was posted comes back as it was typed, readable or not."""
        return data

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            # Files saved by Windows editors begin with a byte order mark.
            value = value.removeprefix("\ufeff")
        card = super().to_python(value)
        if card is None:
            return card
        if not isinstance(card, dict):
            raise forms.ValidationError(_("A card is a JSON object: { … }."), code="invalid")
        _refuse_unstorable(card)
        return card


def _refuse_unstorable(card: dict[str, Any]) -> None:
    try:
        text = json.dumps(card, ensure_ascii=False, allow_nan=False)
        text.encode()
    except ValueError:
        told = _("It holds NaN, Infinity or half a character (\\ud800…).")
        raise forms.ValidationError(told, code="invalid") from None
    if "\\u0000" in text:
        raise forms.ValidationError(_("It holds the character \\u0000, which no text column keeps."), code="invalid")


class CardForm(AnyModelForm):
    raw = CardJSONField(
        label=_("Card (JSON)"),
        widget=forms.Textarea(attrs={"rows": 22, "cols": 80, "spellcheck": "false", "class": "card-editor"}),
        help_text=_("Character Card V1, V2 or V3. Keys that Soksak does not know are kept."),
    )

    class Meta:
        model = Card
        fields = ("language", "raw")
