"""Alarms: once an incident, over when it is over, told to a real receiver, and visible where nobody takes them."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from chat import alarms, outbox, stages
from chat.alarms import delivery, incidents
from chat.alarms.rules import RULES, Rule
from chat.models import AlarmIncident, AlarmNotice, Generation, OutboxJob, PeriodicJob, ProcessLease, Room, Trace
from chat.stages.changes import Order
from tests.chat.answers import answered, job_of
from tests.chat.kpi_traces import traces
from tests.people import make_room, make_user

pytestmark = [pytest.mark.data, pytest.mark.django_db]


class Receiver:
    """A webhook's other end on loopback, with the status it is told to answer."""

    def __init__(self) -> None:
        self.got: list[dict[str, str]] = []
        self.status, self.drips = 200, False
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                while receiver.drips:
                    self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                self.send_response(receiver.status)
                self.send_header("Location", "http://127.0.0.1:9/")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook/secret-token"


@pytest.fixture
def receiver(settings: Any) -> Generator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    settings.ALARM_WEBHOOK_URL, settings.ALARM_EMAILS = made.url, ["ops@example.org"]
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def room(db: None) -> Room:
    return make_room(make_user("alice"))


def fail(room: Room, bad: int, good: int) -> None:
    traces(room, timezone.now(), [{"failure": "backend_failed"}] * bad + [{}] * good)


def age() -> None:
    """Everything that was sent is of an hour ago."""
    Trace.objects.update(created_at=timezone.now() - timedelta(hours=1))


def reading(name: str) -> alarms.Reading:
    found = next(rule for rule in RULES if rule.name == name).read()
    assert found is not None
    return found


def test_an_incident_is_told_once_to_each_and_once_when_it_is_over(receiver: Receiver, room: Room) -> None:
    fail(room, bad=20, good=80)
    for _ in range(3):
        alarms.watch()
    assert [notice["text"].splitlines()[0] for notice in receiver.got] == ["*[Soksak] Alarm: failed_sends*"]
    assert "20.0% of 100 sends failed" in receiver.got[0]["text"]
    assert [letter.to for letter in mail.outbox] == [["ops@example.org"]]
    age()
    fail(room, bad=0, good=100)
    for _ in range(incidents.CALM_LOOKS + 2):
        alarms.watch()
    assert ["Over" in notice["text"] for notice in receiver.got] == [False, True]
    assert [letter.subject for letter in mail.outbox][1:] == ["[Soksak] Over: failed_sends"]
    incident = AlarmIncident.objects.get()
    assert incident.closed_at is not None
    assert incident.worst == pytest.approx(0.2)


def test_what_flutters_is_one_incident(receiver: Receiver, room: Room) -> None:
    for _ in range(3):
        fail(room, bad=20, good=80)
        alarms.watch()
        age()
        fail(room, bad=0, good=100)
        alarms.watch()
        age()
    assert AlarmIncident.objects.count() == 1
    assert len(receiver.got) == 1


def test_a_second_incident_is_told_again(receiver: Receiver, room: Room) -> None:
    for _ in range(2):
        fail(room, bad=20, good=80)
        alarms.watch()
        age()
        fail(room, bad=0, good=100)
        for _ in range(incidents.CALM_LOOKS):
            alarms.watch()
        age()
    assert len(receiver.got) == 4


def test_no_traffic_neither_raises_an_alarm_nor_ends_one(receiver: Receiver, room: Room) -> None:
    alarms.watch()
    assert not AlarmIncident.objects.exists()
    fail(room, bad=20, good=80)
    alarms.watch()
    age()
    for _ in range(5):
        alarms.watch()
    assert AlarmIncident.objects.get().closed_at is None


@pytest.mark.parametrize(("bad", "good"), [(3, 3), (1, 40), (2, 98)])
def test_a_handful_or_chance_raises_no_alarm(room: Room, bad: int, good: int) -> None:
    fail(room, bad, good)
    alarms.look()
    assert not AlarmIncident.objects.exists()


@pytest.mark.parametrize(("rule", "fields"), [
    ("failed_sends", {"failure": "backend_failed"}), ("ack_timeouts", {"failure": "ack_timeout"}),
    ("first_words", {"ttft_ms": 1501.0}), ("completion", {"completion_ms": 8001.0}),
    ("mismatches", {"mismatched": True}),
])
def test_each_rule_sees_its_own_trouble(room: Room, rule: str, fields: dict[str, Any]) -> None:
    good = {"ttft_ms": 1500.0, "completion_ms": 8000.0}
    traces(room, timezone.now(), [good] * 60)
    assert not reading(rule).is_broken
    traces(room, timezone.now(), [{**good, **fields}] * 40)
    assert reading(rule).is_broken


def test_who_waits_for_the_whole_answer_is_no_alarm_of_late_first_words(room: Room) -> None:
    traces(room, timezone.now(), [{"path": "completed", "cohort": "control", "ttft_ms": 6000.0}] * 200)
    assert next(rule for rule in RULES if rule.name == "first_words").read() is None
    traces(room, timezone.now(), [{"ttft_ms": 900.0}] * 50)
    assert not reading("first_words").is_broken


