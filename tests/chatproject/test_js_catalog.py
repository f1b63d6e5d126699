"""The browser's translations: one script a language, kept for good under an address that changes with it."""

from __future__ import annotations

import re

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def address_in_page(client: Client, language: str) -> str:
    page = client.get("/accounts/login/", headers={"accept-language": language}).content.decode()
    found = re.findall(r'src="(/jsi18n/[^"]+)"', page)
    assert len(found) == 1
    return str(found[0])


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_script_that_a_page_names_is_kept_for_good(client: Client, language: str) -> None:
    response = client.get(address_in_page(client, language))
    assert response.status_code == 200
    assert response["Content-Type"] == "text/javascript; charset=utf-8"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"


def test_the_address_decides_the_language_and_nothing_else_does(client: Client) -> None:
    korean, english = address_in_page(client, "ko"), address_in_page(client, "en")
    answers = {
        client.get(address, headers={"accept-language": asked}).content
        for asked in ("ko", "en") for address in (korean, english)
    }
    assert korean != english
    assert len(answers) == 2


def test_a_page_of_another_version_gets_what_there_is_but_does_not_keep_it(client: Client) -> None:
    current = client.get(address_in_page(client, "ko"))
    other = client.get("/jsi18n/ko/000000000000.js")
    assert (other.status_code, other.content) == (200, current.content)
    assert other["Cache-Control"] == "no-store"


def test_a_language_that_is_not_spoken_is_not_found(client: Client) -> None:
    assert client.get("/jsi18n/tlh/000000000000.js").status_code == 404
