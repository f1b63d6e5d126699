from __future__ import annotations

import json

import pytest

from streaming.providers.base import ProviderError
from streaming.providers.openai_compatible import ChatDecoder
from streaming.providers.prefill import SpaceSeam


def new_decoder() -> ChatDecoder:
    return ChatDecoder(SpaceSeam(""))


def chunk(escaped: str) -> bytes:
    return b'{"choices":[{"delta":{"content":"' + escaped.encode() + b'"}}]}'


def batches(*contents: list[str]) -> list[tuple[str, int]]:
    decoder, taken = new_decoder(), []
    for pieces in contents:
        for piece in pieces:
            decoder.take(chunk(piece))
        taken.append(decoder.content.take())
    return taken


def test_pieces_of_a_batch_come_out_as_one_text_with_their_number() -> None:
    assert batches(["달", "빛", " 🌙"], [], ["."]) == [("달빛 🌙", 3), ("", 0), (".", 1)]


def test_nul_is_dropped_because_no_database_keeps_it() -> None:
    assert batches([r"a\u0000b"]) == [("ab", 1)]


def test_an_emoji_cut_in_two_is_joined_within_a_batch_and_across_two() -> None:
    assert batches([r"a\ud83c", r"\udf19b"]) == [("a🌙b", 2)]
    assert batches([r"a\ud83c"], [r"\udf19b"]) == [("a", 1), ("🌙b", 1)]


def test_half_an_emoji_that_stays_alone_becomes_the_replacement_character() -> None:
    [(text, _)] = batches([r"a\udf19b"])
    assert text == "a\ufffdb"
    assert batches([r"a\ud83c"], ["b"]) == [("a", 1), ("\ufffdb", 1)]


@pytest.mark.parametrize(
    "payload",
    [b"{this", b"[1]", b'"text"', b"\xff\xfe", b'{"choices":[{"delta":{"content":5}}]}', b"[" * 100_000],
)
def test_what_is_no_chunk_is_garbage(payload: bytes) -> None:
    with pytest.raises(ProviderError) as caught:
        new_decoder().take(payload)
    assert caught.value.code == "provider_garbage"
    assert "\n" not in caught.value.message
    assert len(caught.value.message) <= 300


def test_roles_nulls_reasoning_and_tool_calls_are_no_content() -> None:
    decoder = new_decoder()
    for delta in (
        {"role": "assistant", "content": None}, {"content": ""}, {"reasoning_content": "hmm"},
        {"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]}, None,
    ):
        decoder.take(json.dumps({"choices": [{"index": 0, "delta": delta}], "usage": None}).encode())
    decoder.take(b'{"choices":[],"prompt_filter_results":[]}')
    assert decoder.content.take() == ("", 0)
    assert not decoder.is_ending
