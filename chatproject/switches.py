"""The flag library in the admin. It speaks no Korean: what it says of its switches is said here."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from waffle.apps import WaffleConfig


class SwitchesConfig(WaffleConfig):
    verbose_name: Any = _("Switches")


#: Django looks texts up in the catalogues of all apps together, so naming them is enough.
SAID_BY_WAFFLE = (
    _("Switch"), _("Switches"), _("Flag"), _("Flags"), _("Sample"), _("Samples"), _("Name"), _("Active"), _("Note"),
    _("Created"), _("Modified"), _("The human/computer readable name."), _("Is this switch active?"),
    _("Note where this Switch is used."), _("Date when this Switch was created."),
    _("Date when this Switch was last modified."), _("Enable selected switches"), _("Disable selected switches"),
    _("Delete selected"),
)
