"""Every command of the runbook runs, in the order of the page; and the Korean page names the same ones."""

from __future__ import annotations

import re
import shlex
from io import StringIO
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import call_command
from django.utils import timezone

from chat.alarms import RULES
from chat.models import Generation, ModelRoute, Room
from chat.rollout.verdicts import Decision, Verdict
from chat.stages.state import forget
from tests.chat.answers import answered
from tests.chat.kpi_traces import trace
from tests.people import make_room, make_route, make_user
from tests.source_code import ROOT

COMMAND = re.compile(r"`manage ([^`]+)`")
PAGES = ("RUNBOOK.md", "RUNBOOK.ko.md")


def commands(page: str) -> list[str]:
    return list(dict.fromkeys(COMMAND.findall((ROOT / page).read_text())))


def test_both_languages_name_the_same_commands() -> None:
    assert sorted(commands(PAGES[0])) == sorted(commands(PAGES[1]))


def test_both_languages_have_the_same_rows() -> None:
    first, second = ((ROOT / page).read_text() for page in PAGES)
    assert first.count("\n|") == second.count("\n|")
    assert first.count("\n## ") == second.count("\n## ")


def test_every_alarm_has_a_row() -> None:
    for page in PAGES:
        text = (ROOT / page).read_text()
        assert [rule.name for rule in RULES if f"`{rule.name}`" not in text] == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("page", PAGES)
def test_every_command_runs(page: str, settings: Any) -> None:
    settings.ALARM_EMAILS = ["ops@example.org"]
    make_user("admin", is_staff=True, is_superuser=True)
    make_route(options={"text": "Good evening."})
    forget()
    room = make_room(make_user("alice"))
    for command in [filled(command, room) for command in commands(page)]:
        # As if the gate had seen enough: what it says is tested elsewhere.
        with (
            patch("chat.stages.gate.verdict_now", lambda: Verdict(Decision.PROMOTE, ())),
            patch("getpass.getpass", return_value="a new and long password"),
        ):
            call_command(*shlex.split(command), stdout=StringIO(), stderr=StringIO())


def filled(command: str, room: Room) -> str:
    message = str(answered(room))
    request_id = Generation.objects.get(message_id=message).request_id
    trace(room, timezone.now(), request_id=request_id, message_id=message, marks={"accepted": 3.0, "settled": 900.0})
    route = ModelRoute.objects.values_list("name", flat=True)[0]
    for blank, value in (
        ("<message or requestId>", message), ("<message>", message), ("<room>", str(room.pk)), ("NAME", route),
    ):
        command = command.replace(blank, value)
    return command
