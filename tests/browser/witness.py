"""Watches a browser for what no page of ours may do: throw, complain, break its own policy, or ask another site."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, WebError

#: What Chromium itself says when a network or a server fails; a complaint unless the test makes them fail.
NETWORK = re.compile(r"net::ERR_|WebSocket connection to|Failed to load resource|Failed to fetch")
HERE = ("127.0.0.1", "")


class Witness:
    def __init__(self, context: BrowserContext, *, may_lose_network: bool) -> None:
        self.complaints: list[str] = []
        self._may_lose_network = may_lose_network
        context.on("console", self._said)
        context.on("weberror", self._threw)
        context.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        is_excused = self._may_lose_network and NETWORK.search(message.text)
        if message.type in ("error", "warning") and not is_excused:
            self.complaints.append(f"{message.type}: {message.text}")

    def _threw(self, error: WebError) -> None:
        self.complaints.append(f"threw: {error.error}")

    def _asked(self, request: Request) -> None:
        if (urlsplit(request.url).hostname or "") not in HERE:
            self.complaints.append(f"asked another site: {request.url}")
