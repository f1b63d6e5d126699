"""What an operator sees and may change. One file a noun; nothing here is on anybody's way to an answer."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from chat.admin import (
    alarms,
    characters,
    generations,
    kpi,
    messages,
    outbox,
    rollout,
    rooms,
    routes,
    switches,
    traces,
    users,
)

__all__ = [
    "alarms", "characters", "generations", "kpi", "messages", "outbox", "rollout", "rooms", "routes", "switches",
    "traces", "users",
]

admin.site.site_header = _("Soksak")
admin.site.site_title = _("Soksak")
admin.site.index_title = _("What is true, and what it took")
