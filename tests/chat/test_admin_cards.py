"""Characters in the admin: a card's form loses no key and stores nothing a database cannot hold."""

from __future__ import annotations

import pytest
from django.test import Client

from chat.models import Card, Character, Room
from tests.chat.admin_pages import as_staff, delete_address, errors_of, make_world, page_address
from tests.people import make_character

pytestmark = [pytest.mark.data, pytest.mark.django_db]


@pytest.fixture
def room(db: None) -> Room:
    return make_world()


@pytest.fixture
def bob(db: None, client: Client) -> Client:
    return as_staff(client)


def character_form(character: Character, raw: str, **fields: str) -> dict[str, str]:
    card = character.cards.get()
    form = {
        "portrait": "portraits/haneul.svg", "accent": "#1F8FA0", "is_published": "on", "sort": "5",
        "cards-TOTAL_FORMS": "1", "cards-INITIAL_FORMS": "1", "cards-0-id": str(card.pk),
        "cards-0-character": str(character.pk), "cards-0-language": "en", "cards-0-raw": raw,
    }
    return {**form, **fields}


def test_saving_a_card_keeps_every_key_it_had(bob: Client, room: Room) -> None:
    card = Card.objects.get()
    odd = {"note": [1, 2.5, None, {"깊이": "🕯️"}]}
    card.raw = {**card.raw, "x_unknown": odd, "data": {**card.raw["data"], "character_book": None}}
    card.save()
    form = bob.get(page_address(card.character)).context["inline_admin_formsets"][0].formset.forms[0]
    shown = form["raw"].value()
    assert bob.post(page_address(card.character), character_form(card.character, shown)).status_code == 302
    saved = Card.objects.get()
    assert saved.raw == card.raw
    assert Character.objects.get().accent == "#1f8fa0"


def test_an_edited_card_is_projected_anew(bob: Client, room: Room) -> None:
    character = make_character()
    raw = '\ufeff{"data": {"name": "Nova", "mystery": 1}}'
    assert bob.post(page_address(character), character_form(character, raw)).status_code == 302
    card = Card.objects.get()
    assert (card.name, card.raw) == ("Nova", {"data": {"name": "Nova", "mystery": 1}})


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("{", "valid JSON"), ("[]", "JSON object"), ("", "required"), ('{"a": NaN}', "NaN"), ('{"a": 1e999}', "NaN"),
        ('{"a": "\\u0000"}', "u0000"), ('{"a": "\\ud800"}', "half a character"),
    ],
)
def test_a_card_that_cannot_be_stored_is_refused_with_a_reason(
    bob: Client, room: Room, raw: str, reason: str
) -> None:
    character = make_character()
    before = Card.objects.get().raw
    response = bob.post(page_address(character), character_form(character, raw))
    assert response.status_code == 200
    assert reason in errors_of(response)
    assert Card.objects.get().raw == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("accent", "red"), ("portrait", "portraits/nobody.svg"), ("portrait", "../manage.py"),
        ("portrait", "/etc/passwd"),
    ],
)
def test_looks_that_cannot_be_shown_are_refused(bob: Client, room: Room, field: str, value: str) -> None:
    character = make_character()
    raw = '{"data": {"name": "Mina"}}'
    response = bob.post(page_address(character), character_form(character, raw, **{field: value}))
    assert response.status_code == 200
    assert errors_of(response)


def test_saving_a_page_does_not_undo_what_happened_meanwhile(bob: Client, room: Room) -> None:
    character = make_character()
    bob.get(page_address(character))
    Character.objects.update(talk_count=41)
    bob.post(page_address(character), character_form(character, '{"data": {"name": "Mina"}}'))
    assert Character.objects.get().talk_count == 41


def test_a_shipped_character_is_hidden_and_not_deleted(bob: Client, room: Room) -> None:
    shipped = Character.objects.create(slug="ours", portrait="portraits/haneul.svg", shipped_digest="d")
    own = Character.objects.create(slug="theirs", portrait="portraits/haneul.svg")
    for character, status in ((shipped, 403), (own, 302)):
        address = delete_address(character)
        assert bob.post(address, {"post": "yes"}).status_code == status
    assert set(Character.objects.values_list("slug", flat=True)) == {"mina", "ours"}
