"""A Chromium for the browser tests: the machine's own, else from its package manager where that is allowed.

`python -m tests.chromium` installs it when it is missing, or says that the browser tests will not run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
APPLICATIONS = (
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
)
#: Beside the browser, a font that has Korean.
APT_PACKAGES = ["chromium", "fonts-nanum"]


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
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = [*as_root, "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    for command in (["update"], ["install", "-y", "--no-install-recommends", *APT_PACKAGES]):
        done = subprocess.run([*apt, *command], env=environment, check=False, stdout=subprocess.DEVNULL)
        if done.returncode:
            return


if __name__ == "__main__":
    sys.exit(main())
