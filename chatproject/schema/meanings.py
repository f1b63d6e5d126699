"""What each variable of the environment means to an operator, in sections. Defaults are read from the code."""

from __future__ import annotations

SECTIONS: dict[str, dict[str, str]] = {
    "The site": {
        "SITE_URL": "Where people find the site. https turns on secure cookies, HSTS and the redirect.",
        "PORT": "Port of `manage.py up`.",
        "HOST": "Address that `manage.py up` listens on.",
        "ALLOWED_HOSTS": "Host names that are answered, comma-separated; localhost and SITE_URL's unless set.",
        "CSRF_TRUSTED_ORIGINS": "Origins that may post, comma-separated; SITE_URL when it is https.",
        "BEHIND_PROXY": "A proxy ends TLS and sets X-Forwarded-Proto.",
        "SECURE_SSL_REDIRECT": "Redirect http to https (only when SITE_URL is https).",
        "SECURE_HSTS_SECONDS": "How long browsers remember https, seconds (only when SITE_URL is https).",
        "SECRET_KEY": "Signs sessions; made once and kept in SOKSAK_DATA_DIR unless set.",
        "SOKSAK_DATA_DIR": "Everything this installation writes: database, keys, collected static files, logs.",
        "DEBUG": "Django's debug pages. Never in public.",
        "LANGUAGE_CODE": "Language of a visitor whose browser asks for none of ours: ko or en.",
        "TIME_ZONE": "Time zone of the admin.",
        "STATICFILES_BACKEND": "Django storage of static files.",
        "SESSION_COOKIE_AGE_SECONDS": "How long a sign-in lasts, seconds.",
        "ACCOUNT_EMAIL_VERIFICATION": "none, optional or mandatory; needs a working EMAIL_BACKEND.",
        "EMAIL_BACKEND": "Django e-mail backend; `django.core.mail.backends.smtp.EmailBackend` sends.",
        "EMAIL_HOST": "Mail server.",
        "EMAIL_PORT": "Its port.",
        "EMAIL_HOST_USER": "Its user, where it wants one.",
        "EMAIL_HOST_PASSWORD": "Their password.",
        "EMAIL_USE_TLS": "STARTTLS.",
        "EMAIL_TIMEOUT": "Seconds a mail server may take for a step.",
        "DEFAULT_FROM_EMAIL": "Sender of e-mails.",
    },
    "Database and Redis": {
        "DATABASE_URL": "`postgres://…` for production.",
        "DATABASE_THREADS": "Threads that may be in the database at once for sockets and answers.",
        "DATABASE_POOL_SIZE": "Postgres: most connections of one process.",
        "DATABASE_PREPARES": (
            "Postgres: plan a turn's statements once a connection; false behind a pooler in transaction mode."
        ),
        "DATABASE_TRIPS": (
            "Postgres, with DATABASE_PREPARES: connections beside the pool's by which turns begin and end without a "
            "thread; 0 for none."
        ),
        "DATABASE_POOL_TIMEOUT_SECONDS": "Postgres: how long to wait for a connection, seconds.",
        "SQLITE_TIMEOUT_SECONDS": "SQLite: how long to wait for a lock, seconds.",
        "SQLITE_TEST_NAME": "SQLite: file of the tests' database.",
        "REDIS_URL": "Turns on Celery for deferred work and hints between processes.",
    },
    "Deferred work": {
        "OUTBOX_POLL_SECONDS": "How often the thread looks for due jobs, seconds.",
        "OUTBOX_GATHER_SECONDS": "How long a woken thread waits for more to become due, seconds.",
        "OUTBOX_LEASE_SECONDS": "A job whose worker is silent for so long is run again, seconds.",
        "OUTBOX_HOLD_SECONDS": "How long a job waits for its answer's end to be told, should the process die, seconds.",
        "OUTBOX_SWEEP_SECONDS": "With Redis: after how long a job that nobody took is sent again, seconds.",
    },
    "Limits a client can meet": {
        "CHAT_STREAMING_ENABLED": "The kill switch. false: every answer comes as a completed response.",
        "CHAT_MESSAGE_MAX_CHARS": "Longest message, code points.",
        "CHAT_COMMANDS_PER_MINUTE": "Commands a user may send a minute, of any kind.",
        "CHAT_TURNS_PER_MINUTE": "Answers a user may ask for a minute.",
        "CHAT_GUESTS_PER_HOUR": "Guests that may come from one address an hour.",
        "CHAT_SOCKETS_PER_USER": "Open sockets a user may have in one process.",
        "CHAT_GENERATIONS_PER_USER": "Answers that may be written for a user at once.",
        "CHAT_FRAME_MAX_BYTES": "Longest frame or body, bytes.",
    },
    "The live path": {
        "STREAM_TICK_SECONDS": "How long what a model wrote lies unread, so that more comes, seconds; 0: not at all.",
        "STREAM_WINDOW_EVENTS": "Events that may be on their way to a reader unacknowledged.",
        "STREAM_SLOW_READER_SECONDS": "A reader without credit for so long is closed (4008), seconds.",
        "STREAM_HEARTBEAT_SECONDS": "After how much silence a heartbeat is sent, seconds.",
        "STREAM_CHECKPOINT_SECONDS": "How often running text is made durable, seconds: what a crash may cost.",
        "STREAM_SESSION_RECHECK_SECONDS": "How often an open socket's session is checked again, seconds.",
        "STREAM_DRAIN_SECONDS": "A process that is told to end lets its answers finish for so long, seconds.",
        "STREAM_LEASE_SECONDS": "A process that is silent for so long loses its answers to another one, seconds.",
        "ROUTES_CACHE_SECONDS": "How long a process may miss a change of routes, seconds; of cards, 15 times as long.",
    },
    "The model": {
        "LOCAL_MODEL_URL": (
            "Endpoint of a server of the packaged model that runs already, as the route `local`; without it and "
            "without another way to a model `manage.py up` starts one itself."
        ),
        "PROVIDER_FIRST_CONTENT_SECONDS": (
            "Longest wait for the first content, seconds. This and the next two are for new routes of the environment; "
            "from then on the admin has them."
        ),
        "PROVIDER_GAP_SECONDS": "Longest wait between contents, seconds.",
        "PROVIDER_TOTAL_SECONDS": "Longest answer, seconds.",
        "ADMISSION_MAX_CALLS": "Requests to models at a time from one process; 0: no bound.",
        "ADMISSION_QUEUE_MAX": "How many more may wait their turn; others are refused at once.",
        "ADMISSION_WAIT_SECONDS": "How long one waits at most, seconds.",
        "HEDGE_BUDGET_PERCENT": "Of a hundred answers, so many may ask a second route when words are late; 0: none.",
        "HEDGE_QUANTILE": "First words are late when later than this share of their route's own.",
        "ALLOW_PROVIDER_REQUESTS": "false makes every real provider refuse.",
    },
    "Operation": {
        "TRACE_RETENTION_DAYS": "Traces older than so many days are deleted, by themselves and by `purge`; 0: never.",
        "TIMINGS_LATE_SECONDS": "A browser's report that comes so long after its request is dropped, seconds.",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "Where OpenTelemetry spans are sent (OTLP over HTTP); empty: none are made.",
        "LOG_LEVEL": "DEBUG, INFO, WARNING or ERROR.",
        "LOG_JSON": "Log lines as JSON. Unset: as JSON unless a person reads them at a terminal.",
        "ALARM_EMAILS": "Who is told of alarms by e-mail, comma-separated; needs a working EMAIL_BACKEND.",
        "ALARM_WEBHOOK_URL": "Who is told of alarms by POST of `{\"text\": …}`, as Slack's incoming webhooks take.",
        "ALARM_WINDOW_MINUTES": "Over how many minutes the alarms take shares.",
        "ALARM_MIN_REQUESTS": "Requests in that time, below which no share raises an alarm.",
        "METRICS_TOKEN": "Bearer token of /metrics; without it only this very machine is answered.",
        "PROMETHEUS_MULTIPROC_DIR": "Folder in which the processes of one host (`uvicorn --workers`, Celery) keep "
        "their numbers; /metrics of any of them then has the numbers of all. Not needed by `manage.py up`.",
    },
}

