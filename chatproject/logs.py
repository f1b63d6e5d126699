"""Structured logs: one line an event, `requestId roomId userId characterId path` where they apply."""

from __future__ import annotations

import logging.config
from typing import Any

import msgspec
import structlog
from structlog.dev import ConsoleRenderer
from structlog.processors import JSONRenderer, format_exc_info


def configure(options: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG: `options` is {"level": str, "json": bool}."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig({
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(as_json=options["json"])
                ],
                "foreign_pre_chain": shared,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": options["level"]},
        "loggers": {
            "django.channels.server": {"level": "WARNING"},
            "daphne": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
        },
    })


def _renderers(*, as_json: bool) -> list[Any]:
    """The console's own writes tracebacks by itself."""
    return [format_exc_info, JSONRenderer(serializer=_json)] if as_json else [ConsoleRenderer(colors=False)]


def _json(fields: Any, **options: Any) -> str:
    return msgspec.json.encode(fields, enc_hook=str).decode()
