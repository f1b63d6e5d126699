"""`manage.py up`: everything, on this machine: one process and the model's child. The embedded default's front door."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection

from chat.routes import RouteError, routes_from, sync_routes
from chatproject.launch import ollama
from chatproject.launch.administrator import create_first_administrator
from chatproject.launch.announce import click_url, start_announcing
from chatproject.launch.preflight import REFUSED, Refusal, add_arguments
from chatproject.launch.static_files import collect_static
from streaming.local_model.supervisor import LocalModel


class Command(BaseCommand):
    help = "Prepare everything and serve the site; Ctrl-C stops it all."
    # Run by hand below, after the one thing that deserves a plainer sentence.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        # chatproject.launch.preflight has read the same arguments before Django was set up.
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            code = self._run(options["host"], int(options["port"]), options)
        except Refusal as refusal:
            self.stderr.write(str(refusal))
            code = REFUSED
        sys.exit(code)

    def _run(self, host: str, port: int, options: dict[str, Any]) -> int:
        brings_model = self._environment_brings_model()
        self.check()
        model = None if brings_model or options["no_model"] else self._start_model(port)
        try:
            self._prepare(model)
            if not options["no_admin"]:
                self._show_admin(click_url(host, port))
            return self._serve(host, port, model)
        finally:
            if model is not None:
                model.stop()

    def _environment_brings_model(self) -> bool:
        try:
            return bool(routes_from(os.environ, local_model_url=settings.LOCAL_MODEL_URL))
        except RouteError as error:
            raise Refusal(str(error)) from None

    def _start_model(self, port: int) -> LocalModel:
        """The packaged model loads while the rest is prepared."""
        if names := ollama.find_models():
            self.stdout.write(f"Ollama runs here too. To use it:\n  {ollama.command_to_use(names[0], port)}")
        model = LocalModel(log_path=settings.DATA_DIR / "local_model.log")
        model.start()
        return model

    def _prepare(self, model: LocalModel | None) -> None:
        self._require_database()
        call_command("migrate", interactive=False, verbosity=0)
        collect_static()
        call_command("seed", verbosity=0)
        sync_routes(os.environ, local_model_url=model.url if model else settings.LOCAL_MODEL_URL)

    def _require_database(self) -> None:
        """By a connection of its own: the pool would try for seconds and then not say why."""
        database: Any = connection
        try:
            database.Database.connect(**database.get_connection_params()).close()
        except database.Database.Error as error:
            raise Refusal(f"The database cannot be used: {str(error).splitlines()[0]}") from None

    def _show_admin(self, url: str) -> None:
        created = create_first_administrator()
        self.stdout.write(f"Admin: {url}admin/")
        if created is None:
            self.stdout.write("  password forgotten? .venv/bin/python manage.py changepassword admin")
            return
        username, password = created
        self.stdout.write(f"  user {username}, password {password}   (shown only this once; to set another:")
        self.stdout.write(f"  .venv/bin/python manage.py changepassword {username})")

    def _serve(self, host: str, port: int, model: LocalModel | None) -> int:
        # The application is built only now, on a database that is ready.
        from chatproject.launch.server import serve

        from chatproject.asgi import application  # isort: skip - it leaves lifespan to a server that speaks it

        start_announcing(host, port, model)
        return serve(application, host=host, port=port)
