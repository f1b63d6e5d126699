"""Settings of those who watch the site: what is kept of each request, and where numbers go. A part of settings.py."""

from __future__ import annotations

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from environs import Env

from chat import samples

env = Env()

#: Traces older than so many days are deleted, a batch at a time. 0: never.
TRACE_RETENTION_DAYS = env.int("TRACE_RETENTION_DAYS", 90)
#: A browser's report that comes so long after its request is dropped.
TIMINGS_LATE_SECONDS = env.float("TIMINGS_LATE_SECONDS", 900.0)
#: Who is told of alarms: addresses, comma-separated, and a URL that takes {"text": …} as Slack's does.
ALARM_EMAILS: list[str] = env.list("ALARM_EMAILS", [])
ALARM_WEBHOOK_URL = env.str("ALARM_WEBHOOK_URL", "")
#: Over how long shares are taken, and how many requests it takes to raise an alarm about one.
ALARM_WINDOW_MINUTES = env.int("ALARM_WINDOW_MINUTES", 10)
ALARM_MIN_REQUESTS = env.int("ALARM_MIN_REQUESTS", 20)
EMAIL_HOST = env.str("EMAIL_HOST", "localhost")
EMAIL_PORT = env.int("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", False)
#: A mail server that says nothing must not hold up the other alarms.
EMAIL_TIMEOUT = env.float("EMAIL_TIMEOUT", 5.0)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "soksak@localhost")
#: The exporter reads this and the other OTEL_ variables by itself.
OTEL_EXPORTER_OTLP_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", "")
#: Without a token, /metrics answers only to this very machine; behind a proxy, to nobody.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
#: Processes of one host that are scraped as one (`uvicorn --workers`, Celery) keep their numbers in this folder.
PROMETHEUS_MULTIPROC_DIR = env.str("PROMETHEUS_MULTIPROC_DIR", "")
if PROMETHEUS_MULTIPROC_DIR:
    # Here, before anything counts: a metric is bound to its file when it is made.
    try:
        samples.share(Path(PROMETHEUS_MULTIPROC_DIR))
    except OSError as error:
        raise ImproperlyConfigured(f"PROMETHEUS_MULTIPROC_DIR cannot be used: {error}") from None
