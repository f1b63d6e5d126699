"""The rollout in words, for the terminal and the admin."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone
from waffle import switch_is_active

from chat.models import RolloutDecision
from chat.stages.cohorts import STAGES
from chat.stages.state import State

#: The admin's kill switch; CHAT_STREAMING_ENABLED is above it.
SWITCH = "chat_streaming"
WHOM = {"nobody": "nobody", "staff": "staff and internal accounts", "everybody": "everybody"}


def describe(state: State) -> list[str]:
    """The first line is the whole of it; the others say what holds it."""
    whom = WHOM[STAGES[state.stage].whom]
    whole = state.percent == 100 and whom == "everybody"
    lines = [f"Stage {state.stage}: " + (
        f"{whom} is streamed to." if whole or state.stage == 0 else f"{state.percent} % of {whom} are streamed to."
    )]
    if state.since is not None:
        lines.append(f"Since {timezone.localtime(state.since):%Y-%m-%d %H:%M}.")
    if state.is_held:
        lines.append("Held: the gate does not promote.")
    lines.append("The gate promotes by itself." if state.is_auto else "A person promotes.")
    if not settings.CHAT_STREAMING_ENABLED:
        lines.append("KILLED by CHAT_STREAMING_ENABLED=false: nobody is streamed to, whatever the stage.")
    elif not switch_is_active(SWITCH):
        lines.append(f"KILLED by the switch {SWITCH} in the admin: nobody is streamed to, whatever the stage.")
    return lines


def sentences(decision: RolloutDecision) -> list[str]:
    at = f"{timezone.localtime(decision.at):%Y-%m-%d %H:%M:%S}"
    return [
        f"{at}  {decision.action}: stage {decision.from_stage} → {decision.to_stage} at {decision.percent} %, "
        f"by {decision.who}: {decision.why}",
        *(f"    {line}" for line in decision.evidence),
    ]
