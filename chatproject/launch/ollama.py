"""Looks for an Ollama on its default port, to offer it: it is never used unasked."""

from __future__ import annotations

import http.client
import json
from contextlib import closing

HOST, PORT = "127.0.0.1", 11434
TIMEOUT_SECONDS = 0.5


def find_models() -> list[str]:
    """Names of the models it has; empty when there is no Ollama or it has none."""
    with closing(http.client.HTTPConnection(HOST, PORT, timeout=TIMEOUT_SECONDS)) as connection:
        try:
            connection.request("GET", "/api/tags")
            answer = json.loads(connection.getresponse().read())
            return [str(model["name"]) for model in answer["models"]]
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
            return []


def command_to_use(model: str, site_port: int) -> str:
    return f"PROVIDER_BASE_URL=http://{HOST}:{PORT}/v1 PROVIDER_MODEL={model} make run PORT={site_port}"
