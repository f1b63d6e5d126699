"""The product's settings with what tests need: cheap passwords, plain static files, no way to a real provider."""

from __future__ import annotations

from chatproject.settings import *  # noqa: F403
from chatproject.settings import STORAGES, env

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
ALLOW_PROVIDER_REQUESTS = env.bool("ALLOW_PROVIDER_REQUESTS", False)
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
ROUTES_CACHE_SECONDS = 0.0
OUTBOX_GATHER_SECONDS = 0.0
#: Tests stand in the way of the database in its threads; what goes past them has tests of its own.
DATABASE_TRIPS = env.int("DATABASE_TRIPS", 0)

#: A test that ends is not waited for.
STREAM_DRAIN_SECONDS = 0.0
