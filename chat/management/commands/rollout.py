"""`manage.py rollout`: where streaming stands, and the ways to move it."""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import override

from chat import stages
from chat.models import RolloutDecision
from chat.stages.changes import Order
from chat.stages.gate import require_promotable, verdict_now
from chat.stages.words import describe, evidence, judged, sentences

ACTIONS = ("status", "promote", "hold", "release", "rollback", "history")


class Command(BaseCommand):
    help = "The staged rollout: status, promote, hold, release, rollback, history. A change acts within 5 s everywhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=ACTIONS)
        parser.add_argument("--why", default="", help="kept in the history; needed for every change")
        parser.add_argument("--to", type=int, help="the stage to promote (1 to 4) or roll back (0 to 3) to")
        parser.add_argument("--percent", type=int, help="promote: another share than the stage's own")
        parser.add_argument("--force", action="store_true", help="promote: without the gate's word")
        parser.add_argument("--auto", action="store_true", help="promote, release: the gate may promote from here on")
        parser.add_argument("--manual", action="store_true", help="promote, release: a person promotes from here on")
        parser.add_argument("--json", action="store_true", help="status, history: for programs")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        if options["auto"] and options["manual"]:
            raise CommandError("Either --auto or --manual.")
        try:
            getattr(self, action)(options)
        except stages.RolloutRefused as refused:
            raise CommandError(str(refused)) from None

    def status(self, options: dict[str, Any]) -> None:
        state = stages.read()
        verdict = verdict_now()
        if options["json"]:
            found = {**asdict(state), "verdict": verdict.decision, "reasons": verdict.reasons}
            self.stdout.write(json.dumps(found, default=str, indent=2))
            return
        decision, *reasons = judged(verdict)
        for line in (*describe(state), _("Verdict: {decision}").format(decision=decision), *reasons):
            self.stdout.write(line)

    def promote(self, options: dict[str, Any]) -> None:
        if not options["force"]:
            require_promotable()
        self.tell(stages.promote(
            order(options), to=options["to"], percent=options["percent"], auto=wanted_auto(options)
        ))

    def hold(self, options: dict[str, Any]) -> None:
        self.tell(stages.hold(order(options)))

    def release(self, options: dict[str, Any]) -> None:
        self.tell(stages.release(order(options), auto=wanted_auto(options)))

    def rollback(self, options: dict[str, Any]) -> None:
        # In a hurry nobody looks for words.
        order_now = order({**options, "why": options["why"] or _("rolled back by hand")})
        self.tell(stages.rollback(order_now, to=options["to"] or 0))

    def history(self, options: dict[str, Any]) -> None:
        decisions = RolloutDecision.objects.all()[:100]
        if options["json"]:
            self.stdout.write(json.dumps([in_json(decision) for decision in decisions], default=str, indent=2))
            return
        for decision in decisions:
            for line in sentences(decision):
                self.stdout.write(line)
        if not decisions:
            self.stdout.write(_("Nothing was ever decided: everybody is streamed to."))

    def tell(self, state: stages.State) -> None:
        self.stdout.write(describe(state)[0])


def in_json(decision: RolloutDecision) -> dict[str, Any]:
    """In English, whatever the language of the installation: programs read it."""
    fields = ("at", "who", "action", "from_stage", "to_stage", "percent", "why")
    with override("en"):
        return {**{name: getattr(decision, name) for name in fields}, "evidence": evidence(decision)}


def order(options: dict[str, Any]) -> Order:
    return Order(who=f"{getpass.getuser()} (manage.py)", why=options["why"])


def wanted_auto(options: dict[str, Any]) -> bool | None:
    return True if options["auto"] else False if options["manual"] else None
