"""The golden files: frames that were agreed upon, read alike by Python and by JavaScript."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "golden"


def load_goldens() -> dict[str, dict[str, Any]]:
    """File name without its ending → what it says."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}


GOLDENS = load_goldens()


def golden_events() -> list[dict[str, Any]]:
    return [event for golden in GOLDENS.values() for event in golden["events"]]


def golden_commands() -> list[dict[str, Any]]:
    return [command for golden in GOLDENS.values() for command in golden.get("commands", [])]


def golden_pages() -> list[dict[str, Any]]:
    return [golden["page"] for golden in GOLDENS.values() if "page" in golden]
