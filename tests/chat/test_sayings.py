"""What the gate and the alarms say is kept, and read in the language of whoever looks."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, override

from chat import alarms, stages
from chat.models import RolloutDecision, RolloutState
from chat.rollout.conditions import Rules
from chat.rollout.evidence import Evidence, Minute, begun
from chat.rollout.slos import SLOS
from chat.rollout.tallies import Tally
from chat.rollout.verdicts import decide
from chat.sayings import N_, Saying, keep, kept, say
from chat.stages import gate
from chat.stages.changes import Order
from tests.chat.admin_pages import as_staff
from tests.chat.kpi_traces import many
from tests.people import make_room, make_user

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
DATABASE = [pytest.mark.data, pytest.mark.django_db]


def in_korean(text: str) -> str:
    with override("ko"):
        return say(text, gettext)


def test_a_saying_is_its_english_text_and_outlives_its_process() -> None:
    told = N_("{count} of {what}", count=3, what=N_("{what}!", what="sends"))
    assert told == "3 of sends!"
    again = kept(json.loads(json.dumps(keep(told))))
    assert isinstance(again, Saying)
    assert (again, again.template, keep(again)) == (told, told.template, keep(told))
    assert say(again, {"{count} of {what}": "{what} ({count})", "{what}!": "¡{what}!"}.__getitem__) == "¡sends! (3)"


def test_what_somebody_wrote_is_left_as_it_is() -> None:
    assert kept(keep("because {of} 3 %")) == "because {of} 3 %"
    assert in_korean("sends failed") == "sends failed"


def stage(minutes: int, **bad: int) -> Evidence:
    """Ten requests a minute of both cohorts; of each objective so many bad ones a minute."""
    evidence = begun(BEGAN)
    for minute in range(1, minutes + 1):
        stream = {slo.key: Tally(10, bad.get(slo.key, 0)) for slo in SLOS}
        control = {key: Tally(10, 0) for key in stream if key != "lost"}
        evidence.feed(Minute(BEGAN + timedelta(minutes=minute), stream, control, 10, 9))
    return evidence


VERDICTS: dict[str, tuple[Evidence, timedelta, dict[str, Any]]] = {
    "all is well": (stage(1500), timedelta(), {}),
    "a share over its limit": (stage(60, failures=1), timedelta(), {}),
    "one lost": (stage(30, lost=1), timedelta(), {}),
    "too early": (stage(300), timedelta(), {}),
    "the last stage, at once": (stage(300), timedelta(), {"is_last": True}),
    "nobody looked": (stage(30), timedelta(hours=3), {}),
    "a clock that went back": (stage(30), -timedelta(hours=3), {}),
    "nothing": (begun(BEGAN), timedelta(), {}),
    "quiet": (stage(130), timedelta(), {"quiet": -timedelta(minutes=1)}),
    "hardly proven": (stage(3, completion=1), timedelta(), {"least_requests": 1, "soak": timedelta()}),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_every_sentence_of_a_verdict_is_said_in_korean(name: str) -> None:
    evidence, after, rules = VERDICTS[name]
    for reason in decide(evidence, evidence.looked + after, Rules(**rules)).reasons:
        said = in_korean(kept(json.loads(json.dumps(keep(reason)))))
        assert re.search("[가-힣]", said)
        assert not re.search("[a-z]{2}", said), said
        # Every number that decided is still in it.
        assert sorted(re.findall(r"[\d,.]*\d", said)) == sorted(re.findall(r"[\d,.]*\d", reason)), said


class TestWhoReads:
    pytestmark = DATABASE

    @pytest.fixture
    def rolled_back(self) -> RolloutDecision:
        stages.rollback(Order("alice", "a test"), to=2)
        RolloutState.objects.update(since=timezone.now() - timedelta(minutes=4))
        fields: dict[str, Any] = {"stage": 2, "outcome": "failed", "failure": "backend_failed"}
        many(make_room(make_user("alice")), timezone.now() - timedelta(minutes=3), 100, **fields)
        gate.watch()
        return RolloutDecision.objects.get(who="gate")

    def test_the_gates_decision_is_read_in_korean_and_in_english(self, rolled_back: RolloutDecision) -> None:
        page = reverse("admin:chat_rolloutdecision_change", args=[rolled_back.pk])
        bob: Client = as_staff(Client())
        assert "실패한 전송: 100건 중 100건" in bob.get(page, headers={"accept-language": "ko"}).content.decode()
        assert "100 of 100 sends failed" in bob.get(page, headers={"accept-language": "en"}).content.decode()

    def test_an_alarm_is_told_in_the_language_of_the_installation(
        self, rolled_back: RolloutDecision, settings: Any
    ) -> None:
        settings.ALARM_EMAILS = ["ops@example.org"]
        with override("ko"):
            alarms.watch()
        (letter,) = [letter for letter in mail.outbox if "rolled_back" in letter.subject]
        assert letter.subject == "[Soksak] 알람: rolled_back"
        assert letter.body.startswith("게이트가 스트리밍을 롤백했습니다. 실패한 전송: 100건 중 100건 (100 %).")
        assert "RUNBOOK.ko.md" in letter.body
