"""HTTP as an OpenAPI 3.1 document."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

from chat.errors import CODES
from chatproject.schema.codes import ANSWER_FAILED, by_status
from chatproject.schema.components import components, reference
from chatproject.schema.operations import EVENT_STREAM, OPERATIONS, TURN, Operation, codes_of
from chatproject.schema.shapes import ErrorAnswer, TurnFailed
from streaming.events import EVENT_TYPES, PROTOCOL_VERSION

INTRODUCTION = (
    "JSON in and out. Sign in with the session cookie `sessionid`; send the cookie `csrftoken` back as the header "
    "X-CSRFToken with every POST. What the fields mean and when to use which address is in PROTOCOL.md."
)
CSRF = {
    "name": "X-CSRFToken", "in": "header", "required": True, "schema": {"type": "string"},
    "description": "The value of the `csrftoken` cookie.",
}
UUID = {"type": "string", "format": "uuid"}
NUMBER = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
STREAM_NOTE = (
    "Frames `id: <seq>-<attempt>` (generation events only), `event: <type>`, `data: <event as JSON>`. First "
    "`user_message` and `ack` where there are such, last `ai_message_error`, or `ai_message_end` and `ack` done."
)


def build_openapi() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Soksak", "version": f"{PROTOCOL_VERSION}.0.0", "description": INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": "sessionid"}},
        },
    }


def _schemas() -> dict[str, Any]:
    types: set[type] = {ErrorAnswer, TurnFailed, *EVENT_TYPES.values()}
    for operation in OPERATIONS:
        types |= set(operation.body) | ({operation.answer} if isinstance(operation.answer, type) else set())
    schemas = components(sorted(types, key=lambda type_: type_.__name__))
    return schemas | {_turn_name(type_): _as_turn(schemas[type_.__name__]) for type_ in TURN}


def _turn_name(type_: type) -> str:
    return f"{type_.__name__}Turn"


def _as_turn(command: dict[str, Any]) -> dict[str, Any]:
    """The command with `roomId` beside its fields; without a `type` it is a send_message."""
    turn = deepcopy(command)
    turn["title"] += "Turn"
    turn["properties"] = {"roomId": UUID, **turn["properties"]}
    is_default = turn["properties"]["type"]["enum"] == ["send_message"]
    turn["required"] = ["roomId", *(name for name in turn["required"] if name != "type" or not is_default)]
    return turn


def _operation(operation: Operation) -> dict[str, Any]:
    document: dict[str, Any] = {
        "operationId": operation.id, "summary": operation.summary, "parameters": _parameters(operation),
        "responses": {str(operation.status): _answer(operation), **_refusals(operation)},
    }
    if operation.is_signed_in:
        document["security"] = [{"session": []}]
    if operation.body:
        document["requestBody"] = {"required": True, "content": {"application/json": {"schema": _body(operation)}}}
    return document


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    in_path = re.findall(r"{(\w+)}", operation.path)
    return [
        *({"name": name, "in": "path", "required": True, "schema": UUID} for name in in_path),
        *(_optional(name, "query", text, NUMBER) for name, text in operation.query.items()),
        *(_optional(name, "header", text, {"type": "string"}) for name, text in operation.headers.items()),
        *([CSRF] if operation.method == "post" else []),
    ]


def _optional(name: str, place: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": place, "description": description, "schema": schema}


def _body(operation: Operation) -> dict[str, Any]:
    if operation.is_turn:
        return {"oneOf": [{"$ref": f"#/components/schemas/{_turn_name(type_)}"} for type_ in operation.body]}
    choices = [reference(type_) for type_ in operation.body]
    return choices[0] if len(choices) == 1 else {"oneOf": choices}


def _answer(operation: Operation) -> dict[str, Any]:
    answer = operation.answer
    if answer is None:
        return {"description": "Noted."}
    if isinstance(answer, type):
        return {"description": operation.summary, "content": {"application/json": {"schema": reference(answer)}}}
    if answer == EVENT_STREAM:
        schema = {"type": "string", "x-event-data": {"oneOf": [reference(type_) for type_ in EVENT_TYPES.values()]}}
        return {"description": STREAM_NOTE, "content": {answer: {"schema": schema}}}
    schema = {"type": "object"} if answer == "application/json" else {"type": "string"}
    return {"description": operation.summary, "content": {answer: {"schema": schema}}}


def _refusals(operation: Operation) -> dict[str, Any]:
    refused = {
        str(status): _refusal("; ".join(f"`{code}`: {CODES[code]}" for code in codes), ErrorAnswer)
        for status, codes in by_status(codes_of(operation)).items()
    }
    if operation.id == "completeTurn":
        refused[str(ANSWER_FAILED)] = _refusal("The model failed; `code` says how.", TurnFailed)
    if operation.id == "isReady":
        refused["503"] = {"description": "Its database does not answer."}
    return refused


def _refusal(description: str, type_: type) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": reference(type_)}}}
