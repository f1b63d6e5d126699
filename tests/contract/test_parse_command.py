"""What may come in a frame: a command, or a refusal with a stable code. Never anything else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.errors import BadCommand
from streaming.commands import COMMAND_TYPES, SendMessage, Stop, Timing, parse_command
from tests.contract.goldens import golden_commands

ID = "5f3c2a10-7d44-4c1b-8e21-000000000003"
DEEP = 50_000

NOT_JSON = {
    "nothing": "",
    "half an object": '{"type":"typing"',
    "single quotes": "{'type':'typing'}",
    "two values": '{"type":"typing"}{"type":"typing"}',
    "a byte order mark": '\ufeff{"type":"typing"}',
    "NaN": f'{{"type":"stop","messageId":"{ID}","seenLength":NaN}}',
    "Infinity": '{"type":"timing","requestId":"12345678","marks":{"a":Infinity}}',
    "a lone surrogate, escaped": '{"type":"send_message","requestId":"12345678","text":"\\ud800"}',
    "a lone surrogate, raw": '{"type":"send_message","requestId":"12345678","text":"\ud800"}',
    "a raw control character": '{"type":"send_message","requestId":"12345678","text":"\x01"}',
    "bytes that are no UTF-8": b'{"type":"typ\xff\xfe"}',
    "nesting in the type": '{"type":' + "[" * DEEP,
}
UNKNOWN_TYPE = {
    "another name": '{"type":"shout"}',
    "other letters": '{"type":"TYPING"}',
    "an event's name": '{"type":"ai_message_end"}',
    "a NUL": '{"type":"typing\\u0000"}',
    "a very long name": json.dumps({"type": "x" * 10_000}),
}
INVALID_FIELDS = {
    "null": "null",
    "an array": "[]",
    "a string": '"typing"',
    "no type": "{}",
    "a type that is a number": '{"type":5}',
    "two types": '{"type":"typing","type":"stop"}',
    "nothing but nesting": "[" * DEEP,
    "an unknown field": '{"type":"typing","mood":"good"}',
    "nesting in an unknown field": '{"type":"typing","x":' + "[" * DEEP + "]" * DEEP + "}",
    "a snake_case field": '{"type":"regenerate","request_id":"12345678","message_id":"' + ID + '"}',
    "a missing field": '{"type":"stop","messageId":"' + ID + '"}',
    "a text that is a number": '{"type":"send_message","requestId":"12345678","text":5}',
    "a text that is null": '{"type":"send_message","requestId":"12345678","text":null}',
    "an id that is no UUID": '{"type":"stop","messageId":"3","seenLength":1}',
    "a count that is a string": f'{{"type":"stop","messageId":"{ID}","seenLength":"1"}}',
    "a count that is true": f'{{"type":"stop","messageId":"{ID}","seenLength":true}}',
    "a count with a fraction": f'{{"type":"stop","messageId":"{ID}","seenLength":1.5}}',
    "a count below zero": f'{{"type":"stop","messageId":"{ID}","seenLength":-1}}',
    "a count of 400 digits": f'{{"type":"stop","messageId":"{ID}","seenLength":{"9" * 400}}}',
    "a count out of range": f'{{"type":"stop","messageId":"{ID}","seenLength":1e400}}',
    "a short requestId": '{"type":"send_message","requestId":"1234567","text":"a"}',
    "a long requestId": json.dumps({"type": "send_message", "requestId": "1" * 65, "text": "a"}),
    "a requestId with a newline": '{"type":"send_message","requestId":"12345678\\n","text":"a"}',
    "a requestId of other digits": '{"type":"send_message","requestId":"１２３４５６７８","text":"a"}',
    "51 known answers": json.dumps({"type": "resume", "known": [
        {"messageId": ID, "attempt": 1, "seq": 1, "length": 1}
    ] * 51}),
    "an unknown field in a known answer": json.dumps({"type": "resume", "known": [
        {"messageId": ID, "attempt": 1, "seq": 1, "length": 1, "text": "a"}
    ]}),
    "33 marks": json.dumps({"type": "timing", "requestId": "12345678", "marks": {f"m{i}": 1 for i in range(33)}}),
    "a mark with a long name": json.dumps({"type": "timing", "requestId": "12345678", "marks": {"m" * 33: 1}}),
}


@pytest.mark.parametrize("frame", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_not_json_is_bad_json(frame: str | bytes) -> None:
    assert refusal(frame).code == "bad_json"


@pytest.mark.parametrize("frame", UNKNOWN_TYPE.values(), ids=UNKNOWN_TYPE)
def test_a_type_that_is_not_ours_is_unknown(frame: str) -> None:
    error = refusal(frame)
    assert error.code == "unknown_type"
    assert len(error.message) < 100


@pytest.mark.parametrize("frame", INVALID_FIELDS.values(), ids=INVALID_FIELDS)
def test_fields_that_are_not_the_contracts_are_invalid(frame: str) -> None:
    assert refusal(frame).code == "invalid_fields"


def test_a_refusal_names_the_field() -> None:
    assert "`mood`" in refusal('{"type":"typing","mood":"good"}').message
    assert "seenLength" in refusal(f'{{"type":"stop","messageId":"{ID}","seenLength":"1"}}').message


def test_a_megabyte_of_text_is_understood_here_and_measured_elsewhere() -> None:
    command = parse_command(json.dumps({"type": "send_message", "requestId": "12345678", "text": "가" * 350_000}))
    assert isinstance(command, SendMessage)
    assert len(command.text) == 350_000


def test_of_a_field_given_twice_the_last_counts() -> None:
    command = parse_command(f'{{"type":"stop","messageId":"{ID}","seenLength":1,"seenLength":2}}')
    assert isinstance(command, Stop)
    assert command.seen_length == 2


def test_whole_numbers_do_for_milliseconds() -> None:
    command = parse_command('{"type":"timing","requestId":"12345678","marks":{"sent":3}}')
    assert isinstance(command, Timing)
    assert command.marks == {"sent": 3.0}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(sorted({name for command in golden_commands() for name in command} - {"type"})) | st.text()
OBJECTS = st.builds(
    lambda kind, fields: json.dumps({**fields, "type": kind}),
    st.sampled_from(sorted(COMMAND_TYPES)) | st.text(), st.dictionaries(FIELDS, VALUES, max_size=5),
)
#: A true command with one piece of it cut out and something else put there.
BROKEN = st.builds(
    lambda command, start, size, filling: command[:start] + filling + command[start + size:],
    st.sampled_from([json.dumps(command) for command in golden_commands()]),
    st.integers(0, 200), st.integers(0, 12), st.text(max_size=6),
)


@given(frame=OBJECTS | BROKEN | st.text() | st.binary())
def test_whatever_comes_is_a_command_or_a_refusal_with_a_code(frame: str | bytes) -> None:
    assert outcome(frame) in {"bad_json", "unknown_type", "invalid_fields", *COMMAND_TYPES}


def outcome(frame: str | bytes) -> str:
    """The command's type or the refusal's code; any other exception is a failure."""
    try:
        return str(parse_command(frame).__struct_config__.tag)
    except BadCommand as error:
        return error.code


def refusal(frame: str | bytes) -> BadCommand:
    with pytest.raises(BadCommand) as caught:
        parse_command(frame)
    return caught.value
