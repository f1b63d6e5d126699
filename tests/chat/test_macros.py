"""Macros of cards: resolved once, the same for the same seed, unknown ones left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.macros import resolve


def resolved(text: str, seed: int = 7, original: str | None = None) -> str:
    return resolve(text, user="민준", char="하늘", seed=seed, original=original)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{user}} {{CHAR}} {{ Bot }}", "민준 하늘 하늘"),
        ("<USER> <bot> <Char>", "민준 하늘 하늘"),
        ("a{{// a note}}b{{comment: c}}{{hidden_key:d}}", "ab"),
        ("{{reverse:abc}}", "cba"),
        ("{{roll:1}} {{roll:d1}} {{ROLL: 1d1}}", "1 1 1"),
        ("{{random:only}}{{pick::this}}", "onlythis"),
        (r"{{random:one\, two}}", "one, two"),
        ("{{random:{{user}},{{user}}}}", "민준"),
        ("no macro, 1 < 2", "no macro, 1 < 2"),
    ],
)
def test_known_macros_are_replaced(text: str, expected: str) -> None:
    assert resolved(text) == expected


@pytest.mark.parametrize(
    "text",
    ["{{time}}", "{{original}}", "{{random:}}", "{{roll:x}}", "{{roll:0}}", "{{roll:99999999}}", "{{getvar::a}}", "{{"],
)
def test_what_is_unknown_or_makes_no_sense_stays(text: str) -> None:
    assert resolved(text) == text


def test_original_stands_for_the_apps_own_words_where_there_are_any() -> None:
    assert resolved("{{original}} And more.", original="Ours.") == "Ours. And more."


def test_chance_is_decided_by_the_seed_alone() -> None:
    text = "{{random:a,b,c,d,e,f,g,h}}{{pick:a,b,c,d,e,f,g,h}}{{roll:d1000}}"
    assert resolved(text, seed=1) == resolved(text, seed=1)
    assert len({resolved(text, seed=seed) for seed in range(20)}) > 1


def test_each_macro_of_a_text_has_its_own_chance() -> None:
    assert len(set(resolved(" ".join(["{{roll:d1000}}"] * 10)).split())) > 1


def test_a_name_is_never_read_as_a_macro() -> None:
    assert resolve("{{user}}", user="{{char}}", char="하늘", seed=1) == "char"


@given(st.text(alphabet="{}:,<>abcuser/ randompickroll\\", max_size=200))
def test_any_text_comes_to_an_end_and_stays_there(text: str) -> None:
    assert resolved(text) == resolved(text)
