"""The socket as an AsyncAPI 3.0 document."""

from __future__ import annotations

from typing import Any

import msgspec

from chatproject.schema.answers import ANSWERS
from chatproject.schema.components import components, described, reference
from streaming.closes import CLOSE_CODES
from streaming.commands import COMMAND_TYPES
from streaming.events import EVENT_TYPES, PROTOCOL_VERSION

ROOM = "#/channels/room"
INTRODUCTION = (
    "One JSON object a text frame. The rules of seq, attempt, rewind, snapshot, resume and credit are in PROTOCOL.md. "
    "Unknown fields from a client are an error; a client ignores fields and events that it does not know."
)


def build_asyncapi() -> dict[str, Any]:
    types: dict[str, type[msgspec.Struct]] = {**COMMAND_TYPES, **EVENT_TYPES}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Soksak room socket", "version": f"{PROTOCOL_VERSION}.0.0", "description": INTRODUCTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"site": _server()},
        "channels": {"room": _channel(types)},
        "operations": _operations(),
        "components": {
            "messages": {tag: _message(tag, type_) for tag, type_ in types.items()},
            "schemas": components(types.values()),
            "securitySchemes": {"session": {
                "type": "httpApiKey", "in": "cookie", "name": "sessionid",
                "description": "The session cookie of the site. The Origin must be the site's own.",
            }},
        },
    }


def _server() -> dict[str, Any]:
    return {
        "host": "{host}", "protocol": "wss", "description": "ws:// on a machine of one's own.",
        "variables": {"host": {"default": "localhost:8000", "description": "The site's host and port."}},
        "security": [{"$ref": "#/components/securitySchemes/session"}],
    }


def _channel(types: dict[str, type[msgspec.Struct]]) -> dict[str, Any]:
    return {
        "address": "/ws/rooms/{roomId}/",
        "description": "One room. The server speaks first, with `ready`; the client answers with `resume`.",
        "parameters": {"roomId": {"description": "UUID of a room of the signed-in user."}},
        "messages": {tag: {"$ref": f"#/components/messages/{tag}"} for tag in types},
        "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
        "x-close-codes": [
            {"code": code, "comeBack": code % 1000 < 500, "meaning": meaning} for code, meaning in CLOSE_CODES.items()
        ],
    }


def _message(tag: str, type_: type) -> dict[str, Any]:
    return {
        "name": tag, "title": type_.__name__, "summary": described(type_), "contentType": "application/json",
        "payload": reference(type_),
    }


def _operations() -> dict[str, Any]:
    """Commands are received, events are sent: the document speaks for the server."""
    events = [_in_channel(tag) for tag in EVENT_TYPES]
    told = {"action": "send", "channel": {"$ref": ROOM}, "summary": "Everything the server says.", "messages": events}
    return {**{tag: _command(tag, type_) for tag, type_ in COMMAND_TYPES.items()}, "events": told}


def _command(tag: str, type_: type) -> dict[str, Any]:
    operation = {
        "action": "receive", "channel": {"$ref": ROOM}, "summary": described(type_), "messages": [_in_channel(tag)],
    }
    if not ANSWERS[tag]:
        return operation
    answers = [_in_channel(str(answer.__struct_config__.tag)) for answer in ANSWERS[tag]]
    return {**operation, "reply": {"channel": {"$ref": ROOM}, "messages": answers}}


def _in_channel(tag: str) -> dict[str, str]:
    return {"$ref": f"{ROOM}/messages/{tag}"}
