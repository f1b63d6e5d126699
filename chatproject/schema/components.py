"""JSON Schema of the types on the wire, with their docstrings in the wire's own words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import UNSET
from msgspec.structs import fields

from chat.errors import CODES

REFERENCE = "#/components/schemas/{name}"
#: Fields whose type says less than the contract does, wherever they occur.
SHARPER: dict[str, dict[str, Any]] = {
    "checksum": {"pattern": "^[0-9a-f]{8}$"},
    "createdAt": {"format": "date-time"},
    "activeAt": {"format": "date-time"},
}
#: Where a `code` is one of the stable ones.
CODED = ("Failure", "CommandError", "ErrorDetail")


def components(types: Iterable[type]) -> dict[str, Any]:
    """Schemas of `types` and all they are made of, by name."""
    wanted = list(types)
    _, schemas = msgspec.json.schema_components(wanted, ref_template=REFERENCE)
    for struct in _structs(wanted):
        schemas[struct.__name__]["required"] = _always_there(struct)
    names = _field_names(wanted)
    return {name: _sharpened(name, schema, names) for name, schema in sorted(schemas.items())}


def reference(type_: type) -> dict[str, str]:
    return {"$ref": REFERENCE.format(name=type_.__name__)}


def described(type_: type) -> str:
    """The type's docstring as a reader of the wire should see it."""
    return in_camel_case((type_.__doc__ or "").strip(), _field_names([type_]))


def in_camel_case(text: str, names: dict[str, str]) -> str:
    """`seen_length` → `seenLength`, for the words that are fields. Ids of requirements are our own business."""
    return re.sub(r"`(\w+)`", lambda match: f"`{names.get(match[1], match[1])}`", text.replace(" (C1)", ""))


def _sharpened(name: str, schema: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    if "description" in schema:
        schema["description"] = in_camel_case(schema["description"], names)
    for field, more in SHARPER.items():
        if field in schema.get("properties", {}):
            schema["properties"][field] |= more
    if name in CODED:
        schema["properties"]["code"]["enum"] = list(CODES)
    return schema


def _always_there(struct: type[msgspec.Struct]) -> list[str]:
    """A client may leave out what has a default; the server leaves out only what is unset."""
    is_ours = not struct.__struct_config__.forbid_unknown_fields
    tag = [struct.__struct_config__.tag_field] if struct.__struct_config__.tag_field else []
    told = [one.encode_name for one in fields(struct) if one.required or (is_ours and one.default is not UNSET)]
    return [*tag, *told]


def _field_names(types: Iterable[type]) -> dict[str, str]:
    """Python's name → the wire's, of all fields."""
    return {field.name: field.encode_name for struct in _structs(types) for field in fields(struct)}


def _structs(types: Iterable[type]) -> list[type[msgspec.Struct]]:
    return [type_ for type_ in types if issubclass(type_, msgspec.Struct)]
