"""Settings of those who watch the site: what is kept of each request, and where numbers go. A part of settings.py."""

from __future__ import annotations

from environs import Env

env = Env()

#: Traces older than so many days are deleted, a batch at a time. 0: never.
TRACE_RETENTION_DAYS = env.int("TRACE_RETENTION_DAYS", 90)
#: A browser's report that comes so long after its request is dropped.
TIMINGS_LATE_SECONDS = env.float("TIMINGS_LATE_SECONDS", 900.0)
#: The exporter reads this and the other OTEL_ variables by itself.
OTEL_EXPORTER_OTLP_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", "")
#: Without a token, /metrics answers only to this very machine; behind a proxy, to nobody.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
