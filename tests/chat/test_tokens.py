"""The estimate against what real tokenizers counted (golden/token_counts.json, our own texts)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.tokens import count_tokens, token_factor

COUNTED: dict[str, Any] = json.loads((Path(__file__).parent / "golden" / "token_counts.json").read_text("utf-8"))
MODERN = ("o200k", "llama3", "gemini", "qwen3")
PROSE = {"ko": [name for name in COUNTED if name.startswith("ko_")], "en": [n for n in COUNTED if n.startswith("en_")]}


def ratio(names: list[str], tokenizer: str) -> float:
    """Our estimate of these texts together, divided by the tokenizer's own count."""
    counted: int = sum(COUNTED[name]["tokens"][tokenizer] for name in names)
    return sum(count_tokens(COUNTED[name]["text"]) for name in names) / counted


@pytest.mark.parametrize("tokenizer", MODERN)
@pytest.mark.parametrize("language", ["ko", "en"])
def test_prose_is_estimated_a_little_high(language: str, tokenizer: str) -> None:
    assert 1.0 <= ratio(PROSE[language], tokenizer) <= 1.3


@pytest.mark.parametrize("name", [*PROSE["ko"], *PROSE["en"], "mixed_1", "mixed_2", "code_py", "code_js", "json"])
def test_no_text_of_some_length_is_estimated_far_too_low(name: str) -> None:
    most = max(COUNTED[name]["tokens"][tokenizer] for tokenizer in MODERN)
    assert most < 20 or count_tokens(COUNTED[name]["text"]) >= most * 0.85


@pytest.mark.parametrize(
    ("model", "tokenizer"),
    [("smollm2-135m-instruct", "smollm2"), ("claude-any", "claude2"), ("gpt-3.5-turbo", "cl100k")],
)
@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_small_vocabularys_factor_makes_up_for_it(model: str, tokenizer: str, language: str) -> None:
    factor = token_factor(model, language)
    assert 1.0 <= ratio(PROSE[language], tokenizer) * factor <= 1.3


#: What is counted, letter by letter, and what each costs in hundredths.
COSTS = (
    (r"[A-Z]?[a-z]+|[A-Z]+", 105), (r"(?<=[A-Za-z]{6})[A-Za-z]", 20), (r"[0-9]", 100), (r"[!-/:-@\[-`{-~]", 75),
    (r"\n+|[ \t]{2,}", 70), ("[\U00010000-\U0010ffff]", 150),
)


@given(st.text(st.sampled_from("aabcABC09.?!\n\t  \r가é😀") | st.characters(), max_size=60))
def test_all_places_at_once_come_to_what_looking_at_each_comes_to(text: str) -> None:
    wide = len(text.encode("utf-8", "replace")) - len(text.encode("ascii", "ignore"))
    hundredths = 37 * wide + sum(cost * len(re.findall(pattern, text)) for pattern, cost in COSTS)
    assert count_tokens(text) == max(-(-hundredths // 100), 1 if text else 0)


def test_an_unknown_model_is_taken_to_be_a_current_one() -> None:
    assert token_factor("somebody/new-model", "ko") == 1.0
    assert token_factor("vendor/SmolLM2-360M", "ko") == token_factor("smollm2-135m-instruct", "ko")


def test_only_the_empty_text_is_no_token() -> None:
    assert count_tokens("") == 0
    assert count_tokens(" ") == 1
    assert count_tokens("\ud800") >= 1


@given(st.text(), st.text())
def test_more_text_is_never_fewer_tokens_than_its_halves_by_more_than_a_word(left: str, right: str) -> None:
    assert count_tokens(left + right) <= count_tokens(left) + count_tokens(right) + 2
