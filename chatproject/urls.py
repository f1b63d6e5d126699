"""HTTP routes."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from chat import account_views
from chatproject import health, js_catalog, schema_views

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("schema/<str:name>.json", schema_views.schema, name="schema"),
    path("admin/", admin.site.urls),
    path("accounts/guest/", account_views.guest, name="guest"),
    path("accounts/persona/", account_views.persona, name="persona"),
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("jsi18n/<slug:language>/<slug:version>.js", js_catalog.catalog, name="javascript-catalog"),
    path("chat/", include("chat.urls")),
    path("", include("chat.page_urls")),
]

handler404 = "chat.api.not_found"