def test_dead_workers_are_those_whose_answers_nobody_took(room: Room) -> None:
    answered(room)
    Generation.objects.update(status="running", owner="gone")
    lease = ProcessLease.objects.create(owner="gone", expires_at=timezone.now() - timedelta(seconds=5))
    assert not reading("dead_workers").is_broken
    lease.expires_at -= timedelta(minutes=2)
    lease.save()
    assert reading("dead_workers").is_broken


def test_jobs_that_wait_and_jobs_that_died_are_seen(room: Room) -> None:
    job = job_of(answered(room))
    OutboxJob.objects.filter(pk=job.pk).update(available_at=timezone.now() - timedelta(seconds=400))
    assert reading("outbox_lag").is_broken
    OutboxJob.objects.filter(pk=job.pk).update(status="dead")
    assert reading("dead_jobs").is_broken
    PeriodicJob.objects.create(name="purge_traces", next_at=timezone.now(), attempts=3)
    assert "purge_traces" in reading("periodic_jobs").text


def test_a_rollback_by_the_gate_is_told_and_one_by_a_person_is_not() -> None:
    stages.rollback(Order("bob", "a drill"), to=3)
    assert not reading("rolled_back").is_broken
    stages.rollback(Order("gate", "3 % of sends failed"), to=0)
    assert "3 % of sends failed" in reading("rolled_back").text
    assert reading("rolled_back").is_broken


@pytest.mark.parametrize("status", [500, 404, 302])
def test_what_a_webhook_does_not_take_is_kept_and_repeats_no_letter(
    receiver: Receiver, room: Room, status: int
) -> None:
    receiver.status = status
    fail(room, bad=20, good=80)
    alarms.watch()
    notice = AlarmNotice.objects.get(delivered_at=None)
    assert (notice.receiver, notice.attempts) == ("webhook", 1)
    assert "secret-token" not in notice.last_error
    assert str(status) in notice.last_error
    assert "NOT DELIVERED to webhook" in shown()
    receiver.status = 200
    alarms.watch()
    assert len(receiver.got) == 1
    AlarmNotice.objects.update(next_at=timezone.now())
    alarms.watch()
    assert len(receiver.got) == 2
    assert len(mail.outbox) == 1
    assert not AlarmNotice.objects.filter(delivered_at=None).exists()


def test_a_receiver_that_drips_is_given_up_and_holds_nobody_up(
    receiver: Receiver, room: Room, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ALARM_EMAILS, receiver.drips = [], True
    monkeypatch.setattr(delivery, "TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(delivery, "PATIENCE_SECONDS", 0.1)
    fail(room, 20, 80)
    stages.rollback(Order("bob", "a drill"), to=3)
    stages.rollback(Order("gate", "3 % of sends failed"), to=0)
    alarms.watch()
    receiver.drips = False
    found = AlarmNotice.objects.order_by("-attempts").values_list("attempts", "delivered_at", "last_error")
    assert [(n, at, error.split(":")[0]) for n, at, error in found] == [(1, None, "TimeoutError"), (0, None, "")]


def test_a_mail_server_that_is_away_keeps_no_webhook_from_being_told(
    receiver: Receiver, room: Room, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    fail(room, bad=20, good=80)
    alarms.watch()
    assert len(receiver.got) == 1
    assert AlarmNotice.objects.get(delivered_at=None).receiver == "ops@example.org"


def test_without_receivers_incidents_are_kept_all_the_same(room: Room) -> None:
    fail(room, bad=20, good=80)
    alarms.watch()
    assert AlarmIncident.objects.count() == 1
    assert "told: nobody" in shown()


def test_a_rule_that_cannot_be_read_keeps_no_other_from_being_told(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks() -> alarms.Reading:
        raise OperationalError("gone")

    monkeypatch.setattr(incidents, "RULES", (Rule("broken", RULES[0].what, breaks), *RULES))
    fail(room, bad=20, good=80)
    with pytest.raises(OperationalError):
        alarms.look()
    assert AlarmIncident.objects.get().rule == "failed_sends"


def test_who_was_overtaken_opens_no_second_incident(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(room, bad=20, good=80)
    rule = next(rule for rule in RULES if rule.name == "failed_sends")
    incidents._open(rule, reading("failed_sends"))
    incidents._open(rule, reading("failed_sends"))
    assert AlarmIncident.objects.count() == 1


def test_it_is_on_the_schedule(receiver: Receiver, room: Room) -> None:
    fail(room, bad=20, good=80)
    outbox.run_due()
    assert len(receiver.got) == 1


def shown(*arguments: str) -> str:
    out = StringIO()
    call_command("alarms", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_shows_every_rule_and_what_is_open(room: Room) -> None:
    fail(room, bad=20, good=80)
    alarms.look()
    text = shown()
    assert all(rule.name in text for rule in RULES)
    assert "BROKEN" in text
    assert json.loads(shown("--json"))["open"][0]["rule"] == "failed_sends"


def test_a_test_notice_reaches_everybody_or_says_whom_not(receiver: Receiver) -> None:
    assert "webhook: delivered" in shown("--test")
    receiver.status = 500
    with pytest.raises(CommandError, match="Not delivered to webhook"):
        shown("--test")


def test_a_test_without_receivers_fails() -> None:
    with pytest.raises(CommandError, match="ALARM_EMAILS"):
        shown("--test")
