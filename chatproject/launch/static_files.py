"""Collects the static files only when they changed since the last start: a restart after a crash is not to wait."""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.files.storage import storages
from django.core.management import call_command

STAMP = "collected"


def collect_static() -> None:
    stamp = Path(settings.STATIC_ROOT) / STAMP
    fingerprint = _fingerprint()
    if stamp.exists() and stamp.read_text() == fingerprint:
        return
    # Cleared (the stamp too): by its own rule Django keeps an old copy of a file whose new version is dated earlier.
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(fingerprint)


def _fingerprint() -> str:
    """Of every source file's name, size and time, and of who stores them, with all its ancestors."""
    digest = hashlib.sha256(repr(type(storages["staticfiles"]).__mro__).encode())
    for finder in get_finders():
        for name, storage in sorted(finder.list([]), key=lambda found: found[0]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
