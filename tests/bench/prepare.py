"""Fills a fresh database for the bench: people with a session and a room each, and a route to each provider.

`python -m tests.bench.prepare SEATS PROVIDER_URL…`, with the server's own DATABASE_URL and SECRET_KEY in the
environment; prints the seats as JSON. The only part of the bench that touches Django.
"""

from __future__ import annotations

import os
import sys

import django
import msgspec

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from waffle.models import Switch  # noqa: E402

from chat.models import Character, ModelRoute, Room, User  # noqa: E402
from chat.rooms import create_room  # noqa: E402
from chat.stages.words import SWITCH  # noqa: E402
from tests.bench.conversation import Seat  # noqa: E402
from tests.people import sign_in  # noqa: E402


def main(seats: int, provider_urls: list[str]) -> None:
    call_command("migrate", verbosity=0)
    Switch.objects.update_or_create(name=SWITCH, defaults={"active": True})
    routes = [
        ModelRoute.objects.create(name=f"bench-{number}", base_url=f"{url}/v1", model="bench", sort=number)
        for number, url in enumerate(provider_urls)
    ]
    call_command("seed", verbosity=0)
    slug = Character.objects.values_list("slug", flat=True).order_by("sort", "slug")[0]
    found = [_seat(number, slug, routes[number % len(routes)]) for number in range(seats)]
    print(msgspec.json.encode(found).decode())


def _seat(number: int, slug: str, route: ModelRoute) -> Seat:
    user = User.objects.create(username=f"bench-{number}", is_guest=True)
    room = create_room(user=user, character_slug=slug, greeting=0, language="en")
    Room.objects.filter(pk=room.pk).update(route=route)
    return Seat(f"/ws/rooms/{room.id}/", f"{settings.SESSION_COOKIE_NAME}={sign_in(user)}")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
