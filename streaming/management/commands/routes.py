"""`manage.py routes`: the ways to models in the order in which they are asked; --try asks them."""

from __future__ import annotations

import asyncio
import os
import time
from argparse import ArgumentParser
from collections import Counter
from contextlib import aclosing
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count

from chat.models import Character, ModelRoute, Room
from streaming.providers import Providers
from streaming.providers.base import Prompt, PromptMessage, ProviderError, Route, Text
from streaming.providers.timers import timed
from streaming.turns import route_value

QUESTION = Prompt((PromptMessage("user", "Say: yes."),), max_tokens=16)


class Command(BaseCommand):
    help = "List the model routes; --try NAME (or all that are on) asks for one word and says what came of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--try", dest="name", metavar="NAME", help="ask this route, or 'all' that are on")

    def handle(self, *args: Any, name: str | None, **options: Any) -> None:
        rows = list(ModelRoute.objects.order_by("sort", "name"))
        if not rows:
            raise CommandError("There is no route. `manage.py sync_routes` makes those of the environment.")
        if name is None:
            rooms, characters = _pins(Room), _pins(Character)
            self.stdout.write("\n".join(_line(row, rooms[row.pk], characters[row.pk]) for row in rows))
            return
        named = [row for row in rows if row.name == name]
        # One that is off is asked only by its name: an operator may want to know before switching it on.
        chosen = [route_value(row) for row in named or rows if named or (name == "all" and row.is_enabled)]
        if not chosen:
            raise CommandError("No route is on." if name == "all" else f"There is no route named {name!r}.")
        asyncio.run(self._try(chosen))

    async def _try(self, routes: list[Route]) -> None:
        """Raises CommandError when one of them does not answer."""
        providers, failed = Providers(allow_requests=settings.ALLOW_PROVIDER_REQUESTS), list[str]()
        try:
            for route in routes:
                said = await _answer(providers, route)
                if not said.startswith("ok"):
                    failed.append(route.name)
                self.stdout.write(f"{route.name}: {said}")
        finally:
            await providers.aclose()
        if failed:
            raise CommandError(f"{len(failed)} of {len(routes)} do not answer: {', '.join(failed)}.")


async def _answer(providers: Providers, route: Route) -> str:
    asked_at = time.monotonic()
    try:
        pieces = timed(providers.provider_for(route).generate(QUESTION, stream=True), route.limits)
        async with aclosing(pieces):
            async for piece in pieces:
                if isinstance(piece, Text):
                    return f"ok, first words after {1000 * (time.monotonic() - asked_at):.0f} ms"
    except ProviderError as error:
        return f"{error.code}: {error.message}"
    return "provider_empty: it ended without a word"


def _pins(model: type[Room | Character]) -> Counter[int]:
    """How many of them ask each route first, by its key."""
    pinned = model.objects.filter(route__isnull=False).order_by()
    return Counter(dict(pinned.values_list("route").annotate(Count("pk"))))


def _line(row: ModelRoute, rooms: int, characters: int) -> str:
    prices = (row.price_prompt, row.price_cached, row.price_completion)
    parts = [
        row.name, row.kind, row.model or "–", row.base_url or "–", "on" if row.is_enabled else "OFF", _key(row),
        f"at most {row.max_concurrent} at a time" if row.max_concurrent else "",
        "is raced when late" if row.hedges else "",
        f"{row.first_content_seconds:g}/{row.gap_seconds:g}/{row.total_seconds:g} s",
        f"{row.max_output_tokens} of {row.max_context_tokens} tokens",
        f"${'/'.join(f'{price:g}' for price in prices)} a million" if any(prices) else "no prices",
        "warms" if row.warms_prompt else "",
        "prefills" if row.can_prefill else "",
        f"first for {characters} characters and {rooms} rooms" if rooms or characters else "",
    ]
    return "  ".join(filter(None, parts))


def _key(row: ModelRoute) -> str:
    is_set = "set" if os.environ.get(row.api_key_env) else "NOT SET"
    return f"{row.api_key_env} {is_set}" if row.api_key_env else "no key"
