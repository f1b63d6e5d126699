"""The tables of PROTOCOL.md, made from the types and codes themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chat.errors import CODES
from chatproject.schema.answers import SENTENCES
from chatproject.schema.codes import CLOSE_ONLY, SOCKET_ONLY, closes_of, is_retryable, status_of
from chatproject.schema.components import components, described
from chatproject.schema.operations import OPERATIONS
from streaming.closes import CLOSE_CODES, CODE_OF_CLOSE
from streaming.commands import COMMAND_TYPES, Known
from streaming.events import EVENT_TYPES


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; pipes and line breaks in cells are made harmless."""
    columns = list(head)
    lines = [columns, ["---"] * len(columns), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def command_table() -> str:
    schemas = components([*COMMAND_TYPES.values(), Known])
    rows = [
        (f"`{tag}`", _fields(schemas[type_.__name__]), described(type_), SENTENCES[tag])
        for tag, type_ in COMMAND_TYPES.items()
    ]
    return table(("type", "fields", "meaning", "answer"), rows)


def event_table() -> str:
    schemas = components(EVENT_TYPES.values())
    rows = [(f"`{tag}`", _fields(schemas[type_.__name__]), described(type_)) for tag, type_ in EVENT_TYPES.items()]
    return table(("type", "fields", "meaning"), rows)


def _fields(schema: dict[str, Any]) -> str:
    """Names with their types; `?` marks what may be absent."""
    required = schema.get("required", [])
    return ", ".join(
        f"`{name}{'' if name in required else '?'}` {_type(field)}"
        for name, field in schema["properties"].items()
        if name != "type"
    )


def _type(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(part) for part in schema["anyOf"])
    if "enum" in schema:
        return "one of the codes below" if len(schema["enum"]) == len(CODES) else "/".join(map(str, schema["enum"]))
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    return str(schema.get("format") or schema.get("type", "any"))


def close_table() -> str:
    rows = [
        (str(code), "yes" if code % 1000 < 500 else "no", f"`{CODE_OF_CLOSE[code]}`" if code in CODE_OF_CLOSE else "",
         meaning)
        for code, meaning in sorted(CLOSE_CODES.items())
    ]
    return table(("code", "come back?", "as an error code", "meaning"), rows)


def code_table() -> str:
    rows = [
        (f"`{code}`", _told_by(code),
         "yes" if is_retryable(code) else "no", meaning)
        for code, meaning in CODES.items()
    ]
    return table(("code", "HTTP", "again?", "meaning"), rows)


def _told_by(code: str) -> str:
    if code in CLOSE_ONLY:
        return f"close {closes_of(code)[0]}"
    return "socket only" if code in SOCKET_ONLY else str(status_of(code))


def address_table() -> str:
    rows = [(f"`{one.method.upper()} {one.path}`", one.summary, "" if one.is_signed_in else "no") for one in OPERATIONS]
    return table(("address", "what", "signed in?"), rows)


TABLES = {
    "commands": command_table, "events": event_table, "close-codes": close_table, "error-codes": code_table,
    "addresses": address_table,
}
