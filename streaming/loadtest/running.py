"""One load test in this process: its loop, signals, progress. The first Ctrl-C ends it well, the second at once."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from contextlib import AsyncExitStack, suppress
from typing import Any, NoReturn

import click
import uvloop

from streaming.loadtest.crowd import Crowd
from streaming.loadtest.model_server import ModelServer
from streaming.loadtest.plan import NoLoadTest

INTERRUPTED = 130
PROGRESS_SECONDS = 0.25
SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: A socket, and a request now and then; and what a process needs beside.
FILES_A_USER, FILES_BESIDE = 2, 100
SHOW_CURSOR = "\033[?25h"


class Stop:
    """Asked once: no more is sent. Asked again: the process ends there and then."""

    def __init__(self, crowd: Crowd | None, drain_seconds: float) -> None:
        self.is_asked = False
        self.event = asyncio.Event()
        self._crowd = crowd
        self._drain_seconds = drain_seconds

    def ask(self) -> None:
        if self.is_asked:
            self._end()
        self.is_asked = True
        self.event.set()
        if self._crowd is not None:
            self._crowd.stop()
            sys.stderr.write(
                f"\nNothing more is sent; waiting for answers, {self._drain_seconds:g} s at most. "
                "Ctrl-C again ends at once.\n"
            )


    def _end(self) -> NoReturn:
        sys.stderr.write(f"{SHOW_CURSOR}\n" if sys.stderr.isatty() else "")
        if self._crowd is not None:
            sys.stderr.write("Ended at once: guests and rooms stay, `manage.py loadtest --clean-up` there.\n")
        sys.stderr.flush()
        os._exit(INTERRUPTED)


def run(crowd: Crowd, model: ModelServer | None, where: tuple[str, int], drain_seconds: float, *, users: int) -> bool:
    """True: it was interrupted. Raises NoLoadTest; `crowd.findings` has what there is either way."""
    allow_files(users)
    return uvloop.run(_run(crowd, model, where, drain_seconds))


def serve(model: ModelServer, where: tuple[str, int]) -> None:
    """Nothing but the simulated model, until a signal. Raises NoLoadTest."""
    uvloop.run(_serve(model, where))


def allow_files(users: int) -> None:
    """As many open files as it takes. Raises NoLoadTest."""
    wanted = users * FILES_A_USER + FILES_BESIDE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted or soft == resource.RLIM_INFINITY:
        return
    if hard not in (resource.RLIM_INFINITY,) and hard < wanted:
        raise NoLoadTest(f"{users} users need {wanted} open files, and this process may have {hard}: see `ulimit -n`.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


# Internal


async def _run(crowd: Crowd, model: ModelServer | None, where: tuple[str, int], drain_seconds: float) -> bool:
    stop = _listening(Stop(crowd, drain_seconds))
    async with AsyncExitStack() as stack:
        if model is not None:
            await stack.enter_async_context(model.serving(*where))
            sys.stderr.write(f"The simulated model ({model.tail}): {model.environment}\n")
        progress = asyncio.create_task(_show(crowd))
        try:
            await crowd.run()
        finally:
            progress.cancel()
            with suppress(asyncio.CancelledError):
                await progress
    return stop.is_asked


async def _serve(model: ModelServer, where: tuple[str, int]) -> None:
    stop = _listening(Stop(None, 0.0))
    async with model.serving(*where):
        sys.stderr.write(
            f"The simulated model: {model.tail}. Start the deployment with:\n  {model.environment}\nCtrl-C ends it.\n"
        )
        await stop.event.wait()
    sys.stderr.write(f"\n{model.asked} answers were asked for.\n")


def _listening(stop: Stop) -> Stop:
    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop.ask)
    return stop


async def _show(crowd: Crowd) -> None:
    """On a terminal alone."""
    steps = 1000
    shown: Any = click.progressbar(
        length=steps, file=sys.stderr, hidden=not sys.stderr.isatty(), show_eta=False, width=24,
        item_show_func=lambda _: _words(crowd),
    )
    with shown as bar:
        while True:
            bar.update(max(0, int(crowd.share_done * steps) - bar.pos))
            bar.render_progress()
            await asyncio.sleep(PROGRESS_SECONDS)


def _words(crowd: Crowd) -> str:
    found = crowd.findings
    failed = sum(bool(send.failure) for send in found.sends[-1000:])
    parts = [f"{len(found.rooms)} users", f"{len(found.sends)} sends", f"{len(crowd.running)} running"]
    return " · ".join([*parts, *([f"{failed} failed"] if failed else [])])
