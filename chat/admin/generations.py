"""Generations and the processes that own them: what each answer took, to be read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chat.admin.base import ReadOnlyAdmin, as_uuid, link, list_link, pre, yes_or_no
from chat.models import Generation, ProcessLease


class ByRequestAdmin(ReadOnlyAdmin):
    """Rows of one request, found by its requestId or by the id of its message or room."""

    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    search_fields = ("request_id",)
    search_help_text = _("A whole requestId, or the id of a message or a room.")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        found = queryset.filter(request_id=term)
        if other := as_uuid(term):
            found = found | queryset.filter(message_id=other) | queryset.filter(room_id=other)
        return found, False


@admin.register(Generation)
class GenerationAdmin(ByRequestAdmin):
    list_display = (
        "request_id", "status", "path", "attempt", "route_name", "model", "token_counts", "first", "total",
        "error_code", "created_at",
    )
    list_filter = ("status", "kind", "path")
    fields = (
        "request_id", "status", "finish_reason", "error_code", "kind", "path", "user_link", "room_link",
        "message_link", "trace_link", "attempt", "owner", "route_name", "model", "prompt_tokens",
        "cached_tokens", "uncached_tokens", "completion_tokens", "first_ms", "total_ms", "prefix_length", "last_seq",
        "checkpoint_seq", "checkpoint", "created_at", "ended_at",
    )
    readonly_fields = fields
    list_select_related = False

    @admin.display(description=_("tokens: cached + read / written"))
    def token_counts(self, generation: Generation) -> str:
        cached, read = _known(generation.cached_tokens), _known(read_tokens(generation))
        return f"{cached} + {read} / {_known(generation.completion_tokens)}"

    @admin.display(description=_("prompt tokens not cached"))
    def uncached_tokens(self, generation: Generation) -> str:
        return _known(read_tokens(generation))

    @admin.display(description=_("first ms"), ordering="first_ms")
    def first(self, generation: Generation) -> str:
        return _known(generation.first_ms)

    @admin.display(description=_("total ms"), ordering="total_ms")
    def total(self, generation: Generation) -> str:
        return _known(generation.total_ms)

    @admin.display(description=_("user"))
    def user_link(self, generation: Generation) -> SafeString | str:
        return link(generation.user)

    @admin.display(description=_("room"))
    def room_link(self, generation: Generation) -> SafeString | str:
        return link(generation.room)

    @admin.display(description=_("message"))
    def message_link(self, generation: Generation) -> SafeString | str:
        return link(generation.message, str(generation.pk))

    @admin.display(description=_("trace"))
    def trace_link(self, generation: Generation) -> SafeString:
        return list_link("trace", gettext("stage marks"), q=generation.request_id)

    @admin.display(description=_("checkpoint text"))
    def checkpoint(self, generation: Generation) -> SafeString:
        return pre(generation.checkpoint_text)


@admin.register(ProcessLease)
class ProcessLeaseAdmin(ReadOnlyAdmin):
    list_display = ("owner", "is_alive", "started_at", "expires_at")
    ordering = ("-expires_at",)
    fields = ("owner", "is_alive", "started_at", "expires_at")
    readonly_fields = fields

    @admin.display(description=_("alive"))
    def is_alive(self, lease: ProcessLease) -> str:
        return yes_or_no(lease.expires_at > timezone.now())


def read_tokens(generation: Generation) -> int | None:
    """What the model had to read anew: all of the prompt where the provider says nothing of a cache."""
    if generation.prompt_tokens is None:
        return None
    return max(0, generation.prompt_tokens - (generation.cached_tokens or 0))


def _known(number: float | None) -> str:
    return "–" if number is None else f"{number:.0f}"
