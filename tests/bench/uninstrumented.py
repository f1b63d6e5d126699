"""`python -m tests.bench.uninstrumented ARGUMENTS…`: runs Python's ARGUMENTS with the product's instrumentation out.

Out: stage marks, traces, counters and histograms, the lines of the log up to info with what is bound to them. What
stays: the record of each call to a model, with how much text it brought and when, since health, hedging and the bill
live on it. For the bench only.
"""

from __future__ import annotations

import os
import runpy
import sys
from typing import Any


def main(arguments: list[str]) -> None:
    _silence_metrics()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
    import django

    django.setup()
    _silence_logs()
    _silence_marks()
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")


def nothing(*_: Any, **__: Any) -> None:
    """Instead of whatever would have been noted."""


def itself(metric: Any, *_: Any, **__: Any) -> Any:
    return metric


class _Silence:
    """Instead of a record."""

    trace = tell = staticmethod(nothing)


def _silence_metrics() -> None:
    from prometheus_client import Counter, Gauge, Histogram
    from prometheus_client.metrics import MetricWrapperBase

    wrapper: Any = MetricWrapperBase
    wrapper.labels = itself
    for metric, names in ((Counter, ("inc",)), (Gauge, ("inc", "dec", "set")), (Histogram, ("observe",))):
        for name in names:
            setattr(metric, name, nothing)


def _silence_logs() -> None:
    import structlog

    for name in ("debug", "info"):
        setattr(structlog.get_config()["wrapper_class"], name, nothing)


def _silence_marks() -> None:
    from chat import traces
    from streaming import closing, consumer, runner, service
    from streaming.instrumentation import Meter, StageClock

    silent: tuple[tuple[Any, str, Any], ...] = (
        (StageClock, "mark", nothing), (StageClock, "set", nothing), (Meter, "observe", nothing),
        (closing, "note", nothing),
        (closing, "record_of", lambda *_: _Silence), (traces, "keep", nothing),
        (consumer, "bind_who", nothing), (runner, "bind_who", nothing), (service, "bind_who", nothing),
    )
    for owner, name, instead in silent:
        # Renamed meanwhile, it would cost what it costs and nobody would know.
        assert callable(getattr(owner, name)), name
        setattr(owner, name, instead)


if __name__ == "__main__":
    main(sys.argv[1:])
