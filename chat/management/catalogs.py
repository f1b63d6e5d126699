"""Translations kept true by Babel alone, so that no gettext programs are needed: what is said, .po, .mo.

For developers and tests; the running product reads the committed .mo files and never imports this.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

LOCALE = Path(settings.BASE_DIR) / "chat" / "locale"
LANGUAGES = ("ko", "en")
#: Domain → (folder, files, Babel's method) of what speaks in it.
SOURCES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "django": (("chat", "*.py", "python"), ("chatproject", "*.py", "python"), ("chat/templates", "*.html", "template")),
    "djangojs": (("frontend_static/js", "*.js", "javascript"),),
}
#: Stands for the dates of a catalogue: real ones would make every run a change.
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
#: A text, or its singular and plural.
MessageId = str | tuple[str, ...]


def used_messages(domain: str) -> dict[MessageId, list[tuple[str, int]]]:
    """Every text of `domain` with the files and lines that say it."""
    used: dict[MessageId, list[tuple[str, int]]] = {}
    for path, method in _sources(domain):
        name = str(path.relative_to(settings.BASE_DIR))
        for line, message in _messages_in(path, method):
            used.setdefault(message, []).append((name, line))
    return used


def _sources(domain: str) -> Iterator[tuple[Path, str]]:
    for folder, pattern, method in SOURCES[domain]:
        for path in sorted((Path(settings.BASE_DIR) / folder).rglob(pattern)):
            yield path, method


def _messages_in(path: Path, method: str) -> Iterator[tuple[int, MessageId]]:
    source = path.read_text(encoding="utf-8")
    if method == "template":
        source, method = _as_python(source), "python"
    for line, message, _comments, _context in extract(method, io.BytesIO(source.encode())):
        # Babel gives a tuple for plurals, and of these only the first two are texts.
        yield line, tuple(message[:2]) if isinstance(message, tuple) else message


def _as_python(template: str) -> str:
    """Django's own reading of a template for xgettext; without indentation Babel can read it, too."""
    return "\n".join(line.strip() for line in templatize(template).splitlines())


def po_path(language: str, domain: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / f"{domain}.po"


def read(language: str, domain: str) -> Catalog:
    """The committed catalogue, or an empty one."""
    path = po_path(language, domain)
    if not path.exists():
        return Catalog(locale=language, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language)


def update(language: str, domain: str) -> list[MessageId]:
    """Make the catalogue hold just what is used, in order of the texts. Returns what waits for a translation.

    English is the language of the texts themselves, so its translations are filled in.
    """
    was = read(language, domain)
    now = Catalog(
        locale=language, charset="utf-8", fuzzy=False, header_comment=f"# {domain} of Soksak, {language}.",
        project="Soksak", version="1", creation_date=EPOCH, revision_date=EPOCH,
    )
    for message_id, places in sorted(used_messages(domain).items(), key=lambda item: str(item[0])):
        known = was.get(message_id[0] if isinstance(message_id, tuple) else message_id)
        text = known.string if known else ""
        locations = sorted({(name, 0) for name, _ in places})
        now.add(message_id, message_id if language == "en" else text, locations=locations)
    _write(now, po_path(language, domain))
    return [" / ".join(_texts(message.id)) for message in now if message.id and not all(_texts(message.string))]


def _texts(string: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (string or "",) if isinstance(string, str | None) else tuple(string)


def _write(catalog: Catalog, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, width=110, include_lineno=False, omit_header=False)
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, catalog)
