"""The published contract, for whoever writes a client: the committed documents, as they are."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

PUBLISHED = ("asyncapi", "openapi")
CACHED_SECONDS = 300


@require_safe
def schema(request: HttpRequest, name: str) -> HttpResponse:
    """AsyncAPI of the socket, OpenAPI of HTTP. They hold nothing private, so any site's tools may read them."""
    if name not in PUBLISHED:
        raise Http404
    text = (settings.BASE_DIR / "frontend_static" / "schema" / f"{name}.json").read_text("utf-8")
    response = HttpResponse(text, content_type="application/json")
    response["Access-Control-Allow-Origin"] = "*"
    response["Cache-Control"] = f"public, max-age={CACHED_SECONDS}"
    return response
