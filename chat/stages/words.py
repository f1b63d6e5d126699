"""The rollout in words, for the terminal and the admin, in the reader's language."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from waffle import switch_is_active

from chat.models import RolloutDecision
from chat.models.rollout import NAME
from chat.rollout.verdicts import Decision, Verdict
from chat.sayings import kept, say
from chat.stages.cohorts import STAGES
from chat.stages.state import State

#: The admin's kill switch; CHAT_STREAMING_ENABLED is above it.
SWITCH = NAME


def describe(state: State) -> list[str]:
    """The first line is the whole of it; the others say what holds it."""
    lines = [stage_in_words(state.stage, state.percent)]
    if state.since is not None:
        lines.append(_("Since {when}.").format(when=f"{timezone.localtime(state.since):%Y-%m-%d %H:%M}"))
    if state.is_held:
        lines.append(_("Held: the gate does not promote."))
    lines.append(_("The gate promotes by itself.") if state.is_auto else _("A person promotes."))
    if not settings.CHAT_STREAMING_ENABLED:
        lines.append(_("KILLED by CHAT_STREAMING_ENABLED=false: nobody is streamed to, whatever the stage."))
    elif not switch_is_active(SWITCH):
        lines.append(_("KILLED by the switch chat_streaming in the admin: nobody is streamed to, whatever the stage."))
    return lines


def stage_in_words(stage: int, percent: int | None = None) -> str:
    """`percent` None: the stage's own."""
    share = STAGES[stage].percent if percent is None else percent
    whom = STAGES[stage].whom
    if whom == "nobody":
        return _("Stage {stage}: nobody is streamed to.").format(stage=stage)
    if whom == "staff":
        return _("Stage {stage}: {percent} % of staff and internal accounts are streamed to.").format(
            stage=stage, percent=share
        )
    if share == 100:
        return _("Stage {stage}: everybody is streamed to.").format(stage=stage)
    return _("Stage {stage}: {percent} % of everybody are streamed to.").format(stage=stage, percent=share)


def judged(verdict: Verdict) -> list[str]:
    """The decision, then its reasons."""
    names = {**dict(RolloutDecision.Action.choices), Decision.NOT_ENOUGH_DATA: _("not enough data")}
    return [str(names[verdict.decision]), *(say(reason, _) for reason in verdict.reasons)]


def sentences(decision: RolloutDecision) -> list[str]:
    at = f"{timezone.localtime(decision.at):%Y-%m-%d %H:%M:%S}"
    told = _("{at}  {action}: stage {before} → {after} at {percent} %, by {who}: {why}").format(
        at=at, action=decision.get_action_display(), before=decision.from_stage, after=decision.to_stage,
        percent=decision.percent, who=decision.who, why=reason(decision),
    )
    return [told, *(f"    {line}" for line in evidence(decision))]


def reason(decision: RolloutDecision) -> str:
    return say(decision.reason, _)


def evidence(decision: RolloutDecision) -> list[str]:
    return [say(kept(line), _) for line in decision.evidence]
