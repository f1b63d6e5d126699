"""Everything that is said is said in both languages, and what is compiled is what was translated."""

from __future__ import annotations

import re

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo
from django.conf import settings

from chat.management.catalogs import LANGUAGES, SOURCES, MessageId, po_path, read, used_messages

CATALOGS = [(language, domain) for language in LANGUAGES for domain in SOURCES]
both = pytest.mark.parametrize(("language", "domain"), CATALOGS)
BRACED = r"\{\w+[^}]*\}"
#: Said the same in every language.
SAME_IN_KOREAN: set[str] = set()


def texts(string: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (string or "",) if isinstance(string, str | None) else tuple(string)


def entries(catalog: Catalog) -> dict[MessageId, Message]:
    return {tuple(entry.id) if isinstance(entry.id, list) else entry.id: entry for entry in catalog if entry.id}


def test_the_catalogues_are_the_languages_of_the_site() -> None:
    assert set(LANGUAGES) == {code for code, _name in settings.LANGUAGES}


@both
def test_the_catalogue_holds_just_what_is_said(language: str, domain: str) -> None:
    assert set(entries(read(language, domain))) == set(used_messages(domain)), "run manage.py catalogs"


@both
def test_every_text_is_translated_and_keeps_its_placeholders(language: str, domain: str) -> None:
    for message_id, entry in entries(read(language, domain)).items():
        assert not entry.fuzzy, message_id
        source = set(re.findall(r"%\(\w+\)s", texts(message_id)[-1]))
        for text in texts(entry.string):
            assert text, f"no translation of {message_id!r}"
            assert set(re.findall(r"%\(\w+\)s", text)) <= source, message_id
            # Each value, and written as it is written.
            assert set(re.findall(BRACED, text)) == set(re.findall(BRACED, texts(message_id)[-1])), message_id


@pytest.mark.parametrize("domain", SOURCES)
def test_korean_is_korean(domain: str) -> None:
    for message_id, entry in entries(read("ko", domain)).items():
        without_values = re.sub(rf"%\(\w+\)s|{BRACED}", "", " ".join(texts(entry.string)))
        assert re.search("[가-힣]", without_values) or message_id in SAME_IN_KOREAN, message_id


@both
def test_what_is_compiled_is_what_was_translated(language: str, domain: str) -> None:
    with po_path(language, domain).with_suffix(".mo").open("rb") as file:
        compiled = {key: texts(entry.string) for key, entry in entries(read_mo(file)).items()}
    written = {key: texts(entry.string) for key, entry in entries(read(language, domain)).items()}
    assert compiled == written, "run manage.py catalogs"


def test_python_templates_and_modules_are_all_read() -> None:
    """A reader of the sources that finds nothing would make the other tests empty."""
    assert "Start talking" in used_messages("django")
    assert ("%(count)s talk", "%(count)s talks") in used_messages("django")
    assert "The connection broke. Fetching the rest…" in used_messages("djangojs")
