"""The rollout's flag, which is changed with a reason, and its history."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from chat import stages
from chat.admin.base import AnyModelForm, BoundedAdmin, ReadOnlyAdmin, pre
from chat.models import RolloutDecision, RolloutState
from chat.stages.changes import Order
from chat.stages.cohorts import STAGES
from chat.stages.gate import require_promotable, verdict_now
from chat.stages.words import describe, evidence, judged, reason, sentences, stage_in_words

SHOWN_DECISIONS = 10


class RolloutForm(AnyModelForm):
    """Saved by `clean`: what is refused, by the gate or because somebody was quicker, is told beside the form."""

    stage = forms.TypedChoiceField(
        label=_("stage"), coerce=int, choices=lambda: [(n, stage_in_words(n)) for n in range(len(STAGES))]
    )
    percent = forms.IntegerField(
        label=_("per cent"), min_value=0, max_value=100, required=False,
        help_text=_("Of those whom the stage is for. Empty: the stage's own share."),
    )
    why = forms.CharField(label=_("why"), max_length=500, widget=forms.TextInput(attrs={"class": "vTextField"}))
    force = forms.BooleanField(
        label=_("promote without the gate's word"), required=False,
    )
    version = forms.IntegerField(widget=forms.HiddenInput)
    #: Of whoever sends the form.
    who = ""

    class Meta:
        model = RolloutState
        fields = ("stage", "percent", "is_held", "is_auto")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.label = capfirst(str(field.label or ""))
        self.initial["version"] = self.instance.version if self.instance.pk else 0

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if not self.errors:
            self._move(found)
        return found

    def _move(self, found: dict[str, Any]) -> None:
        stage, percent, seen = found["stage"], found["percent"], stages.read()
        share = STAGES[stage].percent if percent is None else percent
        wanted = stages.State(stage=stage, percent=share, is_held=found["is_held"], is_auto=found["is_auto"])
        try:
            if (stage, share) > (seen.stage, seen.percent) and not found["force"]:
                require_promotable()
            stages.put(Order(who=self.who, why=found["why"], version=found["version"]), wanted)
        except stages.RolloutRefused as refused:
            raise forms.ValidationError(str(refused).split("\n")) from None

    def _post_clean(self) -> None:
        """The row has been written, by compare-and-set."""


@admin.register(RolloutState)
class RolloutStateAdmin(BoundedAdmin):
    form = RolloutForm
    list_display = ("__str__", "since", "is_held", "is_auto", "in_words")
    actions = None
    readonly_fields = ("in_words", "judged", "looked_at", "since", "history")
    fieldsets = (
        (None, {"fields": ("in_words", "judged", "looked_at", "since")}),
        (_("Change"), {"fields": ("stage", "percent", "is_held", "is_auto", "force", "why", "version")}),
        (_("History"), {"fields": ("history",)}),
    )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        found = super().get_form(request, obj, change=change, **kwargs)
        return type(found.__name__, (found,), {"who": request.user.get_username()})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not RolloutState.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> RolloutState:
        return RolloutState.objects.get()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """By the form."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """It has none."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        shown = {**self._button(request), "in_words": "\n".join(describe(stages.read())), **(extra_context or {})}
        return super().changelist_view(request, shown)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        return super().change_view(request, object_id, form_url, {**self._button(request), **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.roll_back))
        return [path("roll-back/", view, name="chat_rolloutstate_roll_back"), *super().get_urls()]

    def roll_back(self, request: HttpRequest) -> HttpResponseRedirect:
        """Also where nothing was ever decided, and everybody is streamed to."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        why = request.POST.get("why", "").strip()[:500] or gettext("by hand, in the admin")
        try:
            state = stages.rollback(Order(who=request.user.get_username(), why=why))
            self.message_user(request, describe(state)[0], messages.SUCCESS)
        except stages.RolloutRefused as refused:
            self.message_user(request, str(refused), messages.ERROR)
        return HttpResponseRedirect(reverse("admin:chat_rolloutstate_changelist"))

    def _button(self, request: HttpRequest) -> dict[str, bool]:
        return {"may_roll_back": self.has_change_permission(request) and stages.read().stage > 0}

    @admin.display(description=_("in words"))
    def in_words(self, row: RolloutState) -> SafeString:
        return pre("\n".join(describe(stages.read())))

    @admin.display(description=_("the gate's verdict"))
    def judged(self, row: RolloutState) -> SafeString:
        return pre("\n".join(judged(verdict_now())))

    @admin.display(description=_("history"))
    def history(self, row: RolloutState) -> SafeString:
        newest = RolloutDecision.objects.all()[:SHOWN_DECISIONS]
        return pre("\n".join(line for decision in newest for line in sentences(decision)))


@admin.register(RolloutDecision)
class RolloutDecisionAdmin(ReadOnlyAdmin):
    list_display = ("at", "action", "reason", "who", "from_stage", "to_stage", "percent")
    list_filter = ("action",)
    fields = ("at", "who", "action", "from_stage", "to_stage", "percent", "reason", "evidence_in_words")
    readonly_fields = fields

    @admin.display(description=_("why"))
    def reason(self, decision: RolloutDecision) -> str:
        return reason(decision)

    @admin.display(description=_("evidence"))
    def evidence_in_words(self, decision: RolloutDecision) -> SafeString:
        return pre("\n".join(evidence(decision)))
