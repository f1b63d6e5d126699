"""What a migration does to rows of before."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from chat import stages
from chat.models import Message, ModelRoute, Room
from chat.stages.changes import Order
from tests.people import make_room, make_route, make_user

pytestmark = [pytest.mark.data, pytest.mark.django_db]


def test_rooms_of_before_go_on_after_their_newest_message() -> None:
    alice = make_user("alice")
    told, rewound, empty = (make_room(alice) for _ in range(3))
    for room in (told, rewound):
        Message.objects.create(room=room, role="user", position=1, content="hi")
    Message.objects.filter(room=rewound, position=1).update(deleted_at=rewound.created_at)
    Message.objects.filter(room=empty).delete()
    Room.objects.update(next_position=0)
    import_module("chat.migrations.0005_next_position").fill(apps, None)
    positions = dict(Room.objects.values_list("pk", "next_position"))
    assert [positions[room.pk] for room in (told, rewound, empty)] == [2, 1, 0]


def test_what_the_environment_switched_off_before_comes_back_with_its_variables() -> None:
    make_route(name="gone", is_from_environment=True, is_enabled=False)
    make_route(name="on", is_from_environment=True)
    make_route(name="ours", is_enabled=False)
    import_module("chat.migrations.0020_route_is_gone").mark(apps, None)
    assert [route.name for route in ModelRoute.objects.filter(is_gone=True)] == ["gone"]


@pytest.mark.django_db(transaction=True)
def test_with_the_verdict_still_there_this_version_moves_the_rollout() -> None:
    """While processes of before are replaced the database is one migration behind."""
    MigrationExecutor(connection).migrate([("chat", "0023_verdict_by_default")])
    try:
        stages.hold(Order("alice", "a test"))
        assert stages.read().is_held
        with connection.cursor() as cursor:
            cursor.execute("SELECT verdict FROM chat_rolloutstate")
            assert cursor.fetchall() == [("{}",)]
    finally:
        stages.forget()
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
