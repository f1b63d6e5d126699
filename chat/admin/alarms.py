"""Alarms: what is open, what was, and which notices nobody has taken yet."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chat.admin.base import ReadOnlyAdmin, list_link
from chat.models import AlarmIncident, AlarmNotice


@admin.register(AlarmIncident)
class AlarmIncidentAdmin(ReadOnlyAdmin):
    list_display = ("rule", "in_words", "opened_at", "closed_at", "undelivered")
    list_filter = ("rule", ("closed_at", admin.EmptyFieldListFilter))
    fields = ("rule", "in_words", "value", "limit", "worst", "calm_looks", "opened_at", "closed_at", "undelivered")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        waiting = Count("notices", filter=Q(notices__delivered_at=None))
        rows: QuerySet[Any] = super().get_queryset(request)
        annotated: QuerySet[Any] = rows.annotate(waiting=waiting)
        return annotated

    @admin.display(description=_("text"))
    def in_words(self, incident: AlarmIncident) -> str:
        return incident.in_words

    @admin.display(description=_("notices not delivered"))
    def undelivered(self, incident: Any) -> str:
        return list_link("alarmnotice", str(incident.waiting), incident__id__exact=incident.pk)


@admin.register(AlarmNotice)
class AlarmNoticeAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "incident", "attempts", "next_at", "delivered_at", "last_error")
    list_filter = (("delivered_at", admin.EmptyFieldListFilter), "is_recovery")
    list_select_related = ("incident",)
    fields = ("incident", "is_recovery", "receiver", "attempts", "next_at", "delivered_at", "last_error")
    readonly_fields = fields
    actions = ("send_again",)

    def has_send_again_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.change_alarmnotice")

    @admin.action(description=_("Send at the next look"), permissions=["send_again"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = queryset.update(delivered_at=None, next_at=timezone.now(), attempts=0)
        told = gettext("{count} are sent within a minute.").format(count=count)
        self.message_user(request, told, messages.SUCCESS)
