"""Makes .venv hold exactly what a lock file says, and does nothing when it already does.

A script for whatever Python the machine has: standard library only, and it parses on old ones so that
it can say what is wrong with them. Usage: bootstrap.py runtime|dev
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HOME = ROOT / ".venv"
STAMP = HOME / "installed-locks"
#: The dev lock holds the runtime lock whole: either satisfies `runtime`.
LOCKS = {"runtime": ROOT / "requirements.txt", "dev": ROOT / "requirements-dev.txt"}
OLDEST_PYTHON = (3, 11)


class Refusal(Exception):
    """One sentence for a person."""


def main(profile: str) -> int:
    try:
        require_python()
        if not is_installed(profile):
            make_venv()
            install(profile)
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 2
    return 0


def require_python() -> None:
    if sys.version_info < OLDEST_PYTHON:
        raise Refusal("Soksak needs Python 3.11 or newer; {} is {}.{}.".format(sys.executable, *sys.version_info[:2]))


def is_installed(profile: str) -> bool:
    lines = STAMP.read_text().splitlines() if STAMP.exists() else []
    return stamp_line(profile) in lines or stamp_line("dev") in lines


def stamp_line(profile: str) -> str:
    return f"{profile} {hashlib.sha256(LOCKS[profile].read_bytes()).hexdigest()}"


def make_venv() -> None:
    if venv_works():
        return
    if not (importlib.util.find_spec("ensurepip") or importlib.util.find_spec("pip")):
        install_ensurepip()
    print("Making .venv ...", flush=True)
    with_pip = importlib.util.find_spec("ensurepip") is not None
    try:
        venv.create(HOME, clear=True, with_pip=with_pip, symlinks=os.name != "nt")
    except PermissionError:
        raise Refusal(f"Soksak cannot write to {HOME}: run it as the owner of {ROOT}.") from None
    except (OSError, subprocess.CalledProcessError) as error:
        raise Refusal(f"{sys.executable} could not make a virtual environment in {HOME}: {error}") from None


def venv_works() -> bool:
    """False also for one whose interpreter has gone or is too old: it is made anew."""
    probe = f"import sys; sys.exit(sys.version_info < {OLDEST_PYTHON})"
    try:
        return subprocess.run([python(), "-c", probe], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def python() -> str:
    return str(HOME / "bin" / "python")


def install_ensurepip() -> None:
    """Debian's bare python3 has neither pip nor ensurepip; its python3-venv brings both."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing python3-venv ...", flush=True)
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(["apt-get", "install", "-qq", "-y", "python3-venv"], check=False)
        importlib.invalidate_caches()
    if not importlib.util.find_spec("ensurepip"):
        raise Refusal(f"{sys.executable} has neither pip nor ensurepip: install your system's python3-venv package.")


def install(profile: str) -> None:
    was_dev = STAMP.exists() and "dev " in STAMP.read_text()
    profile = "dev" if was_dev else profile
    lock = LOCKS[profile]
    STAMP.unlink(missing_ok=True)
    print(f"Installing what {lock.name} lists into .venv ...", flush=True)
    if not (sync_with_uv(lock) or sync_with_pip(lock)):
        raise Refusal(f"The packages of {lock.name} could not be installed: the lines above say why.")
    STAMP.write_text("".join(f"{stamp_line(name)}\n" for name in {"runtime", profile}))


def sync_with_uv(lock: Path) -> bool:
    uv = HOME / "uv" / "bin" / "uv"
    if not uv.exists():
        pin = HOME / "uv.txt"
        pin.write_text(uv_pin())
        command = [*pip(), "install", "--quiet", "--require-hashes", "--target", str(HOME / "uv"), "-r", str(pin)]
        if not succeeds(command):
            return False
    # Compiled once here: a machine that forbids writing bytecode would compile at every start.
    options = ["--quiet", "--compile-bytecode", "--require-hashes", "--python", python()]
    return succeeds([str(uv), "pip", "sync", *options, str(lock)])


def uv_pin() -> str:
    """The lines of the dev lock that pin uv and its hashes."""
    lines = LOCKS["dev"].read_text().splitlines(keepends=True)
    start = next(index for index, line in enumerate(lines) if line.startswith("uv=="))
    end = next(index for index in range(start + 1, len(lines)) if not lines[index].startswith("    --hash"))
    return "".join(lines[start:end])


def sync_with_pip(lock: Path) -> bool:
    print("... with pip, as uv is not to be had here; this takes longer.", flush=True)
    return succeeds([*pip(), "install", "--quiet", "--no-deps", "--require-hashes", "-r", str(lock)])


def pip() -> list[str]:
    if (HOME / "bin" / "pip").exists():
        return [python(), "-m", "pip", "--disable-pip-version-check"]
    return [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python()]


def succeeds(command: list[str]) -> bool:
    return subprocess.run(command, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
