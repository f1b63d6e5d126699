"""The rollout's flag, which is changed with a reason, and its history."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chat import stages
from chat.admin.base import AnyModelForm, BoundedAdmin, ReadOnlyAdmin, pre
from chat.models import RolloutDecision, RolloutState
from chat.stages.changes import Order
from chat.stages.cohorts import STAGES
from chat.stages.gate import require_promotable, verdict_now
from chat.stages.words import describe, sentences, stage_in_words

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
    actions = ("roll_back",)
    readonly_fields = ("in_words", "judged", "looked_at", "since", "history")
    fieldsets = (
        (None, {"fields": ("in_words", "judged", "looked_at", "since")}),
        (_("Change"), {"fields": ("stage", "percent", "is_held", "is_auto", "force", "why", "version")}),
        (_("history"), {"fields": ("history",)}),
    )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        found = super().get_form(request, obj, change=change, **kwargs)
        return type(found.__name__, (found,), {"who": request.user.get_username()})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not RolloutState.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_move_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.change_rolloutstate")

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> RolloutState:
        return RolloutState.objects.get()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """By the form."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """It has none."""

    @admin.action(description=_("ROLL BACK: nobody is streamed to"), permissions=["move"])
    def roll_back(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        order = Order(who=request.user.get_username(), why=gettext("by hand, in the admin"))
        try:
            self.message_user(request, describe(stages.rollback(order))[0], messages.SUCCESS)
        except stages.RolloutRefused as refused:
            self.message_user(request, str(refused), messages.ERROR)

    @admin.display(description=_("in words"))
    def in_words(self, row: RolloutState) -> SafeString:
        return pre("\n".join(describe(stages.read())))

    @admin.display(description=_("the gate's verdict"))
    def judged(self, row: RolloutState) -> SafeString:
        verdict = verdict_now()
        return pre("\n".join((verdict.decision, *verdict.reasons)))

    @admin.display(description=_("history"))
    def history(self, row: RolloutState) -> SafeString:
        newest = RolloutDecision.objects.all()[:SHOWN_DECISIONS]
        return pre("\n".join(line for decision in newest for line in sentences(decision)))


@admin.register(RolloutDecision)
class RolloutDecisionAdmin(ReadOnlyAdmin):
    list_display = ("at", "action", "why", "who", "from_stage", "to_stage", "percent")
    list_filter = ("action",)
    fields = ("at", "who", "action", "from_stage", "to_stage", "percent", "why", "evidence_in_words")
    readonly_fields = fields

    @admin.display(description=_("evidence"))
    def evidence_in_words(self, decision: RolloutDecision) -> SafeString:
        return pre("\n".join(str(line) for line in decision.evidence))
