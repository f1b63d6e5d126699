"""HTTP to Django, sockets to the room's consumer, and the engine's life tied to the server's.

uvicorn tells by the lifespan protocol; daphne has none, so its reactor is asked.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable
from typing import Any

from django.core.asgi import get_asgi_application

from chatproject.heap import share_one_heap

share_one_heap()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - models must be loaded first
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402

from streaming.engine import get_engine, stop_engine  # noqa: E402
from streaming.few import slim_queue  # noqa: E402
from streaming.routing import websocket_urlpatterns  # noqa: E402


async def lifespan(scope: Any, receive: Any, send: Any) -> None:
    """The ASGI lifespan protocol: the engine starts before the first request and stops after the last."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            get_engine()
            await send({"type": "lifespan.startup.complete"})
        else:
            await stop_engine(for_good=True)
            await send({"type": "lifespan.shutdown.complete"})
            return


sockets = AllowedHostsOriginValidator(URLRouter(websocket_urlpatterns))


def slim_sockets(scope: Any, receive: Any, send: Any) -> Awaitable[None]:
    """daphne's queue of a socket, which is what its `receive` gets from."""
    if isinstance(queue := getattr(receive, "__self__", None), asyncio.Queue):
        slim_queue(queue)
    told: Awaitable[None] = sockets(scope, receive, send)
    return told


async def _start_engine() -> None:
    get_engine()


def _live_with_daphne() -> None:
    """Start and stop the engine with Twisted's reactor, when daphne's own command serves us; ours speaks lifespan."""
    if "daphne.server" not in sys.modules or "chatproject.launch.server" in sys.modules:
        return
    from twisted.internet import reactor
    from twisted.internet.defer import Deferred

    events: Any = reactor
    # As a task: the reactor calls before its loop runs, and the engine's own tasks need a running one.
    events.callWhenRunning(lambda: asyncio.ensure_future(_start_engine()))
    events.addSystemEventTrigger(
        "before", "shutdown", lambda: Deferred.fromFuture(asyncio.ensure_future(stop_engine(for_good=True)))
    )


application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": slim_sockets,
        "lifespan": lifespan,
    }
)
_live_with_daphne()
