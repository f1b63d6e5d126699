"""The only ways in which the rollout moves: each names what it saw, changes one row and leaves one decision."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from chat.models import RolloutDecision, RolloutState
from chat.sayings import keep
from chat.stages.cohorts import STAGES
from chat.stages.state import ONLY, State, forget, read

LAST = len(STAGES) - 1


class RolloutRefused(Exception):
    """What was asked for cannot be, in words for a person; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Order:
    """Who wants it and why; `version` is of the state they saw, None: whatever it is now."""

    who: str
    why: str
    version: int | None = None
    evidence: Sequence[str] = ()


def put(order: Order, wanted: State) -> State:
    """As a form has it: stage, share, hold and auto together; which way it goes, the two tell."""
    seen = read()
    if not 0 <= wanted.stage <= LAST:
        raise RolloutRefused(_("Stages are 0 to {last}; {stage} is none.").format(last=LAST, stage=wanted.stage))
    share = wanted.percent if wanted.stage else 0
    _check_share(share if wanted.stage else 1)
    ours, theirs = (wanted.stage, share), (seen.stage, seen.percent)
    to = replace(seen, stage=wanted.stage, percent=share, is_held=wanted.is_held, is_auto=wanted.is_auto)
    if ours == theirs and to == seen:
        raise RolloutRefused(_("Nothing would be different."))
    action = "promote" if ours > theirs else "rollback" if ours < theirs else "hold" if to.is_held else "release"
    return _move(order, action, seen, to)


def promote(order: Order, *, to: int | None = None, percent: int | None = None, auto: bool | None = None) -> State:
    """To the next stage, or to the one named, which may be the same with a larger share."""
    seen = read()
    if percent is not None:
        _check_share(percent)
        if to is None and seen.stage == 0:
            raise RolloutRefused(_("Nobody is streamed to yet: say which stage shall have that share."))
    stage = (min(seen.stage + 1, LAST) if percent is None else seen.stage) if to is None else to
    if not 1 <= stage <= LAST:
        raise RolloutRefused(_("Stages to promote to are 1 to {last}; {stage} is none.").format(last=LAST, stage=stage))
    share = STAGES[stage].percent if percent is None else percent
    if (stage, share) <= (seen.stage, seen.percent):
        told = _("Stage {stage} at {percent} % is there already; to go back, roll back.")
        raise RolloutRefused(told.format(stage=seen.stage, percent=seen.percent))
    # What was held is let go by whoever moves it on.
    return _move(order, "promote", seen, replace(
        seen, stage=stage, percent=share, is_held=False, is_auto=seen.is_auto if auto is None else auto
    ))


def rollback(order: Order, *, to: int = 0) -> State:
    """At once, for everybody; answers that are being written are finished as they were begun. Never held up."""
    seen = read()
    if not 0 <= to < max(seen.stage, 1):
        told = _("From stage {stage} one can go back to 0 or to a stage before it; {to} is neither.")
        raise RolloutRefused(told.format(stage=seen.stage, to=to))
    if seen.stage == 0:
        raise RolloutRefused(_("Nobody is streamed to; there is nothing to roll back."))
    return _move(order, "rollback", seen, replace(seen, stage=to, percent=STAGES[to].percent, is_auto=False))


def hold(order: Order) -> State:
    """The gate promotes no further, and a person only by saying so; it may still roll back."""
    seen = read()
    return _move(order, "hold", seen, replace(seen, is_held=True))


def release(order: Order, *, auto: bool | None = None) -> State:
    """The end of a hold; with `auto` whether the gate may promote by itself."""
    seen = read()
    is_auto = seen.is_auto if auto is None else auto
    return _move(order, "release", seen, replace(seen, is_held=False, is_auto=is_auto))


# Internal


def _check_share(share: int) -> None:
    if not 1 <= share <= 100:
        raise RolloutRefused(_("A share is 1 to 100 per cent; {share} is none.").format(share=share))


def _move(order: Order, action: str, seen: State, to: State) -> State:
    if not order.why.strip():
        raise RolloutRefused(_("Say why: it is kept in the history."))
    if order.version is not None and order.version != seen.version:
        raise RolloutRefused(_("Somebody has changed the rollout meanwhile. Look at it again."))
    is_moved = (to.stage, to.percent) != (seen.stage, seen.percent)
    to = replace(to, salt=seen.salt or secrets.token_hex(8), version=seen.version + 1)
    with transaction.atomic():
        _write(seen, to, is_new=is_moved or not seen.since)
        RolloutDecision.objects.create(
            who=order.who[:150], action=action, from_stage=seen.stage, to_stage=to.stage, percent=to.percent,
            why=order.why.strip(), evidence=[keep(line) for line in order.evidence],
        )
        transaction.on_commit(forget)
        return read()


def _write(seen: State, to: State, *, is_new: bool) -> None:
    """By compare-and-set on the version. Raises RolloutRefused when somebody was quicker."""
    columns: dict[str, Any] = {
        "stage": to.stage, "percent": to.percent, "salt": to.salt, "is_held": to.is_held, "is_auto": to.is_auto,
        # The database's clock, as traces have it.
        "since": Now() if is_new else to.since,
    }
    try:
        with transaction.atomic():
            if seen.version == 0:
                RolloutState.objects.create(pk=ONLY, version=to.version, **columns)
                return
    except IntegrityError:
        raise RolloutRefused(_("Somebody has changed the rollout meanwhile. Look at it again.")) from None
    rows = RolloutState.objects.filter(pk=ONLY, version=seen.version)
    if not rows.update(**columns, version=F("version") + 1):
        raise RolloutRefused(_("Somebody has changed the rollout meanwhile. Look at it again."))
