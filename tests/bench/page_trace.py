"""What the page's own thread did, from Chromium's trace: processor time, which other processes cannot stretch."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page

#: Set by scripted_socket.js when the answer begins.
BEGAN_MARK = "bench-began"
_CATEGORIES = ["toplevel", "blink.user_timing"]


class PageTrace:
    """`task_ms`: processor milliseconds of every task since the answer began, ascending; filled at the end."""

    def __init__(self) -> None:
        self.task_ms: list[float] = []

    def read(self, trace: bytes) -> None:
        events = json.loads(trace)["traceEvents"]
        thread, began = next((_thread(event), event["ts"]) for event in events if event["name"] == BEGAN_MARK)
        self.task_ms = sorted(
            event.get("tdur", 0) / 1000
            for event in events
            if event["name"].endswith("RunTask") and event["ts"] >= began and _thread(event) == thread
        )


def _thread(event: dict[str, object]) -> tuple[object, object]:
    return event["pid"], event["tid"]


@asynccontextmanager
async def traced(browser: Browser, page: Page) -> AsyncIterator[PageTrace]:
    trace = PageTrace()
    await browser.start_tracing(page=page, categories=_CATEGORIES)
    yield trace
    trace.read(await browser.stop_tracing())
