"""The rollout moves by compare-and-set, keeps every decision, and its cohorts are sticky, growing and fair."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils.translation import override
from waffle.testutils import override_switch

from chat import stages
from chat.models import RolloutDecision, RolloutState
from chat.stages.changes import Order
from chat.stages.cohorts import BUCKETS, STAGES, bucket, cohort_of
from chat.stages.words import SWITCH
from streaming.rollout import assignment, forget
from tests.people import make_user

ALICE = Order("alice", "the evidence is good")
database = [pytest.mark.data, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    forget()


def test_a_larger_share_holds_the_smaller_one() -> None:
    for user_id in range(2_000):
        cohorts = [cohort_of(stage, STAGES[stage].percent, "salt", user_id, is_staff=True) for stage in range(5)]
        streamed = [cohort == "stream" for cohort in cohorts]
        assert streamed == sorted(streamed)
        assert streamed[4]


@pytest.mark.parametrize("percent", [1, 10, 25, 50, 99])
def test_a_share_is_what_it_says(percent: int) -> None:
    drawn = sum(cohort_of(2, percent, "salt", user_id, is_staff=False) == "stream" for user_id in range(20_000))
    # Five standard deviations, at most.
    assert drawn / 20_000 == pytest.approx(percent / 100, abs=5 * (0.25 / 20_000) ** 0.5)


def test_another_salt_draws_others() -> None:
    same = sum(bucket("a", n) * 2 // BUCKETS == bucket("b", n) * 2 // BUCKETS for n in range(10_000))
    assert 4_700 < same < 5_300


def test_the_first_stage_is_for_staff_and_draws_among_them() -> None:
    cohorts = {cohort_of(1, 10, "salt", n, is_staff=True) for n in range(200)}
    assert cohorts == {"stream", "control"}
    assert {cohort_of(1, 10, "salt", n, is_staff=False) for n in range(200)} == {""}
    assert {cohort_of(0, 0, "salt", n, is_staff=True) for n in range(200)} == {""}


class TestMoves:
    pytestmark = database

    def test_a_new_installation_streams_to_everybody(self) -> None:
        assert assignment(1, is_staff=False) == assignment(2, is_staff=True)
        assert (assignment(1, is_staff=False).cohort, assignment(1, is_staff=False).stage) == ("stream", 4)

    def test_a_rollback_reaches_the_next_turn_and_nobody_is_drawn(self) -> None:
        stages.rollback(ALICE)
        found = assignment(1, is_staff=True)
        assert (found.path, found.cohort, found.stage) == ("completed", "", 0)

    def test_stage_by_stage_everybody_is_reached(self) -> None:
        stages.rollback(ALICE)
        salt = stages.read().salt
        for stage in (1, 2, 3, 4):
            state = stages.promote(ALICE)
            assert (state.stage, state.percent) == (stage, STAGES[stage].percent)
        assert stages.read().salt == salt
        steps = RolloutDecision.objects.order_by("pk").values_list("from_stage", "to_stage")
        assert list(steps) == [(4, 0), (0, 1), (1, 2), (2, 3), (3, 4)]

    def test_two_who_decide_upon_the_same_state_are_not_both_heard(self) -> None:
        stages.rollback(ALICE)
        seen = stages.read().version
        stages.promote(Order("alice", "first", seen))
        with pytest.raises(stages.RolloutRefused, match="meanwhile"):
            stages.promote(Order("bob", "second", seen))
        assert stages.read().stage == 1
        assert not RolloutDecision.objects.filter(who="bob").exists()

    @pytest.mark.parametrize("existing", [False, True])
    def test_who_is_overtaken_between_looking_and_writing_is_refused(self, existing: bool, monkeypatch: Any) -> None:
        if existing:
            stages.hold(ALICE)
        seen = stages.read()
        stages.rollback(Order("bob", "quicker"), to=2)
        monkeypatch.setattr("chat.stages.changes.read", lambda: seen)
        with pytest.raises(stages.RolloutRefused, match="meanwhile"):
            stages.rollback(ALICE)
        assert RolloutState.objects.get().stage == 2

    @pytest.mark.parametrize("percent", [0, -5, 101, 5_000])
    def test_a_share_out_of_range_is_refused(self, percent: int) -> None:
        stages.rollback(ALICE)
        with pytest.raises(stages.RolloutRefused, match="per cent"):
            stages.promote(ALICE, to=2, percent=percent)
        with pytest.raises(stages.RolloutRefused, match="per cent"):
            stages.promote(ALICE, percent=percent)
        assert stages.read().stage == 0

    def test_a_share_of_no_stage_is_refused_for_that(self) -> None:
        stages.rollback(ALICE)
        with pytest.raises(stages.RolloutRefused, match="which stage"):
            stages.promote(ALICE, percent=20)

    @pytest.mark.parametrize("to", [0, 5, -1])
    def test_a_stage_that_is_none_is_refused(self, to: int) -> None:
        stages.rollback(ALICE)
        with pytest.raises(stages.RolloutRefused, match="Stages"):
            stages.promote(ALICE, to=to)

    def test_a_promotion_does_not_go_back_and_a_rollback_not_on(self) -> None:
        stages.rollback(ALICE, to=2)
        with pytest.raises(stages.RolloutRefused):
            stages.promote(ALICE, to=1)
        with pytest.raises(stages.RolloutRefused):
            stages.rollback(ALICE, to=3)

    def test_nothing_is_done_without_a_reason(self) -> None:
        with pytest.raises(stages.RolloutRefused, match="why"):
            stages.rollback(Order("alice", "  "))
        assert stages.read().version == 0

    def test_a_hold_keeps_the_evidence_and_a_move_begins_anew(self) -> None:
        stages.rollback(ALICE, to=2)
        since = stages.read().since
        assert stages.hold(ALICE).since == since
        assert stages.release(ALICE, auto=True).is_auto
        moved = stages.promote(ALICE)
        assert moved.since != since
        assert not stages.rollback(ALICE).is_auto

    def test_the_kill_switches_are_above_every_stage(self, settings: Any) -> None:
        settings.CHAT_STREAMING_ENABLED = False
        assert (assignment(1, is_staff=True).path, assignment(1, is_staff=True).cohort) == ("completed", "")
        assert "CHAT_STREAMING_ENABLED=false" in run("status")
        settings.CHAT_STREAMING_ENABLED = True
        with override_switch(SWITCH, active=False):
            assert assignment(1, is_staff=True).path == "completed"
            assert "KILLED by the switch" in run("status")

    def test_the_command_moves_it_and_tells_its_history(self) -> None:
        assert "everybody is streamed to" in run("history")
        assert "Stage 0: nobody" in run("rollback")
        assert "10 % of staff" in run("promote", "--why", "drill", "--auto")
        assert "25 % of everybody" in run("promote", "--why", "all well", "--force")
        assert "Stage 2" in run("hold", "--why", "a holiday")
        assert "Held" in run("status")
        assert json.loads(run("status", "--json"))["stage"] == 2
        history = run("history")
        assert history.index("a holiday") < history.index("drill")
        actions = [row["action"] for row in json.loads(run("history", "--json"))]
        assert actions == ["hold", "promote", "promote", "rollback"]

    @pytest.mark.parametrize("wrong", [("promote",), ("promote", "--why", "x", "--auto", "--manual"), ("fly",)])
    def test_nonsense_is_refused_in_words(self, wrong: tuple[str, ...]) -> None:
        with pytest.raises(CommandError):
            run(*wrong)

    def test_bob_rolls_back_in_the_admin_and_charlie_may_not(self) -> None:
        stages.rollback(ALICE, to=3)
        may_look = Permission.objects.get(codename="view_rolloutstate")
        charlie = make_user("charlie", is_staff=True)
        charlie.user_permissions.add(may_look)
        address = reverse("admin:chat_rolloutstate_roll_back")
        assert (signed_in(charlie).post(address).status_code, stages.read().stage) == (403, 3)
        bob = signed_in(make_user("bob", is_staff=True, is_superuser=True))
        assert (bob.get(address).status_code, stages.read().stage) == (405, 3)
        assert (bob.post(address, {"why": "it is slow"}).status_code, stages.read().stage) == (302, 0)
        decision = RolloutDecision.objects.latest("pk")
        assert (decision.who, decision.action, decision.why) == ("bob", "rollback", "it is slow")

    def test_the_button_is_there_where_nothing_was_decided_and_gone_where_nobody_is_streamed_to(self) -> None:
        bob = signed_in(make_user("bob", is_staff=True, is_superuser=True))
        pages, address = reverse("admin:chat_rolloutstate_changelist"), reverse("admin:chat_rolloutstate_roll_back")
        page = bob.get(pages).content.decode()
        assert address in page
        assert "everybody is streamed to" in page
        assert "nobody is streamed to" in bob.post(address, follow=True).content.decode()
        assert RolloutDecision.objects.get().why == "by hand, in the admin"
        assert address not in bob.get(pages).content.decode()
        stages.promote(ALICE)
        assert address in bob.get(reverse("admin:chat_rolloutstate_change", args=[1])).content.decode()


def signed_in(user: Any) -> Client:
    browser = Client(headers={"accept-language": "en"})
    browser.force_login(user)
    return browser


def run(*arguments: str) -> str:
    out = StringIO()
    with override("en"):
        call_command("rollout", *arguments, stdout=out)
    return out.getvalue()
