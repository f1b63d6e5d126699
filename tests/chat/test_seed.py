"""`manage.py seed`: the cast appears once, follows our files, and leaves alone what an operator made their own."""

from __future__ import annotations

import copy
import dataclasses
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import DjangoAssertNumQueries
from waffle import switch_is_active
from waffle.models import Switch

from chat.characters.seeding import CREATED, KEPT, UNCHANGED, UPDATED, seed_cast
from chat.characters.shipped import ShippedCharacter, digest, read_cast
from chat.models import Card, Character

pytestmark = [pytest.mark.data, pytest.mark.django_db]


@pytest.fixture
def cast() -> list[ShippedCharacter]:
    return read_cast()[:2]


def renamed(shipped: ShippedCharacter, name: str) -> ShippedCharacter:
    """The same character in a later version of ours."""
    cards = copy.deepcopy(shipped.cards)
    cards["ko"]["data"]["name"] = name
    return dataclasses.replace(shipped, cards=cards)


def test_the_command_brings_the_whole_cast_and_says_so() -> None:
    out = StringIO()
    call_command("seed", stdout=out)
    assert Character.objects.count() == len(read_cast()) >= 6
    assert Card.objects.count() == 2 * len(read_cast())
    assert "24 created" in out.getvalue()


def test_every_row_holds_what_the_file_says() -> None:
    call_command("seed", verbosity=0)
    for shipped in read_cast():
        row = Character.objects.get(slug=shipped.slug)
        assert (row.portrait, row.accent, row.sort) == (shipped.portrait, shipped.accent, shipped.sort)
        assert {card.language: card.raw for card in row.cards.all()} == shipped.cards


def test_a_second_run_changes_nothing(
    cast: list[ShippedCharacter], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    assert seed_cast(cast) == {CREATED: 6}
    before = list(Card.objects.order_by("pk").values())
    # Reads only: two queries and the savepoint's two.
    with django_assert_max_num_queries(4):
        assert seed_cast(cast) == {UNCHANGED: 6}
    assert list(Card.objects.order_by("pk").values()) == before


def test_a_newer_file_reaches_a_card_nobody_edited(cast: list[ShippedCharacter]) -> None:
    seed_cast(cast)
    newer = renamed(cast[0], "새 이름")
    assert seed_cast([newer]) == {UPDATED: 1, UNCHANGED: 2}
    card = Card.objects.get(character__slug=newer.slug, language="ko")
    assert card.name == "새 이름"
    assert card.raw == newer.cards["ko"]


def test_an_operators_edit_survives_a_newer_file(cast: list[ShippedCharacter]) -> None:
    seed_cast(cast)
    card = Card.objects.get(character__slug=cast[0].slug, language="ko")
    card.raw["data"]["name"] = "내가 지은 이름"
    card.save()
    assert seed_cast([renamed(cast[0], "새 이름")]) == {KEPT: 1, UNCHANGED: 2}
    card.refresh_from_db()
    assert card.name == card.raw["data"]["name"] == "내가 지은 이름"


def test_an_edit_taken_back_follows_our_files_again(cast: list[ShippedCharacter]) -> None:
    seed_cast(cast)
    card = Card.objects.get(character__slug=cast[0].slug, language="ko")
    original: dict[str, Any] = copy.deepcopy(card.raw)
    card.raw["data"]["name"] = "내가 지은 이름"
    card.save()
    card.raw = original
    card.save()
    assert seed_cast([renamed(cast[0], "새 이름")])[UPDATED] == 1


def test_looks_follow_the_file_until_an_operator_chooses_their_own(cast: list[ShippedCharacter]) -> None:
    seed_cast(cast)
    assert seed_cast([dataclasses.replace(cast[0], accent="#123456")])[UPDATED] == 1
    row = Character.objects.get(slug=cast[0].slug)
    assert row.accent == "#123456"
    row.accent = "#abcdef"
    row.save()
    assert seed_cast([cast[0]])[KEPT] == 1
    row.refresh_from_db()
    assert row.accent == "#abcdef"


def test_a_hidden_character_stays_hidden(cast: list[ShippedCharacter]) -> None:
    seed_cast(cast)
    Character.objects.filter(slug=cast[0].slug).update(is_published=False, talk_count=7)
    seed_cast([dataclasses.replace(cast[0], accent="#123456")])
    row = Character.objects.get(slug=cast[0].slug)
    assert (row.is_published, row.talk_count) == (False, 7)


def test_a_character_of_an_operators_own_with_our_slug_is_left_alone(cast: list[ShippedCharacter]) -> None:
    Character.objects.create(slug=cast[0].slug, portrait="portraits/mine.svg")
    outcomes = seed_cast([cast[0]])
    assert outcomes == {KEPT: 1, CREATED: 2}
    assert Character.objects.get(slug=cast[0].slug).portrait == "portraits/mine.svg"


def test_the_command_tells_that_edited_cards_were_kept() -> None:
    call_command("seed", verbosity=0)
    card = Card.objects.first()
    assert card is not None
    card.raw["data"]["creator_notes"] = "ours now"
    card.save()
    out = StringIO()
    call_command("seed", stdout=out)
    assert "1 kept" in out.getvalue()
    assert "edited in the admin" in out.getvalue()


def test_the_streaming_switch_is_on_when_new() -> None:
    call_command("seed", verbosity=0)
    assert switch_is_active("chat_streaming")


def test_a_restart_does_not_turn_streaming_back_on() -> None:
    call_command("seed", verbosity=0)
    switch = Switch.objects.get(name="chat_streaming")
    switch.active = False
    switch.save()
    call_command("seed", verbosity=0)
    assert not Switch.objects.get(name="chat_streaming").active


def test_the_order_of_keys_is_no_edit() -> None:
    assert digest({"a": 1, "b": [{"c": "가", "d": None}]}) == digest({"b": [{"d": None, "c": "가"}], "a": 1})
    assert digest({"a": [1, 2]}) != digest({"a": [2, 1]})
