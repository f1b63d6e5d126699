"""A real Celery app whose jobs can be held midway: `celery -A tests.chat.outbox_worker worker`.

With HOLD_FOLDER set, a job says `begun` in there and goes on when there is `go`. Beat looks at the schedule every
BEAT_SECONDS.
Run as a program it is a web process in miniature: it releases one message's jobs and ends.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from celery.signals import worker_init

from chatproject.celery import app
from tests.waiting import wait_until

__all__ = ["app"]


if "BEAT_SECONDS" in os.environ:
    app.conf.beat_schedule["run-periodic"]["schedule"] = float(os.environ["BEAT_SECONDS"])


@worker_init.connect  # type: ignore[untyped-decorator]
def hold_jobs(**_: Any) -> None:
    folder = os.environ.get("HOLD_FOLDER")
    if folder:
        from chat import post_processing

        post_processing.JOBS["after_reply"] = held(post_processing.JOBS["after_reply"], Path(folder))


def held(job: Callable[..., None], folder: Path) -> Callable[..., None]:
    def run(*message_ids: UUID) -> None:
        (folder / "begun").touch()
        wait_until((folder / "go").exists, "leave to go on", seconds=60)
        job(*message_ids)

    return run


def release(message_id: UUID) -> None:
    """As the engine does after the end has been sent."""
    import django

    django.setup()
    from chat import outbox
    from chat.outbox import thread as thread_module

    # It ends with what it has handed over, however long that takes: nobody sweeps here.
    thread_module.STOP_SECONDS = 60.0
    thread = outbox.OutboxThread()
    thread.start()
    outbox.release(message_id)
    thread.stop()


if __name__ == "__main__":
    release(UUID(sys.argv[1]))
