"""A Chromium for the browser tests: the machine's own, else from its package manager where that is allowed.

`python -m tests.chromium` installs it when it is missing, or says that the browser tests will not run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

#: The first one has no window to draw: the tests that need a browser take half of the time with it.
NAMES = (
    "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome",
)
APPLICATIONS = (
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
)
#: Ubuntu has only the second, and as a package of another manager.
APT_BROWSERS = ("chromium-headless-shell", "chromium")
KOREAN_FONT = "fonts-nanum"


def find_chromium() -> Path | None:
    """`CHROMIUM` of the environment, else what is on PATH or in /Applications."""
    chosen = os.environ.get("CHROMIUM")
    if chosen:
        return Path(chosen)
    on_path = [Path(path) for path in map(shutil.which, NAMES) if path]
    return next(iter([*on_path, *(path for path in APPLICATIONS if path.exists())]), None)


def main() -> int:
    if find_chromium() is None:
        install()
    if find_chromium() is not None:
        return 0
    print("NOT RUN: the browser tests, as there is no Chromium here and it may not be installed.", file=sys.stderr)
    return 1 if os.environ.get("CI") == "true" else 0


def install() -> None:
    as_root = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    if not shutil.which("apt-get") or not all(shutil.which(name) for name in as_root[:1]):
        return
    print("Installing Chromium ...", flush=True)
    apt = [*as_root, "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    if succeeds([*apt, "update"]):
        any(succeeds([*apt, "install", "-y", "--no-install-recommends", KOREAN_FONT, name]) for name in APT_BROWSERS)


def succeeds(command: list[str]) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
