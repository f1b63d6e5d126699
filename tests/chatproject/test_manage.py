"""manage.py where something is odd: no traceback for a pipe that is read no further, nor for a variable's bad value."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core import management

import manage
from chat import stages
from chat.stages.changes import Order
from tests.chat.test_outbox_celery import database_url

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).parents[2]
PIPED = 'set -o pipefail; "$0" manage.py "$@" | head -n 1'
UNREAD = 'set -o pipefail; "$0" manage.py "$@" | true'
ENDED_BY_PIPE = 141


def piped(how: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATABASE_URL": database_url(), "LOG_LEVEL": "ERROR", **variables}
    command = ["bash", "-c", how, sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_first_line_is_all_that_is_said() -> None:
    stages.rollback(Order("bob", "to look"), to=2)
    for _ in range(15):
        stages.hold(Order("bob", "not yet"))
        stages.release(Order("bob", "now"))
    ended = piped(PIPED, "rollout", "history", PYTHONUNBUFFERED="1")
    assert (ended.stderr, len(ended.stdout.splitlines())) == ("", 1)


@pytest.mark.parametrize(("command", "unbuffered"), [
    (("rollout", "history"), "1"), (("rollout", "history"), ""), (("kpi",), "1"), (("outbox",), "1"),
])
def test_nobody_reads_and_nothing_is_wrong(command: tuple[str, ...], unbuffered: str) -> None:
    """Noticed at a line, or where all lines are written: at the end."""
    ended = piped(UNREAD, *command, PYTHONUNBUFFERED=unbuffered)
    assert (ended.stderr, ended.stdout, ended.returncode) == ("", "", ENDED_BY_PIPE)


def test_what_breaks_elsewhere_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(argv: list[str]) -> None:
        raise BrokenPipeError("to a server")

    monkeypatch.setattr(management, "execute_from_command_line", broken)
    with pytest.raises(BrokenPipeError, match="to a server"):
        manage.main()


@pytest.mark.parametrize(("variable", "value"), [
    ("STREAM_DRAIN_SECONDS", "nan"), ("OUTBOX_LEASE_SECONDS", "inf"), ("TIMINGS_LATE_SECONDS", "-Infinity"),
    ("STREAM_WINDOW_EVENTS", "nan"), ("STREAM_DRAIN_SECONDS", "soon"),
])
def test_a_value_that_is_no_number_is_one_sentence_with_its_variable(variable: str, value: str) -> None:
    ended = piped('"$0" manage.py "$@"', "check", **{variable: value})
    assert (ended.returncode, ended.stdout, len(ended.stderr.splitlines())) == (2, "", 1)
    assert f'"{variable}" invalid' in ended.stderr
