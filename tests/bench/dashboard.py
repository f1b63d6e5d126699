"""How long the KPI dashboard takes, and the roll-up behind it, on a private Postgres full of traces.

`python -m tests.bench.dashboard [--traces 1000000] [--looks 9]`. Times are of the whole request within one process.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable

from tests.services import postgres_server

CALL = {
    "route": "route-0", "model": "m", "outcome": "stop", "firstMs": 400.0, "ms": 3000.0, "promptTokens": 900,
    "cachedTokens": 600, "completionTokens": 120, "cost": 0.0004, "isCounted": True,
}
RACED = [{**CALL, "why": "first"}, {**CALL, "route": "route-1", "why": "hedge", "outcome": "lost", "firstMs": None}]

#: Over the last 28 days, lognormal times, all paths and both cohorts, a few of everything that goes wrong.
FILL = """
INSERT INTO chat_trace (id, request_id, user_id, room_id, character_id, kind, path, cohort, stage, attempt, outcome,
    error_code, route_name, ttft_ms, ttft_source, completion_ms, failure, abandoned, mismatched, resumes, marks,
    client_marks, calls, created_at)
SELECT gen_random_uuid(), 'bench-' || n, %s, %s, %s, 'reply', CASE WHEN n %% 4 = 0 THEN 'completed' ELSE 'stream' END,
    CASE WHEN n %% 4 = 0 THEN 'control' ELSE 'stream' END, 3, 1, 'done', '', 'route-' || n %% 3,
    exp(6.2 + 0.5 * sqrt(-2 * ln(1 - random())) * cos(6.283185 * random())), 'browser',
    exp(8.0 + 0.4 * sqrt(-2 * ln(1 - random())) * cos(6.283185 * random())),
    CASE WHEN random() < 0.005 THEN 'backend_failed' ELSE '' END,
    CASE WHEN random() < 0.05 THEN 'before_words' ELSE '' END, false, 0,
    '{"accepted": 3.0, "first_frame": 400.0, "end_frame": 3000.0}',
    '{"sent": 1.0, "first_paint": 410.0, "end": 3010.0}',
    CASE WHEN n %% 25 = 0 THEN %s ELSE %s END::jsonb, now() - n * interval '28 days' / %s
FROM generate_series(1, %s) AS n
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=1_000_000)
    parser.add_argument("--looks", type=int, default=9)
    options = parser.parse_args()
    with postgres_server() as url:
        os.environ |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings", "SECRET_KEY": "bench" * 12}
        measure(options.traces, options.looks)


def measure(traces: int, looks: int) -> None:
    """Django is set up here, once the database it is to use is known."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections
    from django.test import Client

    from chat.kpi import rollups
    from tests.people import make_user

    call_command("migrate", verbosity=0)
    fill(traces)
    client = Client(SERVER_NAME="localhost")
    client.force_login(make_user("bob", is_staff=True, is_superuser=True))
    rolled = seconds(lambda: [rollups.keep_up() for _ in range(6)])
    again = seconds(rollups.keep_up)
    taken = sorted(seconds(lambda: look(client)) for _ in range(looks))
    sys.stdout.write(
        f"{traces:,} traces on Postgres\nroll up everything {rolled:.1f} s, the running day and week {again:.2f} s\n"
        f"dashboard: {taken[-1]:.3f} s at most (the first), median {statistics.median(taken):.3f} s of {looks}\n"
    )
    connections.close_all()


def fill(traces: int) -> None:
    from django.db import connection

    from tests.people import make_room, make_user

    room = make_room(make_user("alice"))
    with connection.cursor() as cursor:
        cursor.execute(FILL, [room.owner_id, room.pk, room.character_id, json.dumps(RACED), json.dumps(RACED[:1]),
                              traces, traces])
        cursor.execute("ANALYZE chat_trace")


def look(client: object) -> None:
    response = client.get("/admin/chat/kpirollup/")  # type: ignore[attr-defined]
    assert response.status_code == 200, response.status_code


def seconds(does: Callable[[], object]) -> float:
    began = time.perf_counter()
    does()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
