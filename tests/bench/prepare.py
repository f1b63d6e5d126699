"""Fills a fresh database for the bench: people with a session and a room each, and one route to the provider.

`python -m tests.bench.prepare SEATS PROVIDER_URL`, with the server's own DATABASE_URL and SECRET_KEY in the
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

from chat.models import Character, ModelRoute, User  # noqa: E402
from chat.rooms import create_room  # noqa: E402
from chat.stages.words import SWITCH  # noqa: E402
from tests.bench.seat import Seat  # noqa: E402
from tests.people import sign_in  # noqa: E402


def main(seats: int, provider_url: str) -> None:
    call_command("migrate", verbosity=0)
    Switch.objects.update_or_create(name=SWITCH, defaults={"active": True})
    ModelRoute.objects.create(name="bench", base_url=f"{provider_url}/v1", model="bench", sort=0)
    call_command("seed", verbosity=0)
    slug = Character.objects.values_list("slug", flat=True).order_by("sort", "slug")[0]
    print(msgspec.json.encode([_seat(number, slug) for number in range(seats)]).decode())


def _seat(number: int, slug: str) -> Seat:
    user = User.objects.create(username=f"bench-{number}", is_guest=True)
    room = create_room(user=user, character_slug=slug, greeting=0, language="en")
    return Seat(f"/ws/rooms/{room.id}/", f"{settings.SESSION_COOKIE_NAME}={sign_in(user)}")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
