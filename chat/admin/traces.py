"""Traces: every stage of one request, on the server's clock and on the browser's."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chat.admin.base import link, pre, wide
from chat.admin.generations import ByRequestAdmin
from chat.figures import on_one_clock
from chat.kpi.plot import waterfall
from chat.models import Trace


@admin.register(Trace)
class TraceAdmin(ByRequestAdmin):
    list_display = (
        "request_id", "path", "cohort", "outcome", "first_words", "completion", "failure", "abandoned", "error_code",
        "character", "created_at",
    )
    list_filter = ("path", "cohort", "stage", "outcome", "failure", "abandoned", "mismatched", "ttft_source")
    list_select_related = ("character",)
    shown = (
        "request_id", "both_sides", "kind", "path", "cohort", "stage", "outcome", "error_code", "failure", "abandoned",
        "attempt", "resumes", "mismatched", "route_name", "ttft_ms", "ttft_source", "completion_ms", "user_link",
        "room_link", "character", "message_link", "requests_to_models", "created_at",
    )
    raw = ("server_marks", "browser_marks")
    fieldsets = (
        (None, {"fields": shown}),
        (_("Marks as they were written"), {"fields": raw, "classes": ("collapse",)}),
    )
    readonly_fields = (*shown, *raw)

    @admin.display(description=_("server marks"))
    def server_marks(self, trace: Trace) -> SafeString:
        return as_json(trace.marks)

    @admin.display(description=_("browser marks"))
    def browser_marks(self, trace: Trace) -> SafeString:
        return as_json(trace.client_marks)

    @admin.display(description=_("waterfall"))
    def both_sides(self, trace: Trace) -> SafeString | str:
        """The server's marks moved by the likeliest offset of the two clocks; one side alone is drawn, too."""
        server, browser = numbers(trace.marks), numbers(trace.client_marks)
        clock = _("ms since the click") if browser else _("ms since the command was received")
        return waterfall(on_one_clock(server, browser), clock) or "–"

    @admin.display(description=_("first words"), ordering="ttft_ms")
    def first_words(self, trace: Trace) -> str:
        return "–" if trace.ttft_ms is None else f"{trace.ttft_ms:.0f} ms ({trace.ttft_source})"

    @admin.display(description=_("complete"), ordering="completion_ms")
    def completion(self, trace: Trace) -> str:
        return "–" if trace.completion_ms is None else f"{trace.completion_ms:.0f} ms"

    @admin.display(description=_("requests to models"))
    def requests_to_models(self, trace: Trace) -> SafeString | str:
        return calls_table(trace.calls)

    @admin.display(description=_("user"))
    def user_link(self, trace: Trace) -> SafeString | str:
        return link(trace.user)

    @admin.display(description=_("room"))
    def room_link(self, trace: Trace) -> SafeString | str:
        return link(trace.room)

    @admin.display(description=_("message"))
    def message_link(self, trace: Trace) -> SafeString | str:
        return link(trace.message, str(trace.message_id))


def as_json(marks: Any) -> SafeString:
    return pre(json.dumps(marks, ensure_ascii=False, indent=1))


def numbers(marks: Any) -> dict[str, float]:
    """Those that are times; the column could hold anything."""
    named = marks.items() if isinstance(marks, dict) else ()
    return {name: float(at) for name, at in named if isinstance(at, int | float)}


#: What a call tells, as streaming/providers/calls.py names it → as people call it.
CALL_COLUMNS = {
    "route": _("route"), "model": _("model"), "why": _("why"), "outcome": _("outcome"), "askedMs": _("asked at ms"),
    "firstMs": _("first ms"), "ms": "ms", "promptTokens": _("prompt tokens"), "cachedTokens": _("cached tokens"),
    "completionTokens": _("completion tokens"),
}


def calls_table(calls: Any) -> SafeString | str:
    """Every request to a provider, in the order in which they ended; tokens that are estimated are marked."""
    if not calls:
        return "–"
    rows = [(*(_shown(call.get(name)) for name in CALL_COLUMNS), _cost(call)) for call in calls]
    head = format_html_join("", "<th>{}</th>", ((name,) for name in (*CALL_COLUMNS.values(), "US $")))
    cells = (format_html_join("", "<td>{}</td>", ((cell,) for cell in row)) for row in rows)
    body = format_html_join("", "<tr>{}</tr>", ((row,) for row in cells))
    return wide(_("Requests to models"), format_html("<thead><tr>{}</tr></thead><tbody>{}</tbody>", head, body))


def _shown(value: Any) -> str:
    return "–" if value is None else str(value)


def _cost(call: dict[str, Any]) -> str:
    cost = f"{call.get('cost', 0):.6f}"
    return cost if call.get("isCounted") else gettext("{cost} (estimated)").format(cost=cost)
