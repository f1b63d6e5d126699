"""Background tasks that nobody awaits: what ends them is told."""

from __future__ import annotations

import asyncio

import structlog

log = structlog.get_logger(__name__)


def complain(task: asyncio.Task[None]) -> None:
    """A done-callback: an exception that nobody would see is logged."""
    if not task.cancelled() and task.exception() is not None:
        log.error("duty_ended", duty=task.get_name(), exc_info=task.exception())
