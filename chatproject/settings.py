"""Every knob, from the environment. Units stand in the names: _SECONDS, _CHARS, _BYTES, _EVENTS.

DATABASE_URL and REDIS_URL decide between the embedded default and production; nothing else does.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from environs import Env

from chatproject import secrets_file
from chatproject.social import sign_in_origins, social_apps
from chatproject.watching import *  # noqa: F403 - a part of this file

env = Env()

BASE_DIR = Path(__file__).resolve().parent.parent
#: Everything this installation writes: database, keys, collected static files.
DATA_DIR = Path(env.str("SOKSAK_DATA_DIR", str(BASE_DIR / ".var")))

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "") or secrets_file.read_or_create(DATA_DIR / "secret_key")
SITE_URL = env.str("SITE_URL", "http://localhost:8000")
_site = urlsplit(SITE_URL)
IS_HTTPS = _site.scheme == "https"
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", []) or ["localhost", "127.0.0.1", "[::1]", _site.hostname]
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", []) or ([SITE_URL] if IS_HTTPS else [])

INSTALLED_APPS = [
    # It answers `runserver`; anything else would load Twisted for nothing.
    *(["daphne"] if sys.argv[1:2] == ["runserver"] else []),
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "chatproject.switches.SwitchesConfig",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    *(f"allauth.socialaccount.providers.{name}" for name in social_apps(env)),
    "chatproject",
    "chat",
    "streaming",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "chatproject.urls"
ASGI_APPLICATION = "chatproject.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Before the libraries' own: allauth's pages look like the rest of the site.
        "DIRS": [BASE_DIR / "chat" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "chat.context.site",
                "chatproject.js_catalog.catalog_url",
            ]
        },
    }
]

# --- database ---------------------------------------------------------------------------------
DATABASE_URL = env.str("DATABASE_URL", f"sqlite:///{DATA_DIR / 'soksak.sqlite3'}")
_default = env.dj_db_url("DATABASE_URL", f"sqlite:///{DATA_DIR / 'soksak.sqlite3'}")
DATABASE_IS_SQLITE = "sqlite" in _default["ENGINE"]
#: Threads that may be in the database at once, on behalf of sockets and runs.
DATABASE_THREADS = env.int("DATABASE_THREADS", 4)
if DATABASE_IS_SQLITE:
    _default["ENGINE"] = "chatproject.sqlite"
    _default["OPTIONS"] = {
        # Without IMMEDIATE a read-then-write fails at once with "database is locked".
        "transaction_mode": "IMMEDIATE",
        "timeout": env.float("SQLITE_TIMEOUT_SECONDS", 10.0),
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
    _default["TEST"] = {"NAME": env.str("SQLITE_TEST_NAME", str(DATA_DIR / "test.sqlite3"))}
else:
    # Under ASGI a persistent connection leaks with its thread: the pool keeps them instead.
    _default["CONN_MAX_AGE"] = 0
    _default["OPTIONS"] = {
        **_default.get("OPTIONS", {}),
        "pool": {
            "min_size": 1,
            "max_size": env.int("DATABASE_POOL_SIZE", DATABASE_THREADS + 12),
            "timeout": env.float("DATABASE_POOL_TIMEOUT_SECONDS", 5.0),
        },
    }
DATABASES = {"default": _default}
#: Turns are planned once a connection, and have so many of their own beside the pool's. Not behind a shared pooler.
DATABASE_PREPARES = env.bool("DATABASE_PREPARES", True)
DATABASE_TRIPS = env.int("DATABASE_TRIPS", 4)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: hints between processes and Celery; absent in the embedded default ------------------
REDIS_URL = env.str("REDIS_URL", "")
if REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            # redis-py 8 would end an idle subscription after 5 s by default.
            "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None, "socket_connect_timeout": 2}]},
        }
    }

# --- deferred work: the outbox row is the truth, a Celery message only says "look" ------------------
OUTBOX_POLL_SECONDS = env.float("OUTBOX_POLL_SECONDS", 5.0)
#: How long a woken thread waits for more to become due before it looks.
OUTBOX_GATHER_SECONDS = env.float("OUTBOX_GATHER_SECONDS", 1.0)
#: A job whose worker says nothing for so long is run again by somebody else.
OUTBOX_LEASE_SECONDS = env.float("OUTBOX_LEASE_SECONDS", 60.0)
#: How long a job waits for its answer's end to be told, should the process die in between.
OUTBOX_HOLD_SECONDS = env.float("OUTBOX_HOLD_SECONDS", 10.0)
#: With Celery: a job that nobody took for so long is sent again by beat, or done by a web process.
OUTBOX_SWEEP_SECONDS = env.float("OUTBOX_SWEEP_SECONDS", 30.0)
CELERY_BROKER_URL = REDIS_URL or "memory://"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_TIME_LIMIT = OUTBOX_LEASE_SECONDS
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 10,
    "socket_connect_timeout": 2,
    # Redelivery is a third net, below the lease and the sweep; it only must not come before them.
    "visibility_timeout": max(120, int(OUTBOX_LEASE_SECONDS * 4)),
}
CELERY_BEAT_SCHEDULE = {
    "sweep-outbox": {
        "task": "chat.sweep_outbox",
        "schedule": OUTBOX_SWEEP_SECONDS / 2,
        # Sweeps that no worker took must not pile up.
        "options": {"expires": OUTBOX_SWEEP_SECONDS / 2},
    },
    "run-periodic": {"task": "chat.run_periodic", "schedule": 5.0, "options": {"expires": 5.0}},
}

# --- people -------------------------------------------------------------------------------------
AUTH_USER_MODEL = "chat.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator", "MinimumLengthValidator",
        "CommonPasswordValidator", "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "chat.accounts.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "chat.accounts.SocialAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = env.str("ACCOUNT_EMAIL_VERIFICATION", "none")
#: A guest is signed in and must still reach sign-up and sign-in.
ACCOUNT_AUTHENTICATED_LOGIN_REDIRECTS = False
ACCOUNT_LOGOUT_ON_GET = False
SOCIALACCOUNT_PROVIDERS = social_apps(env)
SOCIALACCOUNT_LOGIN_ON_GET = False
EMAIL_BACKEND = env.str("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
SESSION_COOKIE_AGE = env.int("SESSION_COOKIE_AGE_SECONDS", 60 * 60 * 24 * 90)

# --- language ------------------------------------------------------------------------------------
LANGUAGE_CODE = env.str("LANGUAGE_CODE", "ko")
LANGUAGES = [("ko", "한국어"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "chat" / "locale"]
TIME_ZONE = env.str("TIME_ZONE", "Asia/Seoul")
USE_I18N = True
USE_TZ = True

# --- static files: native modules, no build step -------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "frontend_static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": env.str("STATICFILES_BACKEND", "chatproject.static.ModuleStaticFilesStorage")},
}
WHITENOISE_USE_FINDERS = DEBUG

# --- browser security ----------------------------------------------------------------------------
SECURE_SSL_REDIRECT = IS_HTTPS and env.bool("SECURE_SSL_REDIRECT", True)
BEHIND_PROXY = env.bool("BEHIND_PROXY", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
#: Whose rate it is: behind the proxy, whom it saw (the last X-Forwarded-For); else whoever connects.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 60 * 60 * 24 * 30) if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_HTTPS
X_FRAME_OPTIONS = "DENY"
if not IS_HTTPS:
    # SITE_URL says plain http (a machine of one's own): chatproject.W003 warns when it is not local.
    SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008", "security.W012", "security.W016"]
_self = ["'self'"]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": _self,
        "style-src": _self,
        "img-src": _self,
        "font-src": _self,
        "connect-src": _self,
        "manifest-src": _self,
        "form-action": [*_self, *sign_in_origins(SOCIALACCOUNT_PROVIDERS)],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    },
}

# --- the product: limits a client can meet ---------------------------------------------------------
#: The kill switch. Off: every browser takes the completed response. The admin's switch
#: `chat_streaming` can turn it off as well; neither can turn it on against the other.
WAFFLE_SWITCH_DEFAULT = True
WAFFLE_CACHE_NAME = "switches"
#: Who is streamed to: stages, and cohorts by the user's number, which work on sockets too.
WAFFLE_FLAG_MODEL = "chat.RolloutState"
CHAT_STREAMING_ENABLED = env.bool("CHAT_STREAMING_ENABLED", True)
CHAT_MESSAGE_MAX_CHARS = env.int("CHAT_MESSAGE_MAX_CHARS", 4000)
CHAT_COMMANDS_PER_MINUTE = env.int("CHAT_COMMANDS_PER_MINUTE", 120)
CHAT_TURNS_PER_MINUTE = env.int("CHAT_TURNS_PER_MINUTE", 30)
CHAT_GUESTS_PER_HOUR = env.int("CHAT_GUESTS_PER_HOUR", 60)
CHAT_SOCKETS_PER_USER = env.int("CHAT_SOCKETS_PER_USER", 12)
CHAT_GENERATIONS_PER_USER = env.int("CHAT_GENERATIONS_PER_USER", 3)
CHAT_FRAME_MAX_BYTES = env.int("CHAT_FRAME_MAX_BYTES", 65_536)

# --- the live path --------------------------------------------------------------------------------
STREAM_TICK_SECONDS = env.float("STREAM_TICK_SECONDS", 0.04)
STREAM_WINDOW_EVENTS = env.int("STREAM_WINDOW_EVENTS", 240)
STREAM_SLOW_READER_SECONDS = env.float("STREAM_SLOW_READER_SECONDS", 60.0)
STREAM_HEARTBEAT_SECONDS = env.float("STREAM_HEARTBEAT_SECONDS", 20.0)
STREAM_CHECKPOINT_SECONDS = env.float("STREAM_CHECKPOINT_SECONDS", 1.0)
STREAM_SESSION_RECHECK_SECONDS = env.float("STREAM_SESSION_RECHECK_SECONDS", 180.0)
STREAM_LEASE_SECONDS = env.float("STREAM_LEASE_SECONDS", 2.5)
#: One process alone has nobody to leave its answers to: it stops at once and goes on when it is started again.
STREAM_DRAIN_SECONDS = env.float("STREAM_DRAIN_SECONDS", 5.0 if REDIS_URL else 0.0)

#: How long an operator's change of routes or switches may go unseen by a process (of cards: streaming/turns.py).
#: 0 looks at every turn.
ROUTES_CACHE_SECONDS = env.float("ROUTES_CACHE_SECONDS", 2.0)

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    # Each process for itself, and emptied whenever streaming/rollout.py reads anew.
    "switches": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "switches", "TIMEOUT": 2},
}

# --- the model --------------------------------------------------------------------------------------
#: A server of the packaged small model that runs by itself. Empty: `manage.py up` starts one where nothing else is.
LOCAL_MODEL_URL = env.str("LOCAL_MODEL_URL", "")
PROVIDER_FIRST_CONTENT_SECONDS = env.float("PROVIDER_FIRST_CONTENT_SECONDS", 20.0)
PROVIDER_GAP_SECONDS = env.float("PROVIDER_GAP_SECONDS", 15.0)
PROVIDER_TOTAL_SECONDS = env.float("PROVIDER_TOTAL_SECONDS", 120.0)
#: Requests to models at a time from this process: past its capacity a server serves nobody well. 0: no bound.
ADMISSION_MAX_CALLS = env.int("ADMISSION_MAX_CALLS", 200)
#: So many more may wait their turn; whoever comes then is refused at once, and loses nothing.
ADMISSION_QUEUE_MAX = env.int("ADMISSION_QUEUE_MAX", 100)
ADMISSION_WAIT_SECONDS = env.float("ADMISSION_WAIT_SECONDS", 60.0)
#: Of a hundred answers, so many may ask a second route when first words are late. 0: none.
HEDGE_BUDGET_PERCENT = env.float("HEDGE_BUDGET_PERCENT", 5.0)
#: First words are late when they are later than this share of their route's own. Lower costs more requests.
HEDGE_QUANTILE = env.float("HEDGE_QUANTILE", 0.95)
#: False makes every real provider refuse: set in tests that must not reach one.
ALLOW_PROVIDER_REQUESTS = env.bool("ALLOW_PROVIDER_REQUESTS", True)

LOG_JSON = env.bool("LOG_JSON", None)
LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
LOGGING_CONFIG = "chatproject.logs.configure"
LOGGING = {"level": LOG_LEVEL, "json": not sys.stderr.isatty() if LOG_JSON is None else LOG_JSON}
CSRF_FAILURE_VIEW = "chat.api.csrf_failure"
