"""The generated documents: what each must say, which are out of date, and writing them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from chatproject.schema.asyncapi import build_asyncapi
from chatproject.schema.configuration import build_configuration
from chatproject.schema.openapi import build_openapi
from chatproject.schema.tables import TABLES

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "frontend_static" / "schema"
PROTOCOL = ROOT / "PROTOCOL.md"


def documents() -> dict[Path, str]:
    """Path → its whole text, as it should be."""
    return {
        SCHEMAS / "asyncapi.json": _json(build_asyncapi()),
        SCHEMAS / "openapi.json": _json(build_openapi()),
        ROOT / "CONFIGURATION.md": build_configuration(),
        PROTOCOL: with_tables(PROTOCOL.read_text("utf-8")),
    }


def with_tables(text: str) -> str:
    """`text` with what stands between `<!-- table: name -->` and `<!-- end -->` made anew."""

    def made(match: re.Match[str]) -> str:
        return f"<!-- table: {match[1]} -->\n{TABLES[match[1]]()}<!-- end -->"

    return re.sub(r"<!-- table: ([\w-]+) -->\n.*?<!-- end -->", made, text, flags=re.DOTALL)


def stale() -> list[Path]:
    """Documents that do not say what they should."""
    return [path for path, text in documents().items() if not path.exists() or path.read_text("utf-8") != text]


def write() -> list[Path]:
    """Brings all up to date; returns those that were not."""
    changed = stale()
    wanted = documents()
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], "utf-8")
    return changed


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
