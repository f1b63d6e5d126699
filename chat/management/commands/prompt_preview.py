"""`manage.py prompt_preview <room>`: the exact messages a model would be sent, and where their tokens are."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from chat.errors import Refused
from chat.history import prompt_turns
from chat.models import Card, ModelRoute, Room
from chat.prompts import Budget, BuiltPrompt, Head, Turn, build_prompt, tail_for
from chat.tokens import count_tokens, token_factor

LAST_POSITION = 2**31 - 1


class Command(BaseCommand):
    help = "Show what a model is sent for a room's newest answer, or for the next one with --say."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("room", help="the room's id")
        parser.add_argument("--say", metavar="TEXT", help="as if the user said this next; nothing is written")
        parser.add_argument("--route", metavar="NAME", help="for this route instead of the room's own")
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        room = find_room(options["room"])
        route = find_route(room, options["route"])
        turns = story(room, options["say"])
        budget = Budget(route.max_context_tokens, route.max_output_tokens, token_factor(route.model, room.language))
        try:
            built = build(room, turns, budget)
        except Refused as refused:
            raise CommandError(f"{refused.code}: {refused.message} The limit is {budget.limit} tokens.") from None
        shown = describe(room, route, turns, budget, built)
        self.stdout.write(json.dumps(shown, ensure_ascii=False, indent=1) if options["json"] else as_text(shown))


def find_room(room_id: str) -> Room:
    try:
        return Room.objects.select_related("character__route", "owner", "route").get(pk=room_id)
    except (Room.DoesNotExist, ValidationError):
        raise CommandError(f"There is no room {room_id}.") from None


def find_route(room: Room, name: str | None) -> ModelRoute:
    """As the engine would: the one asked for, the room's own, else the operator's first."""
    route = ModelRoute.objects.filter(name=name).first() if name is not None else room.first_route
    if route is None:
        raise CommandError(f"There is no route {name}." if name else "No model route is enabled.")
    return route


def story(room: Room, said: str | None) -> list[Turn]:
    """Up to the user's newest message; `said` is one more."""
    turns = prompt_turns(room.pk, before=LAST_POSITION)
    if said is not None:
        position = turns[-1].position + 1 if turns else 0
        return [*turns, Turn("user", said, count_tokens(said), position)]
    while turns and turns[-1].role != "user":
        turns.pop()
    return turns


def build(room: Room, turns: list[Turn], budget: Budget) -> BuiltPrompt:
    card = Card.objects.filter(character_id=room.character_id, language=room.language).first()
    tail = tail_for(
        card.data if card else {}, user_note=room.user_note, persona_name=room.persona_name, seed=room.pk.int
    )
    return build_prompt(
        Head(room.prompt_head, room.prompt_head_tokens, room.prompt_version), turns, tail=tail, budget=budget,
        window_start=room.window_start, language=room.language, cache_key=str(room.pk),
    )


def describe(
    room: Room, route: ModelRoute, turns: list[Turn], budget: Budget, built: BuiltPrompt
) -> dict[str, Any]:
    """Everything there is to know, as JSON has it; tokens are our estimates."""
    parts = built.parts
    kept_from = min(room.window_start, built.window_start)
    return {
        "room": str(room.pk),
        "character": room.character.slug,
        "language": room.language,
        "templateVersion": room.prompt_version,
        "route": {"name": route.name, "model": route.model, "tokenFactor": budget.token_factor},
        "tokens": {
            "head": parts.head, "history": parts.history, "tail": parts.tail, "total": parts.total,
            "limit": budget.limit, "output": built.prompt.max_tokens,
        },
        "window": {
            "start": built.window_start, "storedStart": room.window_start, "isCutNow": built.was_cut,
            "cut": [turn.position for turn in turns if room.window_start <= turn.position < built.window_start],
            "cutEarlier": [turn.position for turn in turns if turn.position < kept_from],
        },
        "prefixHash": built.prefix_hash,
        "lore": list(built.lore),
        "messages": [
            {"role": message.role, "tokens": count_tokens(message.content), "content": message.content}
            for message in built.prompt.messages
        ],
    }


def as_text(shown: dict[str, Any]) -> str:
    tokens, window = shown["tokens"], shown["window"]
    lines = [
        f"room {shown['room']}  {shown['character']}  {shown['language']}  template {shown['templateVersion']}",
        f"route {shown['route']['name']}  {shown['route']['model']}  token factor {shown['route']['tokenFactor']}",
        f"tokens {tokens['total']} of {tokens['limit']}: head {tokens['head']}, history {tokens['history']}, "
        f"tail {tokens['tail']}; {tokens['output']} kept free for the answer",
        f"window from position {window['start']}; cut now: {positions(window['cut'])}; "
        f"cut earlier: {positions(window['cutEarlier'])}",
        f"prefix {shown['prefixHash']}  lore: {', '.join(shown['lore']) or 'none'}",
    ]
    for message in shown["messages"]:
        lines += ["", f"--- {message['role']} ({message['tokens']} tokens)", message["content"]]
    return "\n".join(lines)


def positions(found: list[int]) -> str:
    return f"{found[0]}..{found[-1]} ({len(found)} messages)" if found else "nothing"
