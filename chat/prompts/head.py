"""The static head of a room's prompts: rules, card, persona, constant lore, examples. Rendered once. Pure."""

from __future__ import annotations

from chat.prompts import card as cards
from chat.prompts.card import CardData, Names
from chat.prompts.templates import CURRENT_VERSION, Template, template
from chat.prompts.values import Head
from chat.tokens import FRAME_TOKENS, count_tokens


def render_head(
    card_data: CardData,
    *,
    persona_name: str,
    persona_about: str,
    language: str,
    seed: int,
    version: int = CURRENT_VERSION,
) -> Head:
    """One text, the same bytes for the same arguments for ever. Raises KeyError for an unknown version."""
    words = template(version, language)
    names = cards.names(card_data, persona_name, seed)
    sections = [
        _system(card_data, words, names),
        names.resolve(words.rules),
        _character(card_data, words, names),
        _section(names.resolve(words.about_user), names.resolve(persona_about.strip())),
        _section(words.background, "\n".join(_constant_lore(card_data, names))),
        _section(words.examples, "\n\n".join(names.resolve(part) for part in cards.examples(card_data))),
    ]
    text = "\n\n".join(section for section in sections if section)
    return Head(text=text, tokens=count_tokens(text) + FRAME_TOKENS, version=version)


def _system(card_data: CardData, words: Template, names: Names) -> str:
    own = names.resolve(words.system)
    return names.resolve(cards.text(card_data, "system_prompt"), original=own) or own


def _character(card_data: CardData, words: Template, names: Names) -> str:
    lines = [names.resolve(cards.text(card_data, "description"))]
    for label, field in ((words.personality, "personality"), (words.scenario, "scenario")):
        if value := names.resolve(cards.text(card_data, field)):
            lines.append(label + value)
    return _section(names.resolve(words.about_character), "\n\n".join(line for line in lines if line))


def _section(heading: str, body: str) -> str:
    return f"{heading}\n{body}" if body else ""


def _constant_lore(card_data: CardData, names: Names) -> list[str]:
    constant = [entry for entry in cards.lorebook(card_data, names).entries if entry.is_constant]
    return [entry.content for entry in sorted(constant, key=lambda entry: entry.order)]
