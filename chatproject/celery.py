"""The Celery app: `celery -A chatproject worker --beat`. Only of use with REDIS_URL."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")

app = Celery("soksak")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Threads see the current app only if it is the default one.
app.set_default()
