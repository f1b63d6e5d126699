"""`manage.py sync_routes`: what `up` does at its start, for deployments that start the server themselves."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from chat.models import ModelRoute
from chat.routes import RouteError, sync_routes


class Command(BaseCommand):
    help = (
        "Make the model routes agree with PROVIDER_*, OPENAI_*, ANTHROPIC_*, GEMINI_* and LOCAL_MODEL_URL of the "
        "environment; what is gone from it is switched off, the last one only with --force."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--force", action="store_true", help="even when no route is left on")

    def handle(self, *args: Any, force: bool, **options: Any) -> None:
        try:
            routes = sync_routes(os.environ, local_model_url=settings.LOCAL_MODEL_URL, may_end_all=force)
        except RouteError as error:
            raise CommandError(f"{error} Nothing was changed.") from None
        for route in routes:
            self.stdout.write(_line(route))
        if not ModelRoute.objects.filter(is_enabled=True).exists():
            self.stderr.write("No route is on: nobody is answered.")


def _line(route: ModelRoute) -> str:
    if not route.is_enabled:
        return f"{route.name}: switched off"
    return f"{route.name}: {route.model or route.kind} {route.base_url}".rstrip()
