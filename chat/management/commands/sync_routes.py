"""`manage.py sync_routes`: what `up` does at its start, for deployments that start the server themselves."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chat.routes import RouteError, sync_routes


class Command(BaseCommand):
    help = "Make the model routes agree with PROVIDER_*, OPENAI_*, ANTHROPIC_* and GEMINI_* of the environment."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            routes = sync_routes(os.environ)
        except RouteError as error:
            raise CommandError(str(error)) from None
        for route in routes:
            self.stdout.write(f"{route.name}: {route.model or route.kind} {route.base_url}".rstrip())
