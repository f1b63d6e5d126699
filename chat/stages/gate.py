"""The gate: four times a minute what came is counted, judged by chat/rollout, and acted upon. Knows no statistics.

Each trace is counted once, SETTLE after the server had written it, so that its browser has had time to report; lost
or doubled text is counted whenever it is reported, however late. All times are the database's: clocks differ. What
is counted of whom, chat/stages/counts.py says.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext
from prometheus_client import Counter

from chat.kpi.definitions import CONTROL, STREAMED
from chat.models import RolloutState, Trace
from chat.rollout.conditions import Rules
from chat.rollout.evidence import GAP, Evidence, Minute, begun
from chat.rollout.slos import LOST
from chat.rollout.tallies import Tally
from chat.rollout.verdicts import Decision, Verdict, decide
from chat.sayings import N_, Saying, say
from chat.stages.changes import LAST, Order, RolloutRefused, promote, rollback
from chat.stages.counts import counted, readers_who_lost, tallies
from chat.stages.state import ONLY

SETTLE = timedelta(seconds=15)
GATE = "gate"
#: Told by its browser before the server has: no figure of it is final.
UNTOLD = Q(outcome="", message__isnull=False)

CLOCK_WENT_BACK = Counter("soksak_rollout_clock_went_back_total", "Looks of the gate at a time before the last one's.")

log = structlog.get_logger(__name__)


def watch() -> None:
    """Run by the schedule. Two at once: the later one's count is thrown away."""
    found = _now()
    if found is None or found[0].stage == 0:
        return
    row, until = found
    evidence = evidence_of(row)
    if until < evidence.looked:
        CLOCK_WENT_BACK.inc()
        log.warning("rollout_clock_went_back", seconds=(evidence.looked - until).total_seconds())
        if evidence.looked - until <= GAP:
            # It catches up soon, and nothing is counted twice.
            return
        evidence.forget(until)
    evidence.feed(minute_of(row, evidence, until))
    if _keep(row, evidence, until):
        _act(row, decide(evidence, until, _rules(row)))


def verdict_now() -> Verdict:
    """What the evidence allows now, which is not what it allowed when somebody last looked."""
    found = _now()
    if found is None or found[0].stage == 0:
        return _unknown(N_("There is no stage to judge."))
    row, until = found
    if row.looked_at is None or row.looked_at < row.since:
        return _unknown(N_("Nobody has looked at this stage yet."))
    return decide(evidence_of(row), until, _rules(row))


def require_promotable() -> None:
    """Raises RolloutRefused with the reasons. The first stage needs no evidence: there is none before it."""
    row = RolloutState.objects.filter(pk=ONLY).first()
    verdict = verdict_now()
    if row is not None and row.stage and verdict.decision != Decision.PROMOTE:
        reasons = [say(reason, gettext) for reason in verdict.reasons]
        raise RolloutRefused("\n".join((gettext("The gate does not promote this stage:"), *reasons)))


def evidence_of(row: RolloutState) -> Evidence:
    """Of this stage; what another one left is forgotten."""
    if row.evidence:
        kept = msgspec.convert(row.evidence, Evidence)
        if kept.began == row.since:
            return kept
    return begun(row.since)


def minute_of(row: RolloutState, evidence: Evidence, until: datetime) -> Minute:
    """What came from the last look until now, of both cohorts."""
    since_looked = ~UNTOLD & Q(settled_at__gte=evidence.looked, settled_at__lt=until)
    stage = {cohort: _stage_rows(row).filter(cohort=cohort) for cohort in (STREAMED, CONTROL)}
    counts = {cohort: counted(rows, rows.filter(since_looked), evidence.looked) for cohort, rows in stage.items()}
    ours = counts[STREAMED]
    lost = readers_who_lost(stage[STREAMED]) - evidence.seen[LOST.key].stream.bad
    return Minute(
        at=until, stream={**tallies(ours), LOST.key: Tally(max(ours["checked"], lost), max(lost, 0))},
        control=tallies(counts[CONTROL]), requests=ours["sends"], timed=ours["timed"],
    )


# Internal


def _now() -> tuple[RolloutState, datetime] | None:
    """The state, and until when what was written has had time to settle."""
    row: Any = RolloutState.objects.filter(pk=ONLY).annotate(now=Now()).first()
    return None if row is None else (row, max(row.now - SETTLE, row.since))


def _unknown(why: Saying) -> Verdict:
    return Verdict(Decision.NOT_ENOUGH_DATA, (why,))


def _rules(row: RolloutState) -> Rules:
    return Rules(is_last=row.stage == LAST)


def _stage_rows(row: RolloutState) -> QuerySet[Trace]:
    return Trace.objects.filter(stage=row.stage, settled_at__gte=row.since).order_by()


def _keep(row: RolloutState, evidence: Evidence, until: datetime) -> bool:
    """By compare-and-set on the looks and the version: nothing is counted twice, nor for a stage that has gone."""
    same = RolloutState.objects.filter(pk=ONLY, version=row.version, looks=row.looks)
    return bool(same.update(looks=F("looks") + 1, looked_at=until, evidence=msgspec.to_builtins(evidence)))


def _act(row: RolloutState, verdict: Verdict) -> None:
    why = verdict.reasons[0] if verdict.reasons else N_("every objective holds")
    order = Order(GATE, why, row.version, verdict.reasons)
    try:
        if verdict.decision is Decision.ROLLBACK:
            rollback(order)
            log.error("rollout_rolled_back", stage=row.stage, reasons=verdict.reasons)
        elif verdict.decision is Decision.PROMOTE and row.is_auto and not row.is_held and row.stage < LAST:
            promote(order)
            log.info("rollout_promoted", stage=row.stage + 1)
    except RolloutRefused as refused:
        # A person was quicker; what they decided is newer than this evidence.
        log.warning("rollout_gate_overtaken", reason=str(refused))
