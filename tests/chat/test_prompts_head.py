"""The static head: everything of the card, in order, and the same bytes for ever."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chat.prompts import Head, render_head
from chat.prompts.templates import CURRENT_VERSION, TEMPLATES
from chat.tokens import FRAME_TOKENS, count_tokens
from tests.chat import golden_prompts as story


def rendered(card: dict[str, Any], about: str = "", language: str = "en") -> Head:
    return render_head(card, persona_name="Sam", persona_about=about, language=language, seed=1)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_prompt_is_what_the_golden_file_says(language: str) -> None:
    expected = json.loads((story.FOLDER / f"prompt_v1_{language}.json").read_text("utf-8"))
    assert story.golden(language) == expected


def test_everything_of_the_card_comes_in_order() -> None:
    text = story.head("ko").text
    parts = [
        "역을 맡는다", "쓰지 않는다", "헌책방의 주인", "성격: ", "상황: ", "## 민준", "느린 오후",
        "## 예시 대화", "오늘은 이거요",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_every_version_is_still_rendered_and_speaks_both_languages() -> None:
    for version in TEMPLATES:
        for language in ("ko", "en"):
            head = render_head(
                story.CARDS[language], persona_name="A", persona_about="", language=language, seed=1, version=version
            )
            assert head.version == version
            assert "{{" not in head.text
    assert max(TEMPLATES) == CURRENT_VERSION


def test_an_unknown_version_is_an_error_not_a_guess() -> None:
    with pytest.raises(KeyError):
        render_head({}, persona_name="A", persona_about="", language="ko", seed=1, version=99)


def test_a_language_without_words_of_its_own_gets_english_rules() -> None:
    assert "Never write Sam's words" in rendered({"name": "Mina"}, language="fr").text


def test_a_cards_system_prompt_takes_the_place_of_ours_but_never_of_the_rules() -> None:
    replaced = rendered({"name": "Mina", "system_prompt": "You are a cat."}).text
    assert replaced.startswith("You are a cat.\n\n- Never write")
    assert "You play" not in replaced
    extended = rendered({"name": "Mina", "system_prompt": "{{original}} You are a cat."}).text
    assert extended.startswith('You play "Mina"')


def test_what_creators_write_to_people_is_not_told_to_the_model() -> None:
    told = rendered({"name": "Mina", "creator_notes": "SECRET", "tags": ["SECRET"], "creator": "SECRET"}).text
    assert "SECRET" not in told


def test_the_tokens_are_the_texts_own() -> None:
    head = story.head("en")
    assert head.tokens == count_tokens(head.text) + FRAME_TOKENS


def test_the_same_room_gets_the_same_bytes_and_another_room_its_own_chance() -> None:
    card = {"name": "Mina", "description": "{{random:red,green,blue,black,white,grey}} {{roll:d1000}}"}
    heads = {render_head(card, persona_name="A", persona_about="", language="en", seed=seed).text for seed in range(9)}
    assert len(heads) > 1
    assert rendered(card) == rendered(card)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ["name", "nickname", "description", "personality", "mes_example", "system_prompt", "character_book"]
ENTRY = ["keys", "secondary_keys", "content", "enabled", "constant", "selective", "insertion_order", "priority", "name"]
books = st.fixed_dictionaries(
    {"entries": st.lists(st.dictionaries(st.sampled_from(ENTRY), json_values), max_size=4)},
    optional={"scan_depth": json_values, "token_budget": json_values},
)


@example({"character_book": {"token_budget": float("inf"), "entries": [{"content": "x", "priority": 10**400}]}})
@given(st.dictionaries(st.sampled_from(FIELDS), json_values | books))
def test_no_card_however_odd_breaks_the_head(card: dict[str, Any]) -> None:
    assert rendered(card).text.strip()
