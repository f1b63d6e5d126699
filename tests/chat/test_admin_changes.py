"""What staff may change in the admin: rooms and people and dead jobs, each without undoing anything else."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from chat.models import Generation, Message, OutboxJob, Room, User
from tests.chat.admin_pages import answer, as_staff, delete_address, found, list_address, make_world, page_address
from tests.people import make_user

pytestmark = [pytest.mark.data, pytest.mark.django_db]


@pytest.fixture
def room(db: None) -> Room:
    return make_world()


@pytest.fixture
def bob(db: None, client: Client) -> Client:
    return as_staff(client)


def test_a_rooms_title_can_be_changed_and_its_prompt_head_cannot(bob: Client, room: Room) -> None:
    head, text = Room.objects.values_list("head", "prompt_head").get(pk=room.pk)
    form = {"title": "The storm", "user_note": "", "route": "", "prompt_head": "forged"}
    assert bob.post(page_address(room), form).status_code == 302
    room.refresh_from_db()
    assert (room.title, room.prompt_head) == ("The storm", text)
    assert room.head == head + 1


def test_deleting_a_room_tells_how_much_goes_and_takes_it_all(bob: Client, room: Room) -> None:
    address = delete_address(room)
    assert bob.get(address).context["model_count"] == {"messages": 4, "generations": 1, "traces": 1}.items()
    assert bob.post(address, {"post": "yes"}).status_code == 302
    assert not Room.objects.exists()
    assert not Message.objects.exists()


def test_a_person_can_be_deleted_with_everything_of_theirs(bob: Client, room: Room) -> None:
    address = delete_address(room.owner)
    assert bob.post(address, {"post": "yes"}).status_code == 302
    assert not User.objects.filter(username="alice").exists()
    assert not Generation.objects.exists()


def test_who_may_not_delete_a_room_cannot(client: Client, room: Room) -> None:
    viewer = make_user("bob", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_room"))
    client.force_login(viewer)
    assert client.get(page_address(room)).status_code == 200
    assert client.post(delete_address(room), {"post": "yes"}).status_code == 403


def test_guests_can_be_told_from_members(bob: Client, room: Room) -> None:
    guest = make_user("guest-1", is_guest=True)
    assert found(bob, User, is_guest__exact="1") == [guest]


def test_dead_jobs_are_given_a_second_chance_and_others_left_alone(bob: Client, room: Room) -> None:
    answer(room)
    dead, waiting = OutboxJob.objects.order_by("pk")
    OutboxJob.objects.filter(pk=dead.pk).update(status="dead", attempts=8, last_error="Traceback\nboom")
    chosen = {"action": "run_again", "_selected_action": [dead.pk, waiting.pk]}
    response = bob.post(list_address(OutboxJob), chosen, follow=True)
    assert "1 of 2 run again" in response.content.decode()
    dead.refresh_from_db()
    assert (dead.status, dead.attempts) == ("waiting", 0)


def test_a_jobs_list_says_the_last_line_of_its_error_and_its_page_the_whole(bob: Client, room: Room) -> None:
    said = f"ValueError: {'many words ' * 20}"
    error = f'Traceback (most recent call last):\n  File "titles.py", line 3, in title\n{said}\n'
    OutboxJob.objects.update(status="dead", last_error=error)
    listed = bob.get(list_address(OutboxJob)).content.decode()
    assert said.strip() in listed
    assert "titles.py" not in listed
    page = bob.get(page_address(OutboxJob.objects.get())).content.decode()
    assert "titles.py" in page
    assert said.strip() in page


def test_who_may_only_look_at_jobs_cannot_run_them(client: Client, room: Room) -> None:
    viewer = make_user("bob", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_outboxjob"))
    client.force_login(viewer)
    OutboxJob.objects.update(status="dead")
    client.post(list_address(OutboxJob), {"action": "run_again", "_selected_action": [OutboxJob.objects.get().pk]})
    assert OutboxJob.objects.get().status == "dead"
