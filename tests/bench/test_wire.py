"""Frames and units survive every way the network can cut them."""

from __future__ import annotations

import pytest

from tests.bench.tokens import Pace, read_units, unit
from tests.bench.wire import CLOSE, PING, TEXT, FrameReader, accept_key, client_frame, server_frame

FRAMES = [(TEXT, b"short"), (PING, b""), (TEXT, b"m" * 300), (TEXT, b"l" * 70_000), (CLOSE, b"\x03\xe8")]


@pytest.mark.parametrize("step", [1, 7, 1000, 100_000])
@pytest.mark.parametrize("encode", [server_frame, client_frame])
def test_frames_come_back_however_they_are_cut(encode: object, step: int) -> None:
    assert callable(encode)
    stream = b"".join(encode(payload, opcode) for opcode, payload in FRAMES)
    reader = FrameReader()
    got = [frame for at in range(0, len(stream), step) for frame in reader.feed(stream[at : at + step])]
    assert got == FRAMES


def test_a_masked_frame_is_unmasked() -> None:
    # RFC 6455, 5.7: a single-frame masked text message, "Hello".
    assert list(FrameReader().feed(bytes.fromhex("818537fa213d7f9f4d5158"))) == [(TEXT, b"Hello")]


def test_the_handshake_answers_as_the_rfc_says() -> None:
    assert accept_key(b"dGhlIHNhbXBsZSBub25jZQ==") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_units_are_read_back_and_a_cut_unit_is_refused() -> None:
    text = unit(0, 1) + unit(17, 99_999_999_999_999)
    assert read_units(text) == [(0, 1), (17, 99_999_999_999_999)]
    with pytest.raises(ValueError, match="whole units"):
        read_units(text[:-1])


def test_the_newest_pace_in_a_body_counts() -> None:
    old, new = Pace(1, 2.5, 3), Pace(4, 50, 0)
    assert Pace.find(f"{old.message()} and {new.message()}".encode()) == new
