"""The published contract: up to date, valid by the official schemas, complete, and true of the golden frames."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from chat import account_views, urls, views
from chat.errors import CODES
from chatproject.schema import generated, shapes
from chatproject.schema.answers import ANSWERS, SENTENCES
from chatproject.schema.asyncapi import build_asyncapi
from chatproject.schema.components import components
from chatproject.schema.openapi import build_openapi
from chatproject.schema.operations import OPERATIONS, Operation, codes_of
from streaming.closes import CLOSE_CODES
from streaming.commands import COMMAND_TYPES
from streaming.events import EVENT_TYPES, decode, encode
from tests.contract.goldens import golden_commands, golden_events, golden_pages

ASYNCAPI, OPENAPI = build_asyncapi(), build_openapi()
DOCUMENTS = {"asyncapi": ASYNCAPI, "openapi": OPENAPI}


def test_every_generated_document_is_up_to_date() -> None:
    stale = [str(path.relative_to(generated.ROOT)) for path in generated.stale()]
    assert not stale, "run `manage.py protocol --write`"


def test_openapi_is_valid_by_the_official_schema() -> None:
    validate(OPENAPI)


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_every_schema_is_json_schema_and_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for target in references(document):
        found: Any = document
        for step in target.removeprefix("#/").split("/"):
            found = found[step]


def test_asyncapi_has_the_shape_of_version_3() -> None:
    assert ASYNCAPI["asyncapi"] == "3.0.0"
    assert set(ASYNCAPI) == {
        "asyncapi", "info", "defaultContentType", "servers", "channels", "operations", "components"
    }
    for operation in ASYNCAPI["operations"].values():
        assert operation["action"] in ("send", "receive")
        assert operation["channel"] == {"$ref": "#/channels/room"}
    for message in ASYNCAPI["components"]["messages"].values():
        assert message["summary"]
        assert set(message["payload"]) == {"$ref"}


def test_asyncapi_tells_every_command_event_and_close_code() -> None:
    channel = ASYNCAPI["channels"]["room"]
    assert set(channel["messages"]) == {*COMMAND_TYPES, *EVENT_TYPES}
    assert set(ASYNCAPI["operations"]) == {*COMMAND_TYPES, "events"}
    told = [message["$ref"].rsplit("/", 1)[-1] for message in ASYNCAPI["operations"]["events"]["messages"]]
    assert told == list(EVENT_TYPES)
    assert {close["code"] for close in channel["x-close-codes"]} == set(CLOSE_CODES)
    assert set(ANSWERS) == set(SENTENCES) == set(COMMAND_TYPES)


@pytest.mark.parametrize("tag", EVENT_TYPES)
def test_golden_events_are_what_the_schema_says(tag: str) -> None:
    for frame in golden_events():
        if frame["type"] == tag:
            check(ASYNCAPI, EVENT_TYPES[tag].__name__, json.loads(encode(decode(json.dumps(frame)))))


@pytest.mark.parametrize("frame", golden_commands(), ids=lambda frame: frame["type"])
def test_golden_commands_are_what_the_schema_says(frame: dict[str, Any]) -> None:
    check(ASYNCAPI, COMMAND_TYPES[frame["type"]].__name__, frame)


def test_golden_pages_are_what_the_schema_says() -> None:
    for page in golden_pages():
        check(OPENAPI, "Page", page)


@pytest.mark.parametrize("frame", golden_commands(), ids=lambda frame: frame["type"])
def test_the_schema_refuses_unknown_fields_of_a_client(frame: dict[str, Any]) -> None:
    validator = validator_of(ASYNCAPI, COMMAND_TYPES[frame["type"]].__name__)
    assert not validator.is_valid({**frame, "mood": "good"})


def test_every_address_is_published_and_every_published_address_is_there() -> None:
    published = {(operation.path, operation.method.upper()) for operation in OPERATIONS if operation.is_api}
    accounts = {("/accounts/guest/", account_views.guest), ("/accounts/persona/", account_views.persona)}
    there = {*((address(pattern), pattern.callback) for pattern in urls.urlpatterns), *accounts}
    assert published == {(path, method) for path, view in there for method in guard(view)["methods"]}


@pytest.mark.parametrize("pattern", urls.urlpatterns, ids=str)
def test_who_may_ask_is_published_as_the_view_has_it(pattern: URLPattern) -> None:
    for operation in OPERATIONS:
        if operation.path == address(pattern):
            assert operation.is_signed_in == guard(pattern.callback)["signed_in"]


@pytest.mark.parametrize(
    ("published", "read"),
    [
        (shapes.NewRoom, views.NewRoom), (shapes.PersonaBody, account_views.PersonaBody),
        (shapes.GuestBody, account_views.GuestBody),
    ],
    ids=["NewRoom", "PersonaBody", "GuestBody"],
)
def test_bodies_are_published_as_the_views_read_them(published: type, read: type) -> None:
    ours, theirs = (components([type_])[type_.__name__] for type_ in (published, read))
    for part in ("properties", "required", "additionalProperties"):
        assert ours[part] == theirs[part]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_every_refusal_of_an_address_is_one_of_the_codes(operation: Operation) -> None:
    assert set(codes_of(operation)) <= set(CODES)


def test_every_code_is_in_both_documents() -> None:
    for document, name in ((ASYNCAPI, "CommandError"), (ASYNCAPI, "Failure"), (OPENAPI, "ErrorDetail")):
        assert document["components"]["schemas"][name]["properties"]["code"]["enum"] == list(CODES)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_documents_are_served_to_anyone(client: Client, name: str) -> None:
    response = client.get(f"/schema/{name}.json")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response.json() == DOCUMENTS[name]


def test_nothing_else_is_served_there(client: Client) -> None:
    assert client.get("/schema/settings.json").status_code == 404


def validator_of(document: dict[str, Any], name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]})


def check(document: dict[str, Any], name: str, value: object) -> None:
    validator_of(document, name).validate(value)


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def address(pattern: URLPattern) -> str:
    """`rooms/<uuid:room_id>/messages` → `/chat/rooms/{roomId}/messages`."""

    def camel(match: re.Match[str]) -> str:
        first, *rest = match[1].split("_")
        return "{" + first + "".join(map(str.capitalize, rest)) + "}"

    return "/chat/" + re.sub(r"<uuid:(\w+)>", camel, str(pattern.pattern))


def guard(view: Any) -> dict[str, Any]:
    """What `json_view` was told about this view."""
    return dict(inspect.getclosurevars(view).nonlocals)
