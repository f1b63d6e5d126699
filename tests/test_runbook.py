"""Every command of the runbook runs, in the order of the page; and the Korean page names the same ones."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from io import StringIO
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import call_command
from django.utils import timezone
from prometheus_client import REGISTRY

from chat.alarms import RULES
from chat.models import Generation, ModelRoute, Room
from chat.rollout.verdicts import Decision, Verdict
from chat.stages.state import forget
from tests.chat.answers import answered
from tests.chat.kpi_traces import trace
from tests.live import LiveServer
from tests.live_databases import LiveDatabases
from tests.people import make_room, make_route, make_user
from tests.source_code import ROOT

COMMAND = re.compile(r"`manage ([^`]+)`")
SPAN = re.compile(r"`([^`]+)`")
PAGES = ("RUNBOOK.md", "RUNBOOK.ko.md")


def commands(page: str) -> list[str]:
    return list(dict.fromkeys(COMMAND.findall((ROOT / page).read_text())))


def test_both_languages_say_the_same_in_each_cell_of_each_row() -> None:
    """As far as a program can tell: the names in it."""
    assert cells(PAGES[0]) == cells(PAGES[1])
    assert outline(PAGES[0]) == outline(PAGES[1])


def cells(page: str) -> list[list[list[str]]]:
    """Of each row of each table, the names in each of its cells."""
    rows = [line for line in (ROOT / page).read_text().splitlines() if line.startswith("|")]
    return [[sorted(SPAN.findall(cell)) for cell in re.split(r" \| ", row)] for row in rows]


def outline(page: str) -> list[tuple[int, list[str]]]:
    """Of each chapter, how many lists and rows it has, and the names outside of them."""
    found = []
    for chapter in (ROOT / page).read_text().split("\n## ")[1:]:
        prose = " ".join(line for line in chapter.splitlines() if not line.startswith("|"))
        found.append((len(re.findall(r"^(?:\||\d\.)", chapter, re.MULTILINE)), sorted(SPAN.findall(prose))))
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_alarm_has_a_row_with_its_meaning(page: str) -> None:
    rows = [line.split(" | ") for line in (ROOT / page).read_text().splitlines() if line.startswith("| `")]
    for rule in RULES:
        (row,) = [row for row in rows if row[0] == f"| `{rule.name}`"]
        assert len(row) == 4
        assert all(cell.strip(" |") for cell in row)


@pytest.mark.parametrize("page", PAGES)
def test_every_metric_and_setting_that_is_named_is_there(page: str) -> None:
    text = (ROOT / page).read_text()
    import_module("streaming.engine")
    import_module("chat.api")
    known = {sample for family in REGISTRY.collect() for sample in (family.name, f"{family.name}_total")}
    assert set(re.findall(r"soksak_[a-z_]+", text)) - known == set()
    configured = (ROOT / "CONFIGURATION.md").read_text() + (ROOT / "Makefile").read_text()
    named = set(re.findall(r"\b(?:[A-Z]{3,}_[A-Z_]+|PORT)\b", " ".join(SPAN.findall(text))))
    # Those of a way to a model stand in a table of their own, without its name.
    ways = {f"{name.partition('_')[0]}_" for name in named if f"`…_{name.partition('_')[2]}`" in configured}
    assert [name for name in sorted(named) if name not in configured and not name.startswith(tuple(ways))] == []


@pytest.mark.parametrize("page", PAGES)
def test_what_is_no_command_of_ours_is_run_by_other_tests(page: str) -> None:
    """tests/test_make_run.py runs the one, tests/chat/test_outbox_celery.py the other."""
    spans = SPAN.findall((ROOT / page).read_text())
    assert {span for span in spans if span.startswith(("make", "celery", "python", "redis", "psql"))} == {
        "make run", "celery -A chatproject worker --beat",
    }


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
        with (
            patch("chat.stages.gate.verdict_now", lambda: Verdict(Decision.PROMOTE, ())),
            patch("getpass.getpass", return_value="a new and long password"),
        ):
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
