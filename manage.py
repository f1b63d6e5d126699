#!/usr/bin/env python
"""Operators' door: `manage.py up`, `talk`, `rooms`, `replay`, and Django's own commands."""

from __future__ import annotations

import os
import select
import signal
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
    if sys.argv[1:2] == ["up"]:
        from chatproject.launch.preflight import prepare

        prepare(sys.argv[2:])
    from django.core.management import execute_from_command_line
    from environs import EnvError

    try:
        try:
            execute_from_command_line(sys.argv)
        finally:
            sys.stdout.flush()
    except EnvError as error:
        # Settings are read in the middle of whatever was asked for, and a traceback would be of that.
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    except BrokenPipeError:
        if not nobody_reads():
            raise
        # What is still buffered would fail once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)


def nobody_reads() -> bool:
    """`| head` has seen enough. A broken pipe to anywhere else is a fault like others."""
    pipe = select.poll()
    pipe.register(sys.stdout.fileno(), 0)
    return bool(pipe.poll(0))


if __name__ == "__main__":
    main()
