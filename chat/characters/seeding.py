"""Brings the shipped cast into the database without touching what an operator made their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from django.db import transaction

from chat.characters.shipped import ShippedCharacter, digest
from chat.models import Card, Character

#: What happened to a row: made, made as the newer file says, as it was, or left because an operator edited it.
CREATED, UPDATED, UNCHANGED, KEPT = "created", "updated", "unchanged", "kept"


@transaction.atomic
def seed_cast(cast: Iterable[ShippedCharacter]) -> Counter[str]:
    """Counts of what happened, by outcome. Safe to run again, and in two processes at once."""
    outcomes: Counter[str] = Counter()
    characters = {row.slug: row for row in Character.objects.prefetch_related("cards")}
    for shipped in cast:
        row = characters.get(shipped.slug)
        outcome, character = _seed_character(row, shipped)
        cards = {card.language: card for card in row.cards.all()} if row else {}
        outcomes[outcome] += 1
        for language in shipped.cards:
            outcomes[_seed_card(character, cards.get(language), language, shipped)] += 1
    return outcomes


def _seed_character(row: Character | None, shipped: ShippedCharacter) -> tuple[str, Character]:
    wanted = {**shipped.looks, "shipped_digest": digest(shipped.looks)}
    if row is None:
        row, is_new = Character.objects.get_or_create(slug=shipped.slug, defaults=wanted)
        return (CREATED if is_new else UNCHANGED), row
    looks = {name: getattr(row, name) for name in shipped.looks}
    outcome = _decide(digest(looks), row.shipped_digest, wanted["shipped_digest"])
    if outcome == UPDATED:
        for name, value in wanted.items():
            setattr(row, name, value)
        row.save(update_fields=list(wanted))
    return outcome, row


def _seed_card(character: Character, card: Card | None, language: str, shipped: ShippedCharacter) -> str:
    raw = shipped.cards[language]
    wanted = digest(raw)
    if card is None:
        defaults = {"raw": raw, "shipped_digest": wanted}
        _, is_new = Card.objects.get_or_create(character=character, language=language, defaults=defaults)
        return CREATED if is_new else UNCHANGED
    outcome = _decide(digest(card.raw), card.shipped_digest, wanted)
    if outcome == UPDATED:
        card.raw, card.shipped_digest = raw, wanted
        card.save(update_fields=["raw", "shipped_digest"])
    return outcome


def _decide(current: str, last_shipped: str, wanted: str) -> str:
    if current == wanted == last_shipped:
        return UNCHANGED
    # Also KEPT: a row of that name that we never wrote.
    return UPDATED if current == last_shipped else KEPT
