"""Deferred work: what waits, what is dead, and a second chance for it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chat import outbox
from chat.admin.base import ReadOnlyAdmin, link, pre
from chat.excerpts import shorten
from chat.models import OutboxJob, PeriodicJob
from chat.outbox import schedule

#: A type and a message; whole pages in an exception are read on the job's own page.
LAST_LINE_CHARS = 400


@admin.register(OutboxJob)
class OutboxJobAdmin(ReadOnlyAdmin):
    list_display = ("kind", "status", "error", "attempts", "available_at", "leased_until", "message_link")
    list_filter = ("status", "kind")
    list_select_related = ("message",)
    ordering = ("-pk",)
    actions = ("run_again",)
    fields = (
        "kind", "status", "message_link", "attempts", "available_at", "leased_until", "full_error", "created_at",
        "done_at",
    )
    readonly_fields = fields

    def has_run_again_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.change_outboxjob")

    @admin.action(description=_("Run dead jobs again"), permissions=["run_again"])
    def run_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        chosen = list(queryset.values_list("pk", flat=True))
        revived = outbox.retry(chosen)
        told = gettext("{revived} of {chosen} run again; only dead jobs are.").format(
            revived=revived, chosen=len(chosen)
        )
        self.message_user(request, told, messages.SUCCESS if revived else messages.WARNING)

    @admin.display(description=_("last error"))
    def error(self, job: OutboxJob) -> str:
        return last_line(job.last_error)

    @admin.display(description=_("last error"))
    def full_error(self, job: OutboxJob) -> SafeString:
        return pre(job.last_error)

    @admin.display(description=_("message"))
    def message_link(self, job: OutboxJob) -> SafeString | str:
        return link(job.message, str(job.message_id))


@admin.register(PeriodicJob)
class PeriodicJobAdmin(ReadOnlyAdmin):
    list_display = ("name", "error", "does", "every", "next_at", "last_done_at", "attempts")
    actions = ("run_soon",)
    fields = ("name", "does", "every", "next_at", "leased_until", "last_done_at", "attempts", "full_error")
    readonly_fields = fields

    def has_run_soon_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.change_periodicjob")

    @admin.action(description=_("Run at the next look"), permissions=["run_soon"])
    def run_soon(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = outbox.run_soon(list(queryset.values_list("pk", flat=True)))
        self.message_user(request, gettext("{count} run within seconds.").format(count=count), messages.SUCCESS)

    @admin.display(description=_("what it does"))
    def does(self, job: PeriodicJob) -> str:
        planned = schedule.named(job.name)
        return gettext(planned.what) if planned else gettext("of another version of this program")

    @admin.display(description=_("every"))
    def every(self, job: PeriodicJob) -> str:
        planned = schedule.named(job.name)
        return f"{planned.every_seconds:g} s" if planned else "–"

    @admin.display(description=_("last error"))
    def error(self, job: PeriodicJob) -> str:
        return last_line(job.last_error)

    @admin.display(description=_("last error"))
    def full_error(self, job: PeriodicJob) -> SafeString:
        return pre(job.last_error)


def last_line(error: str) -> str:
    """A traceback says what happened in its last line."""
    return shorten(error.strip().rpartition("\n")[2], LAST_LINE_CHARS) or "–"
