"""The flag library's switches: off and on, and what each is for."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from waffle.admin import SwitchAdmin as WaffleSwitchAdmin
from waffle.models import Sample, Switch

from chat.admin.base import BoundedAdmin

# Nothing here asks for a sample.
admin.site.unregister([Sample, Switch])


@admin.register(Switch)
class SwitchAdmin(WaffleSwitchAdmin):
    list_display = ("name", "active", "meaning", "created", "modified")

    class Media(BoundedAdmin.Media):
        """Ours."""

    @admin.display(description=_("Note"))
    def meaning(self, switch: Switch) -> str:
        """A note of our own in the reader's language."""
        return gettext(switch.note) if switch.note else "–"
