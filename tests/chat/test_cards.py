"""Cards: the raw JSON survives whatever is in it, the columns follow it, and ours read well in both languages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from chat.characters.shipped import FOLDER, ShippedCharacter, read_cast
from chat.macros import resolve
from chat.models import Card, Character
from chat.tokens import count_tokens

PORTRAITS = Path(__file__).parents[2] / "frontend_static" / "portraits"
SHIPPED = [(shipped.slug, language) for shipped in read_cast() for language in shipped.cards]
CAST = {shipped.slug: shipped for shipped in read_cast()}
PROMPT_FIELDS = (
    "description", "personality", "scenario", "mes_example", "system_prompt", "post_history_instructions",
)


def project(raw: Any, slug: str = "mina") -> Card:
    card = Card(character=Character(slug=slug), language="en", raw=raw)
    card.project()
    return card


# --- other people's cards ------------------------------------------------------------------------


@pytest.mark.parametrize("wrapped", [True, False], ids=["v2", "v1"])
def test_columns_come_from_wrapped_and_bare_cards_alike(wrapped: bool) -> None:
    fields = {"name": "Mina", "tags": ["calm"], "extensions": {"soksak": {"tagline": "She waits."}}}
    card = project({"spec": "chara_card_v2", "data": fields} if wrapped else fields)
    assert (card.name, card.tagline, card.tags) == ("Mina", "She waits.", ["calm"])


def test_the_wrapped_fields_win_over_their_old_copies() -> None:
    card = project({"name": "Old", "first_mes": "old", "data": {"name": "New", "first_mes": "new"}})
    assert card.name == "New"
    assert card.greetings == ["new"]


@pytest.mark.parametrize("name", ["", "   ", None])
def test_a_card_without_a_name_is_called_by_its_slug(name: str | None) -> None:
    assert project({"data": {"name": name}}).name == "mina"


@pytest.mark.parametrize(
    "raw",
    [
        [], "text", None, 7, {}, {"data": None}, {"data": []},
        {"data": {"extensions": None, "tags": None, "alternate_greetings": None, "character_book": None}},
        {"data": {"extensions": [], "tags": "a, b", "alternate_greetings": "hello", "first_mes": 5}},
        {"data": {"extensions": {"soksak": "text"}, "tags": {}, "alternate_greetings": {"a": 1}}},
    ],
)
def test_odd_json_projects_to_nothing_instead_of_failing(raw: Any) -> None:
    card = project(raw)
    assert (card.name, card.tagline, card.tags, card.greetings, card.intro) == ("mina", "", [], [], "")


def test_long_columns_are_cut_and_the_raw_is_not() -> None:
    raw = {"data": {"name": "n" * 500, "extensions": {"soksak": {"tagline": "t" * 500}}}}
    card = project(raw)
    assert len(card.name) == 80
    assert len(card.tagline) == 200
    assert len(card.raw["data"]["name"]) == 500


def test_greetings_are_those_that_say_something_with_plain_line_ends() -> None:
    card = project({"data": {"first_mes": "a\r\nb", "alternate_greetings": ["", "  ", None, 3, "c"]}})
    assert card.greetings == ["a\nb", "c"]


def test_a_foreign_card_is_introduced_by_its_creators_notes() -> None:
    assert project({"data": {"creator_notes": "A keeper."}}).intro == "A keeper."
    ours = {"creator_notes": "A keeper.", "extensions": {"soksak": {"intro": "Ours."}}}
    assert project({"data": ours}).intro == "Ours."


ODD_CARD: dict[str, Any] = {
    "spec": "chara_card_v3", "spec_version": "3.0", "name": "", "unknown_top": {"z": 1, "a": [None, True, 0.5]},
    "data": {
        "name": "", "character_version": 1.2, "character_book": None, "talkativeness": "0.5", "nickname": "Mi",
        "first_mes": "a\r\nb", "assets": [{"type": "icon", "uri": "ccdefault:", "ext": "png"}],
        "extensions": {"other/app": {"depth_prompt": {"depth": 4}}, "fav": False, "이모지": "🕯️"},
    },
}


@pytest.mark.data
@pytest.mark.django_db
def test_the_raw_card_survives_storing_key_by_key() -> None:
    character = Character.objects.create(slug="mina", portrait="portraits/mina.svg")
    stored = Card.objects.create(character=character, language="en", raw=json.loads(json.dumps(ODD_CARD)))
    stored.refresh_from_db()
    assert stored.raw == ODD_CARD
    assert isinstance(stored.raw["data"]["character_version"], float)
    stored.save()
    assert Card.objects.get(pk=stored.pk).raw == ODD_CARD


@pytest.mark.data
@pytest.mark.django_db
def test_saving_the_raw_alone_saves_its_projections() -> None:
    character = Character.objects.create(slug="mina", portrait="portraits/mina.svg")
    card = Card.objects.create(character=character, language="en", raw={"data": {"name": "Old"}})
    card.raw = {"data": {"name": "New"}}
    card.save(update_fields=["raw"])
    assert Card.objects.get(pk=card.pk).name == "New"


# --- our own -------------------------------------------------------------------------------------


@pytest.fixture(params=SHIPPED, ids=lambda pair: ".".join(pair))
def shipped(request: pytest.FixtureRequest) -> tuple[ShippedCharacter, str, dict[str, Any]]:
    slug, language = request.param
    return CAST[slug], language, CAST[slug].cards[language]


Ours = tuple[ShippedCharacter, str, dict[str, Any]]


def test_everybody_speaks_both_languages_and_no_file_lies_about_unused() -> None:
    assert all(set(one.cards) == {"ko", "en"} for one in CAST.values())
    assert {path.name for path in (FOLDER / "cards").iterdir()} == {f"{slug}.{lang}.json" for slug, lang in SHIPPED}


def test_our_cards_are_whole_v2_cards(shipped: Ours) -> None:
    _, _, raw = shipped
    data = raw["data"]
    assert (raw["spec"], raw["spec_version"]) == ("chara_card_v2", "2.0")
    assert all(isinstance(data[field], str) for field in ("name", "first_mes", "creator_notes", *PROMPT_FIELDS))
    assert (data["creator"], data["character_version"]) == ("Soksak", "1.0")
    assert 3 <= len(data["tags"]) <= 4
    assert len(data["alternate_greetings"]) == 2
    soksak = data["extensions"]["soksak"]
    assert 0 < len(soksak["tagline"]) <= 60
    assert 60 <= len(soksak["intro"]) <= 400


def test_our_greetings_act_speak_and_leave_an_opening(shipped: Ours) -> None:
    card = project(shipped[2])
    assert len(card.greetings) == 3
    for text in card.greetings:
        assert 300 <= len(text) <= 700
        assert text.count("*") % 2 == 0
        assert text.count('"') % 2 == 0
        assert re.search(r"\*[^*]+\*", text)
        assert re.search(r'"[^"]+"', text)
        assert re.search(r"[?!.…][\"*]?$", text)
        assert "?" in text[-160:]


def test_our_cards_leave_room_in_a_small_model(shipped: Ours) -> None:
    _, language, raw = shipped
    tokens = sum(count_tokens(raw["data"][field]) for field in PROMPT_FIELDS)
    assert tokens <= {"en": 700, "ko": 1000}[language]
    assert "{{original}}" in (raw["data"]["system_prompt"] or "{{original}}")


def test_our_cards_leave_no_macro_unresolved(shipped: Ours) -> None:
    data = shipped[2]["data"]
    for text in [data["first_mes"], *data["alternate_greetings"], *(data[field] for field in PROMPT_FIELDS)]:
        resolved = resolve(text, user="나그네", char=data["name"], seed=1, original="ours")
        assert "{{" not in resolved
        assert "}}" not in resolved


def test_korean_needs_no_particle_that_depends_on_the_name(shipped: Ours) -> None:
    _, language, raw = shipped
    if language == "ko":
        particle = r"\}\}(?:은|는|이|가|을|를|과|와|아|야|여|이여|으로|로|이랑|랑|이라|라|이다|다)(?![가-힣])"
        assert not re.findall(particle, json.dumps(raw, ensure_ascii=False))
    else:
        assert not re.search(r"[가-힣]", json.dumps(raw, ensure_ascii=False))


@pytest.mark.parametrize("slug", CAST)
def test_our_portraits_are_small_pictures_that_ask_for_nothing(slug: str) -> None:
    path = PORTRAITS / f"{slug}.svg"
    assert CAST[slug].portrait == f"portraits/{slug}.svg"
    assert path.stat().st_size < 40_000
    root = ElementTree.parse(path).getroot()  # noqa: S314 - our own file
    assert root.get("viewBox") == "0 0 512 640"
    for element in root.iter():
        assert element.tag.rpartition("}")[2] not in {"script", "text", "image", "foreignObject", "style", "use", "a"}
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on")
            assert "href" not in name.lower()
            assert name != "style"
            assert all(target.startswith("#") for target in re.findall(r"url\((.*?)\)", value))


@pytest.mark.parametrize("slug", CAST)
def test_our_accents_can_be_read_on_both_themes(slug: str) -> None:
    accent = _luminance(CAST[slug].accent)
    for ground in ("#ffffff", "#1a1a24"):
        lighter, darker = sorted((accent, _luminance(ground)), reverse=True)
        # AA for large text and for the parts of controls.
        assert (lighter + 0.05) / (darker + 0.05) >= 3


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
