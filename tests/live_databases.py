"""Databases for real server processes: prepared once a run (migrated, seeded), copied for each server."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests import services

ROOT = Path(__file__).parent.parent
TEMPLATE = "live_template"
#: In a fresh data folder and database, what `manage.py up` does before it serves.
PREPARE = """
import django
django.setup()
from django.core.management import call_command
from chatproject.launch.static_files import collect_static
call_command("migrate", interactive=False, verbosity=0)
collect_static()
call_command("seed", verbosity=0)
"""


class LiveDatabases:
    """`folder` is the run's; safe for all its processes at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def copy(self, kind: str, data_dir: Path) -> str:
        """Fills `data_dir` as a server's SOKSAK_DATA_DIR; returns its DATABASE_URL. Raises Unavailable."""
        template = self._folder / f"live-{kind}"
        with (self._folder / f"live-{kind}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (template / "prepared").exists():
                self._prepare(kind, template)
                (template / "prepared").touch()
            url = self._copy_postgres() if kind == "postgres" else f"sqlite:///{data_dir / 'soksak.sqlite3'}"
        shutil.copytree(template, data_dir)
        return url

    def _prepare(self, kind: str, template: Path) -> None:
        template.mkdir()
        url = f"sqlite:///{template / 'soksak.sqlite3'}"
        if kind == "postgres":
            url = _create_database(TEMPLATE, "template1")
        prepare(url, template)

    def _copy_postgres(self) -> str:
        return _create_database(f"live_{uuid.uuid4().hex}", TEMPLATE)


def prepare(url: str, data_dir: Path) -> None:
    """Makes an empty database, and a folder that is there, those of a server."""
    chosen = {
        "DATABASE_URL": url, "SOKSAK_DATA_DIR": str(data_dir), "DJANGO_SETTINGS_MODULE": "chatproject.settings",
    }
    subprocess.run([sys.executable, "-c", PREPARE], cwd=ROOT, env={**os.environ, **chosen}, check=True)


def _create_database(name: str, template: str) -> str:
    """Its DATABASE_URL."""
    server = services.ensure("postgres")
    with psycopg.connect(server, autocommit=True) as connection:
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(command.format(sql.Identifier(name), sql.Identifier(template)))
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
