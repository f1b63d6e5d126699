"""The KPI dashboard: a page of the admin in the place of a list."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from chat.admin.base import ReadOnlyAdmin
from chat.kpi.dashboard import dashboard
from chat.models import KpiRollup


@admin.register(KpiRollup)
class KpiDashboard(ReadOnlyAdmin):
    fields = ("period", "starts_on", "by", "value", "figures", "made_at")
    readonly_fields = fields

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {**self.admin_site.each_context(request), "title": "KPI", "opts": self.opts, **dashboard()}
        return TemplateResponse(request, "admin/chat/kpirollup/change_list.html", context)
