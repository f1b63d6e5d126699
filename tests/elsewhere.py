"""`python -m tests.elsewhere NAME ARGUMENTS…`: runs Python's ARGUMENTS as if on the machine NAME.

Processes of one test stand for processes of several machines: none may take a neighbour's pid for a proof of death.
"""

from __future__ import annotations

import runpy
import socket
import sys


def main(name: str, arguments: list[str]) -> None:
    def gethostname() -> str:
        return name

    socket.gethostname = gethostname
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
