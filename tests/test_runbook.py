"""Every command of the runbook runs, in the order of the page; and the Korean page names the same ones."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from io import StringIO
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import call_command
from django.utils import timezone

from chat.alarms import RULES
from chat.models import Generation, ModelRoute, RolloutState, Room
from chat.stages.state import forget
from tests.chat.answers import answered
from tests.chat.kpi_traces import trace
from tests.live import LiveServer
from tests.live_databases import LiveDatabases
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


@pytest.fixture(scope="module")
def deployment(live_databases: LiveDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one, for the commands that go to its doors."""
    folder = tmp_path_factory.mktemp("runbook") / "server"
    live = LiveServer(folder, env={"DATABASE_URL": live_databases.copy("sqlite", folder), "PROVIDER_KIND": "scripted"})
    live.start()
    yield live.url
    live.end()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("page", PAGES)
def test_every_command_runs(page: str, settings: Any, deployment: str) -> None:
    settings.ALARM_EMAILS = ["ops@example.org"]
    make_user("admin", is_staff=True, is_superuser=True)
    make_route(options={"text": "Good evening."})
    forget()
    room = make_room(make_user("alice"))
    for command in [filled(command, room, deployment) for command in commands(page)]:
        # As if the gate had seen enough: what it says is tested elsewhere.
        RolloutState.objects.update(verdict={"decision": "promote", "reasons": []})
        with patch("getpass.getpass", return_value="a new and long password"):
            call_command(*shlex.split(command), stdout=StringIO(), stderr=StringIO())


def filled(command: str, room: Room, url: str) -> str:
    message = str(answered(room))
    request_id = Generation.objects.get(message_id=message).request_id
    trace(room, timezone.now(), request_id=request_id, message_id=message, marks={"accepted": 3.0, "settled": 900.0})
    route = ModelRoute.objects.values_list("name", flat=True)[0]
    for blank, value in (
        ("<message or requestId>", message), ("<message>", message), ("<room>", str(room.pk)), ("NAME", route),
        ("URL", url), ("USERS", "1"), ("SECONDS", "1"),
    ):
        command = command.replace(blank, value)
    return command
