"""Daphne in this process, with what it lacks: lifespan, and a shutdown that half-open connections cannot break."""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import threading

from daphne.endpoints import build_endpoint_description_strings
from daphne.server import Server
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from django.conf import settings
from twisted.internet import defer, reactor

from chatproject.launch.lifespan import Application, Lifespan

logger = logging.getLogger(__name__)

PING_SECONDS = 20
CANCEL_SECONDS = 5.0
#: From the application's goodbye to the end of the process.
LAST_SECONDS = 10.0
FAILED = 1


def serve(application: Application, *, host: str, port: int) -> int:
    """Runs until SIGINT or SIGTERM. Returns the exit code. Must be called on the main thread."""
    WebSocketFactory.protocol = SiteSocket
    server = SiteServer(
        application,
        endpoints=build_endpoint_description_strings(host=host, port=port),
        ping_interval=PING_SECONDS,
        # Above the product's own limit, which answers with a code where this one only closes.
        websocket_max_message_size=4 * settings.CHAT_FRAME_MAX_BYTES,
        websocket_max_frame_size=4 * settings.CHAT_FRAME_MAX_BYTES,
        server_name="soksak",
    )
    server.run()
    return int(server.exit_code)


class SiteSocket(WebSocketProtocol):
    """A socket lives long, and nobody asks again what its handshake said: a browser's headers are some kilobytes."""

    def onOpen(self) -> None:
        super().onOpen()
        self.request.headers.clear()
        self.http_request_data = b""


def end_for_sure() -> None:
    """What was to be kept is committed by now: whatever stands still must not keep the process."""
    timer = threading.Timer(LAST_SECONDS, _end)
    timer.daemon = True
    timer.start()


def _end() -> None:
    logger.error("The process did not end by itself; where it stood still follows")
    faulthandler.dump_traceback()
    os._exit(FAILED)


class SiteServer(Server):
    exit_code = 0

    def run(self) -> None:
        self._lifespan = Lifespan(self.application)
        reactor.callWhenRunning(self._start_application)
        super().run()

    def listen_error(self, failure: object) -> None:
        self.exit_code = FAILED
        super().listen_error(failure)

    def _start_application(self) -> None:
        task = asyncio.ensure_future(self._lifespan.start())
        task.add_done_callback(self._started)

    def _started(self, task: asyncio.Future[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            logger.error("The application could not start", exc_info=task.exception())
            self.exit_code = FAILED
            self.stop()

    def kill_all_applications(self) -> defer.Deferred[None]:
        """Daphne's hook before shutdown: first the application may say goodbye, then what is left is cancelled."""
        return defer.Deferred.fromFuture(asyncio.ensure_future(self._shut_down()))

    async def _shut_down(self) -> None:
        for listening in self.listeners:
            listening.addCallback(lambda port: port.stopListening())
        await self._lifespan.stop()
        end_for_sure()
        # Daphne's own loop over these raises KeyError on a connection that never got so far as an application.
        running = [details.get("application_instance") for details in self.connections.values()]
        tasks = [task for task in running if task is not None and not task.done()]
        for task in tasks:
            task.cancel()
        if tasks:
            # One that does not let itself be cancelled must not keep the process.
            _, left = await asyncio.wait(tasks, timeout=CANCEL_SECONDS)
            logger.log(logging.WARNING if left else logging.DEBUG, "%d requests did not end", len(left))
