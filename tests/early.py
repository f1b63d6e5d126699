"""A pytest plugin that acts before pytest-django reads the settings: the run's folder, its servers, its environment.

`SOKSAK_TEST_DATABASE=postgres` runs the tests on a private Postgres with a private Redis beside it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import services
from tests.redis_server import DATABASES
from tests.service_base import Unavailable

#: What a developer's own shell may hold; a test that wants one of these sets it itself.
FOREIGN = (
    "PROVIDER_", "OPENAI_", "ANTHROPIC_", "GEMINI_", "HEDGE_", "ADMISSION_", "CHAT_", "STREAM_", "OUTBOX_", "KAKAO_",
    "NAVER_", "GOOGLE_", "TRACE_", "TIMINGS_", "OTEL_", "ALARM_", "EMAIL_", "PROMETHEUS_",
)
FOREIGN_NAMES = ("DATABASE_URL", "REDIS_URL", "SITE_URL", "ALLOWED_HOSTS", "DEBUG", "LOCAL_MODEL_URL", "PORT", "HOST")
_run = ExitStack()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Generator[None]:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell's background job ignores Ctrl-C, and so would every server that a test starts and interrupts.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if services.RUN_FOLDER not in os.environ:
        _run.enter_context(services.run())
    for name in [name for name in os.environ if name.startswith(FOREIGN) or name in FOREIGN_NAMES]:
        del os.environ[name]
    try:
        os.environ |= environment()
    except Unavailable as error:
        raise pytest.UsageError(str(error)) from None
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Ends the servers, in the process that owns the run."""
    _run.close()


def environment() -> dict[str, str]:
    """What chatproject.settings will read in this process. Raises Unavailable."""
    data = Path(os.environ[services.RUN_FOLDER]) / f"data-{worker()}"
    # The database and WhiteNoise want their folders to be there.
    (data / "static").mkdir(parents=True, exist_ok=True)
    chosen = {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "SECRET_KEY": "a key for tests only, long enough for Django's own check of it",
        "SOKSAK_DATA_DIR": str(data),
        "LOG_LEVEL": "WARNING",
        # Through `logging`, where a test can turn one logger up.
        "LOG_JSON": "false",
    }
    if os.environ.get("SOKSAK_TEST_DATABASE") == "postgres":
        chosen |= {"DATABASE_URL": services.ensure("postgres"), "REDIS_URL": redis_url()}
    return chosen


def redis_url() -> str:
    """The run's Redis, in a database that no other process of the run uses. Raises Unavailable."""
    number = int(worker().removeprefix("gw")) + 1 if worker().startswith("gw") else 0
    return f"{services.ensure('redis')}/{number % DATABASES}"


def worker() -> str:
    """`gw0`, `gw1` …, or `main` in the process that was started."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")