#: Defaults that the code computes.
COMPUTED_DEFAULTS: dict[str, str] = {
    "SOKSAK_DATA_DIR": "`.var`",
    "SECRET_KEY": "made once",
    "DATABASE_URL": "SQLite in SOKSAK_DATA_DIR",
    "DATABASE_POOL_SIZE": "DATABASE_THREADS + 12",
    "SQLITE_TEST_NAME": "beside the database",
    "PORT": "`8000`",
    "HOST": "`127.0.0.1`",
}

#: `<family>_<suffix>` configures a way to a model; the families are in chat/routes.py, first choice first.
ROUTE_SUFFIXES: dict[str, str] = {
    "BASE_URL": "Endpoint, up to and without `/chat/completions`, `/v1/messages` or `/v1beta/models/…`.",
    "API_KEY": "Key. It stays in the environment: never in the database, a log or the browser.",
    "MODEL": "Model name.",
    "KIND": "Dialect: openai, anthropic, gemini or scripted.",
    "CAN_PREFILL": "The endpoint continues a given beginning of the answer.",
    "MAX_CONTEXT_TOKENS": "Longest prompt and answer together, tokens.",
    "MAX_OUTPUT_TOKENS": "Longest answer, tokens.",
    "OPTIONS": "More fields of the request, a JSON object; some names mean something to Soksak, see below.",
}
#: (kind, option) of the options that are not only handed on: what a route does by them.
ROUTE_OPTIONS: dict[tuple[str, str], str] = {
    ("openai", "send_cache_key"): (
        "true: sends the room as `prompt_cache_key`, so that the provider keeps its prompt between turns. On for "
        "`OPENAI_`; leave it off where a server refuses unknown fields."
    ),
    ("openai", "include_usage"): "false: for servers that refuse `stream_options`; tokens are then estimated.",
    ("openai", "max_tokens_field"): "How the server calls the answer's limit; newer OpenAI models: "
    "`max_completion_tokens`.",
    ("openai", "prefill_fields"): (
        "Object added to a request that continues a given beginning (`…_CAN_PREFILL`); vLLM: "
        "`{\"add_generation_prompt\": false, \"continue_final_message\": true}`."
    ),
    ("anthropic", "cache_control"): "true: marks what the provider's prompt cache may keep. On for `ANTHROPIC_`.",
    ("gemini", "thinkingConfig"): (
        "Handed on in `generationConfig`, as most of its options; `{\"thinkingBudget\": 0}`, as `GEMINI_` has it, "
        "does without thoughts, which readers would wait for. It caches prompts by itself."
    ),
}
#: `<provider>_CLIENT_ID` and `_CLIENT_SECRET` turn a social sign-in on.
SOCIAL_SUFFIXES: dict[str, str] = {
    "CLIENT_ID": "Client id of the sign-in; without it the button is not shown.",
    "CLIENT_SECRET": "Its secret.",
}
