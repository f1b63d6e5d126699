"""Checksums as server and browser must agree on them; tests/js/checksum.test.js reads the same file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streaming.events import checksum

TEXTS = json.loads((Path(__file__).parent / "checksums.json").read_text("utf-8"))["texts"]


@pytest.mark.parametrize(("text", "length", "value"), TEXTS, ids=ascii)
def test_length_and_checksum_are_the_agreed_ones(text: str, length: int, value: str) -> None:
    assert (len(text), checksum(text)) == (length, value)


def test_half_a_pair_counts_as_the_replacement_character() -> None:
    assert checksum("a\ud83d") == checksum("a\ufffd") != checksum("a?")


def test_halves_that_meet_are_the_character_they_make() -> None:
    assert checksum("\ud83d" + "\ude00") == checksum("😀")
