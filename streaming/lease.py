"""This process says that it is alive, and knows when it can no longer be sure that others believe it."""

from __future__ import annotations

import math
import os
import socket
import time
import uuid
from pathlib import Path
from uuid import UUID

import structlog
from django.conf import settings

from chat import generations
from chat.errors import Unavailable
from streaming.database import in_database

#: While the database is away nobody can take our answers either; so often it is asked again.
DOUBT_SECONDS = 1.0

log = structlog.get_logger(__name__)


def _namespace() -> str:
    """Where a process number means something: this boot of this machine, and this container of it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
        return f"{boot}{Path('/proc/self/ns/pid').stat().st_ino:x}"
    except OSError:
        return ""


HOST = f"{socket.gethostname()[:30]}.{_namespace()}"[:52]


def new_owner() -> str:
    """"host:pid:nonce": fresh for every start of a process."""
    return f"{HOST}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def died_here(owner: str) -> bool:
    """A process of this machine that is no more; its lease need not be waited for."""
    host, _, rest = owner.partition(":")
    pid = rest.partition(":")[0]
    if host != HOST or not pid.isdigit():
        return False
    if int(pid) == os.getpid():
        # The pid is ours now, and the owner is not: an earlier life of it.
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


class Lease:
    def __init__(self, owner: str) -> None:
        self.owner = owner
        self._holds_until = math.inf

    async def renew(self) -> None:
        asked_at = time.monotonic()
        await in_database(generations.renew_lease, self.owner, seconds=settings.STREAM_LEASE_SECONDS)
        self._holds_until = asked_at + settings.STREAM_LEASE_SECONDS

    async def give_up(self) -> None:
        await in_database(generations.drop_lease, self.owner)

    def holds(self) -> bool:
        """False after a pause so long (a stopped process, a stalled loop) that others may own our answers by now."""
        return time.monotonic() < self._holds_until

    async def confirm(self, message_id: UUID) -> bool:
        """Asked after such a pause, before the next word reaches a reader: is the answer still ours?"""
        try:
            owned = await in_database(generations.owned_by, self.owner, [message_id])
        except Unavailable:
            # The words go on: without the database nobody else can have begun.
            self._holds_until = time.monotonic() + DOUBT_SECONDS
            return True
        return message_id in owned
