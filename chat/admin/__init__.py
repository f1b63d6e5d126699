"""What an operator sees and may change. One file a noun; nothing here is on anybody's way to an answer."""

from __future__ import annotations

from django.contrib import admin

from chat.admin import alarms, characters, generations, kpi, messages, outbox, rollout, rooms, routes, traces, users

__all__ = [
    "alarms", "characters", "generations", "kpi", "messages", "outbox", "rollout", "rooms", "routes", "traces", "users",
]

admin.site.site_header = "Soksak"
admin.site.site_title = "Soksak"
admin.site.index_title = "What is true, and what it took"
