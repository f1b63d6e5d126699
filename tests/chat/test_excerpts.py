"""A few words out of a longer text."""

from __future__ import annotations

import pytest

from chat.excerpts import opening_line, plain, shorten


@pytest.mark.parametrize(
    ("greeting", "line"),
    [
        ('*He looks up.* "You came after all." *He smiles.*', "“You came after all.”"),
        ("*고개를 든다.*\n\n「이 시간에 손님이라니.」", "“이 시간에 손님이라니.”"),
        ("“Hm.” *A pause.* “Sit down, traveler.”", "“Sit down, traveler.”"),
        ("*Rain falls on the roof. Nobody speaks.*", "Rain falls on the roof."),
        ("No marks at all", "No marks at all"),
    ],
)
def test_a_greeting_opens_with_its_first_words_worth_quoting(greeting: str, line: str) -> None:
    assert opening_line(greeting) == line


def test_plain_text_is_one_line_without_marks() -> None:
    assert plain('*She  nods.*\n\n"Yes."') == 'She nods. "Yes."'


def test_a_cut_is_made_between_words_and_never_exceeds_the_limit() -> None:
    assert shorten("one two three four", 12) == "one two…"
    assert shorten("가나다라마바사아자차카타", 6) == "가나다라마…"
    assert shorten("short", 12) == "short"
