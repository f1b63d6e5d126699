"""Rooms and personas."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chat.admin.base import BoundedAdmin, as_uuid, link, list_link, pre
from chat.admin.deletion import DeletesWithCompanions
from chat.models import Generation, Message, Persona, Room, Trace


@admin.register(Room)
class RoomAdmin(DeletesWithCompanions):
    """A room is made by talking, with its greeting and its prompt's head: not here."""

    list_display = ("shown_title", "owner_link", "character", "language", "message_count", "active_at", "messages")
    list_filter = ("character", "language", "owner__is_guest", "active_at")
    list_select_related = ("owner", "character")
    search_fields = ("title", "owner__username")
    search_help_text = _("Part of a title or of an owner's name, or a room's whole id.")
    ordering = ("-active_at",)
    fields = (
        "id", "owner_link", "character", "language", "title", "persona_name", "user_note", "route", "messages",
        "generations", "prompt_version", "prompt_head_tokens", "shown_head", "window_start", "head",
        "message_count", "created_at", "active_at",
    )
    readonly_fields = tuple(name for name in fields if name not in {"title", "user_note", "route"})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if room_id := as_uuid(search_term):
            return queryset.filter(pk=room_id), False
        return super().get_search_results(request, queryset, search_term)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        # Open tabs notice at their next heartbeat.
        Room.objects.filter(pk=obj.pk).update(head=F("head") + 1)

    def companions(self, obj: Any) -> dict[str, QuerySet[Any]]:
        return {
            gettext("messages"): Message.objects.filter(room=obj),
            gettext("generations"): Generation.objects.filter(room=obj),
            gettext("traces"): Trace.objects.filter(room=obj),
        }

    @admin.display(description=_("title"), ordering="title")
    def shown_title(self, room: Room) -> str:
        return room.title or gettext("(untitled)")

    @admin.display(description=_("owner"), ordering="owner__username")
    def owner_link(self, room: Room) -> SafeString | str:
        return link(room.owner)

    @admin.display(description=_("messages"))
    def messages(self, room: Room) -> SafeString:
        return list_link("message", gettext("messages"), room__id__exact=room.pk)

    @admin.display(description=_("generations"))
    def generations(self, room: Room) -> SafeString:
        return list_link("generation", gettext("generations"), room__id__exact=room.pk)

    @admin.display(description=_("prompt head"))
    def shown_head(self, room: Room) -> SafeString:
        return pre(room.prompt_head)


@admin.register(Persona)
class PersonaAdmin(BoundedAdmin):
    list_display = ("name", "user", "about")
    list_select_related = ("user",)
    search_fields = ("name", "user__username")
    autocomplete_fields = ("user",)
