"""`manage.py loadtest`: people who are none, at a running deployment's doors, and K1 to K3 of what they saw."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from chat import load_guests
from chatproject.checks import is_local
from streaming.loadtest import running, summary
from streaming.loadtest.crowd import Crowd
from streaming.loadtest.model_server import ModelServer
from streaming.loadtest.plan import NoLoadTest, Plan, plan_of, tail_of
from streaming.loadtest.recorded import recorded

REFUSED, NOT_MET = 2, 1
ANSWER = "80,50"
CLEAN_UP = "`manage.py loadtest --clean-up` there deletes them"


class Command(BaseCommand):
    help = "Load a running deployment with people who are none; prints K1 to K3 with bounds. Ctrl-C ends it well."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("--url", default=settings.SITE_URL, help="the site's address (SITE_URL)")
        add("--yes-this-deployment", action="store_true", help="needed where the address is not this machine's")
        add("--users", type=int, default=10, help="people who talk at the same time (10)")
        length = parser.add_mutually_exclusive_group()
        length.add_argument("--seconds", type=float, help="how long to send (60)")
        length.add_argument("--messages", type=int, help="or how many messages, of everybody together")
        add("--ramp-seconds", type=float, help="over which people come (five a second)")
        add("--think", default="12,40", metavar="P50,P95", help="between an answer's end and the next message (12,40)")
        add("--path", default="socket", choices=["socket", "sse", "completed"], help="the way asked first (socket)")
        add("--character", default="", help="slug of whom to talk to; the first one unless said")
        add("--drain-seconds", type=float, default=30.0, help="how long the last answers may take (30)")
        add("--seed", type=int, default=1, help="of thoughts, words and the tail (1)")
        add("--json", action="store_true", help="for programs")
        add("--require", action="store_true", help="exit with 1 unless K1 to K3 are met: missed and open are not")
        add("--keep", action="store_true", help="leave guests, rooms and traces there, to be looked at")
        add("--clean-up", action="store_true", help="only delete what load tests left in this database")
        self._add_model(parser)

    def _add_model(self, parser: ArgumentParser) -> None:
        group = parser.add_argument_group("a simulated model, which the deployment must have been told to ask")
        tail = group.add_mutually_exclusive_group()
        tail.add_argument("--tail", metavar="P50,P95[,STALLS]", help="seconds to first words, lognormal; stalls in %%")
        tail.add_argument(
            "--tail-from-traces", type=float, nargs="?", const=7.0, metavar="DAYS",
            help="as this database's own models were in the last days (7)",
        )
        group.add_argument("--answer", metavar="TOKENS,RATE", help=f"its length and pace, with --tail ({ANSWER})")
        group.add_argument("--model-port", type=int, default=8100, help="where it listens (8100)")
        group.add_argument("--model-host", default="127.0.0.1", help="on which address (127.0.0.1)")
        group.add_argument("--serve-model", action="store_true", help="serve it and nothing else, until Ctrl-C")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["clean_up"]:
                self._clean_up()
            elif options["serve_model"]:
                running.serve(self._required_model(options), where(options))
            else:
                self._load(plan_of(options), options)
        except NoLoadTest as refused:
            raise CommandError(str(refused), returncode=REFUSED) from None

    def _load(self, plan: Plan, options: dict[str, Any]) -> None:
        if not (is_local(plan.url) or options["yes_this_deployment"]):
            raise NoLoadTest(
                f"{plan.url} is not this machine: {plan.users} users will come to it and talk, at its model's price. "
                "If you mean it, say --yes-this-deployment."
            )
        model = model_of(options)
        crowd = Crowd(plan, model)
        try:
            is_interrupted = running.run(crowd, model, where(options), plan.drain_seconds, users=plan.users)
        finally:
            self._tidy(crowd, keeps=options["keep"])
        self._tell(plan, crowd, as_json=options["json"])
        if is_interrupted:
            raise SystemExit(running.INTERRUPTED)
        if options["require"] and (missing := summary.not_met(crowd.findings)):
            raise CommandError(f"Not met: {', '.join(missing)}.", returncode=NOT_MET)

    def _tell(self, plan: Plan, crowd: Crowd, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(summary.plain(plan, crowd.findings), indent=2))
            return
        for line in summary.lines(plan, crowd.findings):
            self.stdout.write(line)

    def _tidy(self, crowd: Crowd, *, keeps: bool) -> None:
        """Where the deployment's database is this one, nothing stays; else it is said what does."""
        found = crowd.findings
        if not found.guests:
            return
        what = f"{found.guests} guests and {len(found.rooms)} rooms"
        try:
            ours = [] if keeps else load_guests.of_rooms(found.rooms)
            if ours:
                load_guests.delete(load_guests.guests().filter(pk__in=ours))
        except DatabaseError:
            ours = []
        self.stderr.write(f"Deleted: {what}." if ours else f"What stays: {what}; {CLEAN_UP}.")

    def _clean_up(self) -> None:
        try:
            left = load_guests.delete(load_guests.guests())
        except DatabaseError as error:
            raise NoLoadTest(f"The database cannot be used: {str(error).splitlines()[0]}") from None
        self.stdout.write(f"Deleted: {left.guests} guests and {left.rooms} rooms.")

    def _required_model(self, options: dict[str, Any]) -> ModelServer:
        model = model_of(options)
        if model is None:
            raise NoLoadTest("--serve-model needs --tail or --tail-from-traces.")
        return model


def model_of(options: dict[str, Any]) -> ModelServer | None:
    """Raises NoLoadTest."""
    if options["tail"] is not None:
        answer = ANSWER if options["answer"] is None else options["answer"]
        return ModelServer(tail_of(options["tail"], answer), options["seed"])
    if options["answer"] is not None:
        raise NoLoadTest("--answer is of the simulated model of --tail: say --tail too, or leave it out.")
    if options["tail_from_traces"] is None:
        return None
    try:
        return ModelServer(recorded(options["tail_from_traces"]), options["seed"])
    except DatabaseError as error:
        raise NoLoadTest(f"The database cannot be used: {str(error).splitlines()[0]}") from None


def where(options: dict[str, Any]) -> tuple[str, int]:
    """Raises NoLoadTest."""
    if not 0 <= options["model_port"] < 65536:
        raise NoLoadTest(f"--model-port is a number from 1 to 65535, not {options['model_port']}.")
    return options["model_host"], options["model_port"]
