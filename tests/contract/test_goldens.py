"""The golden files against the code: every type is in them, every frame is ours, the reader ends as expected."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from streaming.answer import Message
from streaming.commands import COMMAND_TYPES, parse_command
from streaming.events import EVENT_TYPES, decode, encode
from streaming.transcript import Transcript
from tests.contract.goldens import GOLDENS, golden_commands, golden_events

#: What the server always says, and a reader may do without: absent from a golden event, these values are meant.
DEFAULTS: dict[str, dict[str, Any]] = {"ready": {"v": 1}, "user_message": {"head": 0}, "ai_message_start": {"head": 0}}


def test_every_event_and_every_command_is_in_a_golden_file() -> None:
    assert {event["type"] for event in golden_events()} == set(EVENT_TYPES)
    assert {command["type"] for command in golden_commands()} == set(COMMAND_TYPES)


@pytest.mark.parametrize("name", GOLDENS)
def test_golden_events_are_what_the_server_would_write(name: str) -> None:
    for event in GOLDENS[name]["events"]:
        written = json.loads(encode(decode(json.dumps(event))))
        assert written == DEFAULTS.get(event["type"], {}) | event


@pytest.mark.parametrize("command", golden_commands(), ids=lambda command: command["type"])
def test_golden_commands_are_understood_whole(command: dict[str, Any]) -> None:
    understood = parse_command(json.dumps(command))
    assert json.loads(encode(understood)) == command


@pytest.mark.parametrize("name", GOLDENS)
def test_the_reference_reader_ends_as_expected(name: str) -> None:
    golden = GOLDENS[name]
    transcript = Transcript(golden.get("page"))
    counts: Counter[str] = Counter()
    for event in golden["events"]:
        counts.update(change.kind for change in transcript.apply(decode(json.dumps(event))))
    expected = golden["expect"]["messages"]
    assert [shown(message, of) for message, of in zip(transcript.messages, expected, strict=True)] == expected
    assert {kind: counts[kind] for kind in golden["expect"]["changes"]} == golden["expect"]["changes"]


def shown(message: Message, expected: dict[str, Any]) -> dict[str, Any]:
    """The fields that the golden file speaks of, in its words."""
    view = {
        "id": str(message.id), "role": message.role, "position": message.position, "text": message.text,
        "replyTo": str(message.reply_to) if message.reply_to else None, "status": message.status,
        "attempt": message.attempt, "seq": message.seq, "length": message.length,
        "finishReason": message.finish_reason, "errorCode": message.error_code, "retryable": message.retryable,
        "variants": [str(variant) for variant in message.variants], "variantIndex": message.variant_index,
    }
    return {name: view[name] for name in expected}
