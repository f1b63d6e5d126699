from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.providers.base import ProviderError
from streaming.providers.sse import EVENT_MAX_BYTES, EventParser

STREAM = (
    ": a comment\n\n"
    'data: {"a":"달빛 🌙"}\n\n'
    "event: ping\nid: 7\nretry: 10\n\n"
    "data: first line\ndata: second line\n\n"
    "event: named\ndata: {}\n\n"
    "\n\n"
    "data:no space\n\n"
    "data: [DONE]\n\n"
)
PAYLOADS = ['{"a":"달빛 🌙"}', "first line\nsecond line", "{}", "no space", "[DONE]"]


def parsed(parts: list[bytes]) -> list[str]:
    parser = EventParser()
    found = [payload for part in parts for payload in parser.feed(part)]
    return [payload.decode() for payload in found + parser.close()]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_byte_by_itself_gives_the_same_events(line_end: str) -> None:
    data = STREAM.replace("\n", line_end).encode()
    assert parsed([bytes([byte]) for byte in data]) == PAYLOADS


@given(cuts=st.lists(st.integers(0, len(STREAM.encode()) + 12), max_size=8), crlf=st.booleans())
def test_any_split_gives_the_same_events(cuts: list[int], crlf: bool) -> None:
    data = STREAM.replace("\n", "\r\n" if crlf else "\n").encode()
    edges = [0, *sorted(cuts), len(data)]
    assert parsed([data[start:end] for start, end in pairwise(edges)]) == PAYLOADS


def test_an_event_is_given_with_the_byte_that_ends_it() -> None:
    parser = EventParser()
    assert parser.feed(b"data: x\n") == []
    assert parser.feed(b"\n") == [b"x"]


def test_what_the_end_cuts_short_is_given_once_by_close() -> None:
    parser = EventParser()
    parser.feed(b"data: x\n\ndata: [DONE]")
    assert parser.close() == [b"[DONE]"]
    assert parser.close() == []


def test_a_byte_order_mark_hides_nothing() -> None:
    assert parsed([b"\xef\xbb\xbfdata: x\n\n"]) == ["x"]


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r\n\r\n"])
def test_an_error_that_is_bare_json_is_an_event(end: str) -> None:
    bare = '{\n  "error": {\n    "code": 503\n  }\n}'
    assert parsed([b"data: x\n\n", (bare + end).encode()]) == ["x", bare]
    assert parsed([b"{ but: no\ndata: x\n\n"]) == ["x"]


def test_an_event_without_end_is_garbage_before_it_fills_the_memory() -> None:
    parser = EventParser()
    for _ in range(EVENT_MAX_BYTES // 1024):
        assert parser.feed(b"x" * 1024) == []
    with pytest.raises(ProviderError) as caught:
        parser.feed(b"x")
    assert caught.value.code == "provider_garbage"
    assert caught.value.retryable
