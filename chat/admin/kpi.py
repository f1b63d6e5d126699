"""The KPI dashboard: a page of the admin in the place of a list. It leads to a request's waterfall by its requestId."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from chat.admin.base import ReadOnlyAdmin
from chat.kpi.dashboard import dashboard
from chat.models import KpiRollup, Trace


@admin.register(KpiRollup)
class KpiDashboard(ReadOnlyAdmin):
    fields = ("period", "starts_on", "by", "value", "figures", "made_at")
    readonly_fields = fields

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        wanted = request.GET.get("request", "").strip()
        if wanted and (found := self._waterfall(request, wanted)):
            return found
        context = {
            **self.admin_site.each_context(request), "title": _("What readers feel"), "opts": self.opts,
            "wanted": wanted, **dashboard(),
        }
        return TemplateResponse(request, "admin/chat/kpirollup/change_list.html", context)

    def _waterfall(self, request: HttpRequest, request_id: str) -> HttpResponse | None:
        """None: there is no such request, or several users have one of this name."""
        ids = list(Trace.objects.filter(request_id=request_id[:64]).values_list("pk", flat=True)[:2])
        if not ids:
            messages.warning(request, _("No request has this id, or its trace has been deleted."))
            return None
        if len(ids) > 1:
            return HttpResponseRedirect(f"{reverse('admin:chat_trace_changelist')}?q={request_id[:64]}")
        return HttpResponseRedirect(reverse("admin:chat_trace_change", args=ids))
