"""Says that the site is ready, once it is: not when a port is bound, but when the site answers on it."""

from __future__ import annotations

import http.client
import sys
import threading
import time
from contextlib import closing

from streaming.local_model.supervisor import LocalModel

PROBE_PERIOD_SECONDS = 0.05
PROBE_TIMEOUT_SECONDS = 5.0
#: The site is usable before the model is loaded; a person should not wait longer than this for the line.
MODEL_WAIT_SECONDS = 20.0
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def start_announcing(host: str, port: int, model: LocalModel | None) -> None:
    threading.Thread(target=_announce, args=(host, port, model), name="announce", daemon=True).start()


def click_url(host: str, port: int) -> str:
    is_own_machine = host in {"127.0.0.1", "::1", "localhost", *EVERYWHERE}
    name = "localhost" if is_own_machine else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}/"


def _announce(host: str, port: int, model: LocalModel | None) -> None:
    while not _answers(EVERYWHERE.get(host, host), port):
        time.sleep(PROBE_PERIOD_SECONDS)
    if model is not None and not model.ready.wait(MODEL_WAIT_SECONDS):
        print("The local model is still loading; the first answers will wait for it.")
    print(f"Soksak is ready: {click_url(host, port)}")
    sys.stdout.flush()


def _answers(host: str, port: int) -> bool:
    """With whatever status: a site of another name, or one that wants TLS, refuses this machine's own question."""
    with closing(http.client.HTTPConnection(host, port, timeout=PROBE_TIMEOUT_SECONDS)) as connection:
        try:
            connection.request("GET", "/healthz", headers={"Host": "localhost"})
            return connection.getresponse().status > 0
        except (OSError, http.client.HTTPException):
            return False
