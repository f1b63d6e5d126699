from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.conf import settings


class ChatprojectConfig(AppConfig):
    name = "chatproject"

    def ready(self) -> None:
        import_module("chatproject.checks")
        # Tasks are sent through the app that exists when they are sent; the embedded default never loads it.
        if settings.REDIS_URL:
            import_module("chatproject.celery")
