"""The browser's translations as a script that is fetched once: its address names its language and what it holds."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.views.decorators.http import require_safe
from django.views.i18n import JavaScriptCatalog

KEPT_SECONDS = 60 * 60 * 24 * 365


@require_safe
def catalog(request: HttpRequest, language: str, version: str) -> HttpResponse:
    """The catalog of `language` as this process has it."""
    if language not in dict(settings.LANGUAGES):
        raise Http404
    script = _script(language)
    response = HttpResponse(script, content_type="text/javascript; charset=utf-8")
    # Another version's page, in the middle of a rollout: it gets what there is, and must not keep it under that name.
    is_ours = version == _version(script)
    response["Cache-Control"] = f"public, max-age={KEPT_SECONDS}, immutable" if is_ours else "no-store"
    return response


def catalog_url(request: HttpRequest) -> dict[str, Any]:
    """For templates: where the catalog of the page's language is."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    address = reverse("javascript-catalog", args=[language, _version(_script(language))])
    return {"catalog_url": address}


@cache
def _script(language: str) -> bytes:
    with translation.override(language):
        return JavaScriptCatalog(packages=["chat"]).get(HttpRequest()).content


@cache
def _version(script: bytes) -> str:
    return sha256(script).hexdigest()[:12]
