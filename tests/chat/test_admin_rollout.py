"""The rollout's flag in the admin: changed with a reason, by one person at a time, within its range."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import waffle
from django.contrib.auth.models import AnonymousUser, Permission
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from chat import stages
from chat.models import RolloutDecision, RolloutState
from chat.models.rollout import NAME
from chat.stages.changes import Order
from streaming.rollout import assignment
from tests.chat.admin_pages import as_staff
from tests.people import make_user

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]

ALICE = Order("alice", "a test")
PAGE = "admin:chat_rolloutstate_change"


@pytest.fixture
def bob(client: Client) -> Client:
    stages.rollback(ALICE, to=2)
    return as_staff(client)


def form(**fields: Any) -> dict[str, Any]:
    """As the page would send it: stage 2 as it is."""
    version = stages.read().version
    return {"stage": "2", "percent": "25", "why": "a look at the form", "version": version, **fields}


def save(client: Client, **fields: Any) -> Any:
    return client.post(reverse(PAGE, args=[1]), form(**fields))


def told(response: Any) -> str:
    """Of the form that came back."""
    assert response.status_code == 200
    return str(response.context["adminform"].form.errors)


def test_a_change_is_made_with_who_and_why(bob: Client) -> None:
    assert save(bob, stage="3", percent="", force="on", is_auto="on").status_code == 302
    state = stages.read()
    assert (state.stage, state.percent, state.is_auto) == (3, 50, True)
    decision = RolloutDecision.objects.latest("pk")
    assert (decision.who, decision.why, decision.action) == ("bob", "a look at the form", "promote")
    assert save(bob, stage="1", percent="7").status_code == 302
    assert (stages.read().stage, stages.read().percent) == (1, 7)
    assert RolloutDecision.objects.latest("pk").action == "rollback"
    page = bob.get(reverse(PAGE, args=[1])).content.decode()
    assert "7 % of staff and internal accounts" in page
    assert "by bob: a look at the form" in page


def test_of_two_who_edit_at_once_the_second_is_told(bob: Client) -> None:
    opened = form(stage="3", percent="50", force="on")
    stages.promote(Order("carol", "quicker"), to=2, percent=30)
    response = bob.post(reverse(PAGE, args=[1]), opened)
    assert "Somebody has changed the rollout meanwhile" in told(response)
    assert (stages.read().stage, stages.read().percent) == (2, 30)


@pytest.mark.parametrize("fields", [
    {"percent": "0"}, {"percent": "-5"}, {"percent": "101"}, {"percent": "10.5"}, {"percent": "half"}, {"stage": "9"},
    {"stage": "-1"}, {"stage": ""}, {"why": "  "}, {"version": "x"}, {},
], ids=str)
def test_nonsense_and_nothing_are_refused_and_leave_nothing(bob: Client, fields: dict[str, str]) -> None:
    before = stages.read()
    assert told(save(bob, **fields))
    assert stages.read() == before
    assert RolloutDecision.objects.count() == 1


def test_the_gate_has_its_say_in_the_form_too(bob: Client) -> None:
    assert "The gate does not promote this stage" in told(save(bob, stage="3", percent=""))
    assert stages.read().stage == 2


def test_the_flag_is_made_in_the_admin_of_a_new_installation(client: Client) -> None:
    bob = as_staff(client)
    address = reverse("admin:chat_rolloutstate_add")
    assert bob.get(address).status_code == 200
    assert bob.post(address, form(stage="1", percent="10", version="0")).status_code == 302
    assert (stages.read().stage, RolloutDecision.objects.get().who) == (1, "bob")
    assert bob.get(address).status_code == 403


def test_who_may_look_may_not_change(bob: Client) -> None:
    charlie, browser = make_user("charlie", is_staff=True), Client()
    charlie.user_permissions.add(Permission.objects.get(codename="view_rolloutstate"))
    browser.force_login(charlie)
    assert browser.get(reverse(PAGE, args=[1])).status_code == 200
    assert save(browser, stage="0", percent="").status_code == 403
    assert stages.read().stage == 2


def test_the_librarys_flag_says_what_a_socket_is_told(bob: Client) -> None:
    """By its own functions, for a user without a request and for a request, and the same each time."""
    for user in [make_user(f"guest-{number}") for number in range(30)]:
        flag = waffle.get_waffle_flag_model().get(NAME)
        is_streamed = assignment(user.pk, is_staff=False).path == "stream"
        assert flag.is_active_for_user(user) is is_streamed
        assert waffle.flag_is_active(SimpleNamespace(user=user), NAME) is is_streamed  # type: ignore[arg-type]
    nobody: Any = SimpleNamespace(user=AnonymousUser())
    assert waffle.flag_is_active(nobody, NAME) is False
    assert waffle.flag_is_active(nobody, "another") is False


def test_the_library_cannot_move_it_without_a_reason(bob: Client) -> None:
    row = RolloutState.objects.get()
    row.percent = 100
    with pytest.raises(TypeError, match="who and why"):
        row.save()


def test_nothing_comes_after_the_end() -> None:
    stages.hold(ALICE)
    with pytest.raises(CommandError, match="is there already"):
        call_command("rollout", "promote", "--why", "more", "--force")
