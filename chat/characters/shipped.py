"""Reads the files of the cast. Knows no model and no database."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class ShippedCharacter:
    """`cards` are raw cards by language; `portrait` lies below the static root."""

    slug: str
    portrait: str
    accent: str
    sort: int
    cards: dict[str, dict[str, Any]]

    @property
    def looks(self) -> dict[str, Any]:
        """The columns that we ship; the others are the operator's."""
        return {"portrait": self.portrait, "accent": self.accent, "sort": self.sort}


def read_cast(folder: Path = FOLDER) -> list[ShippedCharacter]:
    """Everybody in `cast.json`, each with the cards that lie beside it."""
    entries = json.loads((folder / "cast.json").read_text(encoding="utf-8"))
    return [ShippedCharacter(**entry, cards=_read_cards(folder, entry["slug"])) for entry in entries]


def _read_cards(folder: Path, slug: str) -> dict[str, dict[str, Any]]:
    found = sorted((folder / "cards").glob(f"{slug}.*.json"))
    return {path.name.split(".")[1]: json.loads(path.read_text(encoding="utf-8")) for path in found}


def digest(value: Any) -> str:
    """Of JSON as a value: the order of keys, which Postgres does not keep, changes nothing."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
