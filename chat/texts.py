"""What a person typed, as it is kept. Pure but for the limit, which is a setting."""

from __future__ import annotations

import unicodedata

from django.conf import settings

from chat.errors import BadCommand


def clean_text(text: str) -> str:
    """NFC, without NUL and lone surrogates (no database keeps them). Raises text_empty, text_too_long."""
    text = unicodedata.normalize("NFC", text.replace("\x00", "")).encode("utf-8", "ignore").decode()
    if not text.strip() or all(unicodedata.category(c) in ("Cf", "Zs", "Cc") for c in text):
        raise BadCommand("text_empty", "The text is empty.")
    if len(text) > settings.CHAT_MESSAGE_MAX_CHARS:
        raise BadCommand("text_too_long", f"The text is longer than {settings.CHAT_MESSAGE_MAX_CHARS} characters.")
    return text
