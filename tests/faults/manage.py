"""`manage.py` beside a live server, in a process of its own, as an operator runs it."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.live import ROOT, LiveServer


def manage(server: LiveServer, *command: str) -> str:
    """What it printed. Raises CalledProcessError when it was refused."""
    return subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env={**os.environ, **server.env}, check=True,
        stdout=subprocess.PIPE, text=True,
    ).stdout
