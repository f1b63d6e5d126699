from __future__ import annotations

from typing import Any

from django.apps import AppConfig


class StreamingConfig(AppConfig):
    name = "streaming"

    def ready(self) -> None:
        from chat import routes
        from streaming import operators_changes

        operators_changes.connect()
        routes.OPTIONS_CHECKS[:] = [options_fault]


def options_fault(kind: str, options: dict[str, Any]) -> str:
    # Here, because it brings the HTTP client along: most commands need none.
    from streaming import providers

    return providers.options_fault(kind, options)
