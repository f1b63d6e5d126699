"""Messages: what was said, to be read. They change by talking, editing and rewinding, with their room's head."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chat.admin.base import ReadOnlyAdmin, as_uuid, link, pre
from chat.excerpts import shorten
from chat.models import Generation, Message

EXCERPT_CHARS = 80


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ("excerpt", "role", "status", "selected", "position", "tokens", "room_link", "created_at")
    list_filter = ("status", "role", "selected")
    list_select_related = ("room",)
    ordering = ("-created_at",)
    search_fields = ("id",)
    search_help_text = _("The whole id of a message or of a room.")
    fields = (
        "id", "room_link", "role", "status", "text", "tokens", "position", "selected", "reply_to",
        "generation_link", "created_at", "edited_at", "deleted_at",
    )
    readonly_fields = fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found = as_uuid(search_term)
        if not search_term.strip():
            return queryset, False
        if found is None:
            return queryset.none(), False
        return queryset.filter(pk=found) | queryset.filter(room_id=found), False

    @admin.display(description=_("text"))
    def excerpt(self, message: Message) -> str:
        return shorten(" ".join(message.content.split()), EXCERPT_CHARS) or gettext("(no text)")

    @admin.display(description=_("text"))
    def text(self, message: Message) -> SafeString:
        return pre(message.content)

    @admin.display(description=_("room"))
    def room_link(self, message: Message) -> SafeString | str:
        return link(message.room)

    @admin.display(description=_("generation"))
    def generation_link(self, message: Message) -> SafeString | str:
        return link(Generation.objects.filter(pk=message.pk).first())
