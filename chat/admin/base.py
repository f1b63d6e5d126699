"""What the admin's pages share: bounded lists, pages one may only read, and links between rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import FieldDoesNotExist
from django.core.paginator import Paginator
from django.db.models import BooleanField, Model, QuerySet
from django.db.models.options import Options
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise, cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext

#: Rows that a list counts and pages through; older ones are found by filter or search.
ROWS_MAX = 10_000


if TYPE_CHECKING:
    # Generic in the stubs only.
    AnyPaginator = Paginator[Any]
    AnyModelAdmin = admin.ModelAdmin[Any]
    AnyModelForm = forms.ModelForm[Any]
    AnyInline = admin.StackedInline[Any, Any]
else:
    AnyPaginator = Paginator
    AnyModelAdmin = admin.ModelAdmin
    AnyModelForm = forms.ModelForm
    AnyInline = admin.StackedInline


class BoundedPaginator(AnyPaginator):
    """Counts no further than ROWS_MAX: counting a large table takes seconds."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        assert isinstance(rows, QuerySet)
        return rows.order_by()[:ROWS_MAX].count()


class BoundedAdmin(AnyModelAdmin):
    """Every list is one page of rows and a few queries, however many rows there are."""

    list_per_page = 50
    list_max_show_all = 50
    show_full_result_count = False
    # Facets count the whole table once a filter.
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator

    class Media:
        css = {"all": ("css/admin.css",)}

    def get_list_display(self, request: HttpRequest) -> Any:
        return [in_words(self.opts, name) for name in super().get_list_display(request)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [in_words(self.opts, name) for name in super().get_readonly_fields(request, obj)]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        found = super().get_fieldsets(request, obj)
        asked = obj is None or self.has_change_permission(request, obj)
        shown = set(super().get_readonly_fields(request, obj) if asked else flatten_fieldsets(found))
        return [
            (title, {**options, "fields": [
                in_words(self.opts, name) if name in shown else name for name in options["fields"]
            ]})
            for title, options in found
        ]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Only what was changed here: counters and heads grow while the form is open."""
        if not change:
            obj.save()
            return
        columns = {field.name for field in obj._meta.concrete_fields}
        obj.save(update_fields=columns.intersection(form.changed_data))


class ReadOnlyAdmin(BoundedAdmin):
    """Facts that the product wrote: to be read, by those with the permission to view them.

    Their pages are called by what is on them; "Select … to view" is not even Korean in Django's catalogue.
    """

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        titled = {"title": capfirst(str(self.opts.verbose_name_plural)), **(extra_context or {})}
        return super().changelist_view(request, titled)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        titled = {"title": capfirst(str(self.opts.verbose_name)), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, titled)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def link(target: Model | None, text: str | None = None) -> SafeString | str:
    """To the row's own page; "–" when there is none."""
    if target is None:
        return "–"
    meta = target._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[target.pk])
    return format_html('<a href="{}">{}</a>', address, text or str(target))


def list_link(model_name: str, text: str, **filters: Any) -> SafeString:
    """To the list of the chat model `model_name`, filtered."""
    address = reverse(f"admin:chat_{model_name}_changelist")
    return format_html('<a href="{}?{}">{}</a>', address, urlencode(filters), text)


@cache
def in_words(opts: Options[Any], name: str) -> str | Callable[[Any], str]:
    """The column, but yes or no where Django's icons would say yes in green and no in red, whichever is good."""
    try:
        field = opts.get_field(name)
    except FieldDoesNotExist:
        return name
    if not isinstance(field, BooleanField):
        return name

    @admin.display(description=field.verbose_name, ordering=name)
    def shown(row: Any) -> str:
        return yes_or_no(getattr(row, name))

    shown.__name__ = name
    return shown


def yes_or_no(value: bool) -> str:
    return gettext("yes") if value else gettext("no")


def pre(text: str) -> SafeString:
    """Text as it stands, wrapped so that it fits a phone."""
    return format_html('<div class="as-written">{}</div>', text or "–")


def wide(name: str | Promise, table: SafeString) -> SafeString:
    """A table's inside, scrolled by itself where it is wider than the page; by keys, too."""
    return format_html(
        '<div class="wide" tabindex="0" role="region" aria-label="{}"><table>{}</table></div>', name, table
    )


def as_uuid(term: str) -> UUID | None:
    try:
        return UUID(term.strip())
    except ValueError:
        return None
