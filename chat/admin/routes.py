"""Ways to a model. A key is named, never held: what a person may type here is the name of a variable."""

from __future__ import annotations

import os
import re
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chat.admin.base import AnyModelForm, BoundedAdmin
from chat.models import ModelRoute
from chat.routes import ENVIRONMENTS, LOCAL_ROUTE, SERVICES, address_fault, options_fault, tidy_address

#: Names that the environment's own routes take at every start.
RESERVED = {LOCAL_ROUTE["name"], *(service.prefix.lower() for service in SERVICES)}
POSITIVE = ("max_context_tokens", "max_output_tokens", "first_content_seconds", "gap_seconds", "total_seconds")
PRICES = ("price_prompt", "price_cached", "price_completion")
SECRET_OPTION = re.compile(r"(api|access|secret).?key|authorization|password|^key$|^(auth|bearer|access).?token$", re.I)
FROM_ENVIRONMENT = _(
    "What cannot be changed here is written by the environment (PROVIDER_…, OPENAI_…, ANTHROPIC_…, GEMINI_… or the "
    "packaged model) at every start: change it there. The rest is yours, and stays through starts. Without its "
    "variables the route is switched off; it comes back with them, unless you had switched it off before."
)


class RouteForm(AnyModelForm):
    class Meta:
        model = ModelRoute
        fields = "__all__"

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name.strip().lower() in RESERVED:
            raise forms.ValidationError(_("The environment's own routes have this name; choose another."))
        return name

    def clean_base_url(self) -> str:
        address = tidy_address(self.cleaned_data["base_url"])
        if address and (fault := address_fault(address)):
            raise forms.ValidationError(gettext(fault))
        return address

    def clean_api_key_env(self) -> str:
        name: str = self.cleaned_data["api_key_env"].strip()
        if name and not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
            raise forms.ValidationError(_("The name of a variable, like OPENAI_API_KEY; never the key itself."))
        return name

    def clean_is_enabled(self) -> bool:
        is_enabled: bool = self.cleaned_data["is_enabled"]
        if is_enabled and self.instance.is_gone:
            raise forms.ValidationError(_("Its variables are gone from the environment; it comes back on with them."))
        return is_enabled

    def clean_options(self) -> dict[str, Any]:
        options = self.cleaned_data["options"] or {}
        if not isinstance(options, dict):
            raise forms.ValidationError(_("Options are a JSON object: { … }."))
        if any(SECRET_OPTION.search(name) for name in options):
            raise forms.ValidationError(_("No keys or tokens here: they belong in the environment."))
        return options

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self._check_numbers(cleaned)
        if "options" in cleaned and (fault := options_fault(cleaned.get("kind", ""), cleaned["options"])):
            self.add_error("options", fault)
        if self._has_twin(cleaned):
            place = "model" if "model" in cleaned else "is_enabled"
            self.add_error(place, _("Another route that is on asks the same model at the same address."))
        if cleaned.get("kind") != ModelRoute.Kind.SCRIPTED:
            for name in ("base_url", "model"):
                if name in cleaned and not cleaned[name]:
                    self.add_error(name, _("Needed for this kind."))
        return cleaned

    def _check_numbers(self, cleaned: dict[str, Any]) -> None:
        for name in POSITIVE:
            if name in cleaned and not 0 < cleaned[name] < float("inf"):
                self.add_error(name, _("More than 0."))
        for name in PRICES:
            if name in cleaned and not 0 <= cleaned[name] < float("inf"):
                self.add_error(name, _("0 or more."))
        total = cleaned.get("total_seconds", float("inf"))
        for name in ("first_content_seconds", "gap_seconds"):
            if cleaned.get(name, 0) > total:
                self.add_error(name, _("No longer than the whole answer may take."))
        if cleaned.get("max_output_tokens", 0) >= cleaned.get("max_context_tokens", float("inf")):
            self.add_error("max_output_tokens", _("Less than the context: a prompt must fit in beside the answer."))

    def _has_twin(self, cleaned: dict[str, Any]) -> bool:
        """A fallback to the same, and a race against oneself, cost money and help nobody."""
        way = ("kind", "base_url", "model", "api_key_env")
        same = {name: cleaned[name] if name in cleaned else getattr(self.instance, name) for name in way}
        address = tidy_address(same.pop("base_url"))
        if not cleaned.get("is_enabled") or not address:
            return False
        others = ModelRoute.objects.filter(**same, is_enabled=True).exclude(pk=self.instance.pk)
        # Rows of before may have theirs as it was typed.
        return address in map(tidy_address, others.values_list("base_url", flat=True))


@admin.register(ModelRoute)
class ModelRouteAdmin(BoundedAdmin):
    """Tried in order of `sort`; a room may pin one."""

    form = RouteForm
    list_display = ("name", "kind", "model", "is_enabled", "sort", "hedges", "max_concurrent", "key", "maker")
    list_filter = ("kind", "is_enabled")
    search_fields = ("name", "model")
    fields = (
        "origin", *(field.name for field in ModelRoute._meta.fields if field.editable and not field.primary_key), "key",
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("origin", "key", *(ENVIRONMENTS if obj and obj.is_from_environment else ()))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.is_from_environment)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    @admin.display(description=_("origin"))
    def origin(self, route: ModelRoute) -> str:
        return str(FROM_ENVIRONMENT) if route.is_from_environment else gettext("Made here.")

    @admin.display(description=_("origin"))
    def maker(self, route: ModelRoute) -> str:
        if not route.is_from_environment:
            return gettext("Made here.")
        return gettext("The environment; its variables are gone.") if route.is_gone else gettext("The environment.")

    @admin.display(description=_("key"))
    def key(self, route: ModelRoute) -> str:
        if not route.api_key_env:
            return gettext("none needed")
        is_set = bool(os.environ.get(route.api_key_env))
        return (gettext("{name} is set") if is_set else gettext("{name} is NOT set")).format(name=route.api_key_env)
