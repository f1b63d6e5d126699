"""Structured logs: one line an event, `requestId roomId userId characterId path` where they apply.

As JSON our own lines go straight to standard error: by way of `logging`, as those of the libraries, each costs five
times as much. As text they go that way too, where a test or a shell may turn one logger up.
"""

from __future__ import annotations

import logging.config
import sys
from typing import Any

import msgspec
import structlog
from structlog.dev import ConsoleRenderer
from structlog.processors import JSONRenderer, format_exc_info

from chat.log_fields import spread_who


def configure(options: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG: `options` is {"level": str, "json": bool}."""
    shared: list[Any] = [
        spread_who,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if options["json"]:
        _straight_to_stderr(shared, options["level"])
    else:
        _through_logging(shared)
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


def _straight_to_stderr(shared: list[Any], level: str) -> None:
    structlog.configure(
        processors=[*shared, format_exc_info, JSONRenderer(serializer=_json)],
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )


def _through_logging(shared: list[Any]) -> None:
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _renderers(*, as_json: bool) -> list[Any]:
    """Of the libraries' lines; the console's own writes tracebacks by itself."""
    return [format_exc_info, JSONRenderer(serializer=_json_text)] if as_json else [ConsoleRenderer(colors=False)]


def _json(fields: Any, **options: Any) -> bytes:
    return msgspec.json.encode(fields, enc_hook=str)


def _json_text(fields: Any, **options: Any) -> str:
    return _json(fields).decode()
