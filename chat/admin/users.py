"""People: members and guests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission
from django.db.models import QuerySet
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chat.admin.base import list_link
from chat.admin.deletion import DeletesWithCompanions
from chat.models import Generation, Message, Room, Trace, User

if TYPE_CHECKING:
    AnyUserAdmin = DjangoUserAdmin[User]
    AnyChoices = forms.ModelMultipleChoiceField[Any]
else:
    AnyUserAdmin = DjangoUserAdmin
    AnyChoices = forms.ModelMultipleChoiceField

#: How the code of a permission begins → in words. Its own name was written by `migrate`, in English.
MAY = {"add": _("add"), "change": _("change"), "delete": _("delete"), "view": _("view")}


class PermissionsField(AnyChoices):
    """In the reader's language."""

    def label_from_instance(self, obj: Any) -> str:
        may = MAY.get(obj.codename.partition("_")[0], obj.name)
        return f"{obj.content_type} | {may}"


class PermissionsInWords:
    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        if db_field.related_model is Permission:
            kwargs["form_class"] = PermissionsField
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(PermissionsInWords, DjangoGroupAdmin):
    """Django's."""


@admin.register(User)
class UserAdmin(PermissionsInWords, DeletesWithCompanions, AnyUserAdmin):
    list_display = ("__str__", "username", "email", "is_guest", "is_staff", "is_active", "date_joined", "rooms")
    list_filter = ("is_guest", "is_staff", "is_superuser", "is_active")
    ordering = ("-pk",)
    readonly_fields = ("is_guest", "rooms", "last_login", "date_joined")
    fieldsets = (
        *(DjangoUserAdmin.fieldsets or ()),
        (_("Soksak"), {"fields": ("is_guest", "rooms")}),
    )

    def companions(self, obj: Any) -> dict[str, QuerySet[Any]]:
        return {
            gettext("rooms"): Room.objects.filter(owner=obj),
            gettext("messages"): Message.objects.filter(room__owner=obj),
            gettext("generations"): Generation.objects.filter(user=obj),
            gettext("traces"): Trace.objects.filter(user=obj),
        }

    @admin.display(description=_("rooms"))
    def rooms(self, user: User) -> SafeString | str:
        return list_link("room", gettext("rooms"), owner__id__exact=user.pk) if user.pk else "–"
