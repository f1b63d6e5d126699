"""What `manage.py up` looks at and sets before Django reads its settings. Each refusal is one sentence, exit code 2.

Imports nothing that could itself fail on a wrong Python or an unwritable folder.
"""

from __future__ import annotations

import argparse
import errno
import fcntl
import os
import socket
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent.parent
OLDEST_PYTHON = (3, 11)
REFUSED = 2


#: Held until the process ends, however it ends.
_claim: IO[str] | None = None


class Refusal(Exception):
    """One sentence for a person: what is wrong and what to do."""


def prepare(argv: list[str]) -> None:
    """Exits with one sentence when this cannot become a running site; else sets what settings and daphne read."""
    parser = argparse.ArgumentParser(add_help=False)
    add_arguments(parser)
    options, _ = parser.parse_known_args(argv)
    try:
        require_python()
        require_writable(data_dir())
        port = parse_port(options.port)
        require_free(options.host, port)
        if not options.no_model:
            claim(data_dir())
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(REFUSED)
    os.environ.setdefault("SITE_URL", f"http://localhost:{port}")
    use_uvloop()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", default=os.environ.get("PORT", "8000"))
    parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
    parser.add_argument("--no-model", action="store_true", help="do not start the packaged small model")
    parser.add_argument("--no-admin", action="store_true", help="do not make an administrator on the first start")


def data_dir() -> Path:
    """Where chatproject.settings will look as well."""
    return Path(os.environ.get("SOKSAK_DATA_DIR") or ROOT / ".var").absolute()


def require_python() -> None:
    if sys.version_info < OLDEST_PYTHON:
        found = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise Refusal(f"Soksak needs Python 3.11 or newer; {sys.executable} is {found}.")


def require_writable(folder: Path) -> None:
    """Really writes: permission bits tell nothing about read-only or full disks, and nothing to root."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
        locked = [path for path in folder.iterdir() if not os.access(path, os.R_OK | os.W_OK)]
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise Refusal(
            f"Soksak cannot write to {folder} ({reason}): set SOKSAK_DATA_DIR to a folder of your own."
        ) from None
    if locked:
        raise Refusal(f"Soksak cannot write to {locked[0]}, which belongs to another user: set SOKSAK_DATA_DIR.")


def claim(folder: Path) -> None:
    """One site with a local model a folder: a second one would point the first one's route at its own model."""
    global _claim
    _claim = (folder / "up.lock").open("a")
    try:
        fcntl.flock(_claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Refusal(f"Soksak already runs on the data in {folder}: stop it, or set SOKSAK_DATA_DIR.") from None


def parse_port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise Refusal(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def require_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        # As the server will: a port whose last connections are still closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Refusal(_why_not(host, port, error)) from None


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken by another program: choose a free one, for example PORT={min(port + 1, 65535)}."
    if error.errno == errno.EACCES:
        return f"Port {port} is reserved for the system: choose one above 1023, for example PORT=8000."
    return f"HOST={host} is not an address of this machine."


def use_uvloop() -> None:
    """Before daphne is imported (Django does so for its app): it builds its reactor on the loop it finds then."""
    import asyncio

    import uvloop

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
