"""Which lore is triggered: words in English, glued nouns in Korean, within a budget, in its order."""

from __future__ import annotations

import pytest

from chat.prompts import Turn
from chat.prompts.lore import triggered
from chat.prompts.values import Lorebook, LoreEntry


def said(*texts: str) -> list[Turn]:
    return [Turn("user", text, 1, index) for index, text in enumerate(texts)]


def found(book: Lorebook, *texts: str, budget: int = 1000) -> list[str]:
    return [entry.content for entry in triggered(book, said(*texts), budget)]


def entry(content: str, *keys: str, **fields: object) -> LoreEntry:
    return LoreEntry(content=content, keys=keys, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("엘도리아", "엘도리아는 어디야?"),
        ("등대 지기", "등대지기가 그랬어"),
        ("등대지기", "등대 지기를 봤어"),
        ("Eldoria", "ELDORIA는 멀어"),
        ("elf", "two elfs, an elf's bow"),
        ("dark lord", "The Dark  Lord!"),
        ("witch", "witches everywhere"),
        ("C++", "write it in C++, please"),
    ],
)
def test_a_key_is_found(key: str, text: str) -> None:
    assert found(Lorebook((entry("yes", key),)), text) == ["yes"]


@pytest.mark.parametrize(
    ("key", "text"),
    [("art", "my heart"), ("inn", "in northern lands"), ("elf", "himself"), ("/e.*f/i", "elf"), ("고래", "고 기래")],
)
def test_a_key_is_not_found_inside_other_words(key: str, text: str) -> None:
    assert found(Lorebook((entry("no", key),)), text) == []


def test_only_the_newest_messages_are_searched() -> None:
    book = Lorebook((entry("old", "moon"),), scan_messages=2)
    assert found(book, "the moon", "a", "b") == []
    assert found(book, "x", "the moon", "b") == ["old"]


def test_a_second_key_must_be_there_too() -> None:
    book = Lorebook((entry("both", "storm", secondary_keys=("lamp", "mast")),))
    assert found(book, "a storm") == []
    assert found(book, "a storm and a mast") == ["both"]


def test_constant_entries_are_the_heads_business() -> None:
    assert found(Lorebook((entry("constant", "moon", is_constant=True),)), "moon") == []


def test_they_stand_in_insertion_order() -> None:
    book = Lorebook((entry("last", "moon", order=9), entry("first", "moon", order=1)))
    assert found(book, "moon") == ["first", "last"]


def test_the_important_ones_stay_when_room_is_short() -> None:
    book = Lorebook((
        entry("minor " * 5, "moon", priority=1, order=1), entry("major " * 5, "moon", priority=9, order=2),
    ))
    assert found(book, "moon", budget=8) == ["major " * 5]
    assert found(book, "moon", budget=3) == []


def test_the_books_own_budget_bounds_it_as_well() -> None:
    assert found(Lorebook((entry("word " * 50, "moon"),), max_tokens=10), "moon") == []
