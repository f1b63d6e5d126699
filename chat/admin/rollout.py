"""The rollout's history, and what stage it is; moved by actions that ask for the permission to change it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from chat import stages
from chat.admin.base import ReadOnlyAdmin, pre
from chat.models import RolloutDecision, RolloutState
from chat.stages.changes import Order
from chat.stages.gate import require_promotable, verdict_now
from chat.stages.words import describe


@admin.register(RolloutState)
class RolloutStateAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "since", "is_held", "is_auto", "in_words")
    fields = ("in_words", "judged", "looked_at", "stage", "percent", "since", "is_held", "is_auto", "version")
    readonly_fields = fields
    actions = ("promote", "hold", "release", "roll_back")

    def has_move_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.change_rolloutstate")

    @admin.action(description="Promote to the next stage", permissions=["move"])
    def promote(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._move(request, promote_what_is_proven)

    @admin.action(description="Hold: no promotion", permissions=["move"])
    def hold(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._move(request, stages.hold)

    @admin.action(description="Release the hold", permissions=["move"])
    def release(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._move(request, stages.release)

    @admin.action(description="ROLL BACK: nobody is streamed to", permissions=["move"])
    def roll_back(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._move(request, stages.rollback)

    def _move(self, request: HttpRequest, how: Callable[[Order], stages.State]) -> None:
        order = Order(who=request.user.get_username(), why="by hand, in the admin")
        try:
            self.message_user(request, describe(how(order))[0], messages.SUCCESS)
        except stages.RolloutRefused as refused:
            self.message_user(request, str(refused), messages.ERROR)

    @admin.display(description="in words")
    def in_words(self, row: RolloutState) -> SafeString:
        return pre(" ".join(describe(stages.read())))

    @admin.display(description="the gate's verdict")
    def judged(self, row: RolloutState) -> SafeString:
        verdict = verdict_now()
        return pre("\n".join((verdict.decision, *verdict.reasons)))


def promote_what_is_proven(order: Order) -> stages.State:
    require_promotable()
    return stages.promote(order)


@admin.register(RolloutDecision)
class RolloutDecisionAdmin(ReadOnlyAdmin):
    list_display = ("at", "action", "from_stage", "to_stage", "percent", "who", "why")
    list_filter = ("action",)
    fields = ("at", "who", "action", "from_stage", "to_stage", "percent", "why", "evidence_in_words")
    readonly_fields = fields

    @admin.display(description="evidence")
    def evidence_in_words(self, decision: RolloutDecision) -> SafeString:
        return pre("\n".join(str(line) for line in decision.evidence))
