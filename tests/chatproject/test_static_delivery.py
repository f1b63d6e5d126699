"""Static files as a browser gets them: compressed, under names that change with what they hold, and kept for good."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from django.conf import settings as configured
from django.core.management import call_command
from django.templatetags.static import static
from django.test import Client
from django.test.utils import override_settings

SOURCE = Path(configured.BASE_DIR) / "frontend_static"
TEXTS = sorted(
    str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*") if path.suffix in (".js", ".css", ".json", ".svg")
)
IMAGES = sorted(str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*") if path.suffix in (".png", ".jpg", ".webp"))
#: Below this, headers outweigh what compression saves.
WORTH_IT_BYTES = 1000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The product's own storage, collected; its middleware."""
    staticfiles = {"BACKEND": "chatproject.static.ModuleStaticFilesStorage"}
    with override_settings(
        STORAGES={**configured.STORAGES, "staticfiles": staticfiles},
        STATIC_ROOT=str(tmp_path_factory.mktemp("static")),
        STATICFILES_FINDERS=["django.contrib.staticfiles.finders.FileSystemFinder"],
    ):
        call_command("collectstatic", interactive=False, verbosity=0)
        yield Client()


def address(name: str) -> str:
    return str(static(name))


def fetch(site: Client, url: str, encoding: str) -> tuple[Mapping[str, str], bytes]:
    """(headers, body as it travels)"""
    response: Any = site.get(url, headers={"accept-encoding": encoding})
    body = b"".join(response.streaming_content)
    response.close()
    assert response.status_code == 200, url
    return response.headers, body


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_comes_compressed_and_is_kept_for_good(site: Client, name: str) -> None:
    headers, whole = fetch(site, address(name), "identity")
    assert "immutable" in headers["Cache-Control"]
    headers, packed = fetch(site, address(name), "gzip, br")
    assert "immutable" in headers["Cache-Control"]
    if len(whole) > WORTH_IT_BYTES:
        assert (headers["Content-Encoding"], headers["Vary"]) == ("gzip", "Accept-Encoding")
        assert gzip.decompress(packed) == whole


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_is_left_as_it_is(site: Client, name: str) -> None:
    headers, body = fetch(site, address(name), "gzip, br")
    assert "Content-Encoding" not in headers
    assert body == (SOURCE / name).read_bytes()


def test_every_import_of_every_module_leads_to_a_hashed_module(site: Client) -> None:
    seen: set[str] = set()
    waiting = [address(name) for name in TEXTS if re.fullmatch(r"js/main\w*\.js", name)]
    while waiting:
        url = waiting.pop()
        if url in seen:
            continue
        seen.add(url)
        assert re.search(r"\.[0-9a-f]{12}\.js$", url), url
        _, body = fetch(site, url, "identity")
        waiting += [urljoin(url, target) for target in re.findall(r'(?:from|import)\s*"(\.[^"]+)"', body.decode())]
    assert len(seen) > len(TEXTS) // 2


def test_the_name_without_a_hash_is_not_kept_for_good(site: Client) -> None:
    headers, _ = fetch(site, "/static/js/main_room.js", "gzip")
    assert "immutable" not in headers["Cache-Control"]
