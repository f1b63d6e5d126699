"""What a load balancer and a scraper ask."""

from __future__ import annotations

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from chat import samples

PROXY_HEADERS = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")


def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:
    """This process can serve: its database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "unavailable", "database": False}, status=503)
    return JsonResponse({"status": "ok", "database": True})


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text, of this process or of all that share its folder; with METRICS_TOKEN by bearer token, without
    it only for this very machine.
    """
    if not _may_scrape(request):
        return HttpResponse(status=404)
    return HttpResponse(generate_latest(samples.registry()), content_type=CONTENT_TYPE_LATEST)


def _may_scrape(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "")
        return constant_time_compare(given, f"Bearer {settings.METRICS_TOKEN}")
    # A proxy on this machine speaks for others: what it forwards is not local.
    if settings.BEHIND_PROXY or any(name in request.headers for name in PROXY_HEADERS):
        return False
    return request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1")
