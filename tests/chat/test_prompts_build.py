"""One prompt: order, bytes, budget, prefill. Random stories are in test_prompts_properties.py."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import pytest

from chat.errors import CODES, Refused
from chat.prompts import Budget, BuiltPrompt, Head, Tail, Turn, build_prompt, tail_for
from tests.chat import golden_prompts as story

HEAD = Head("You are Mina.", 10)


def built(turns: list[Turn], *, tail: Tail | None = None, context: int = 2000, **options: object) -> BuiltPrompt:
    arguments: dict[str, object] = {"window_start": 0, "language": "en", "cache_key": "room", **options}
    return build_prompt(HEAD, turns, tail=tail or Tail(), budget=Budget(context, 200), **arguments)  # type: ignore[arg-type]


def said(built_prompt: BuiltPrompt) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in built_prompt.prompt.messages]


def exchange(count: int, tokens: int = 100) -> list[Turn]:
    """Greeting, then user and answer in turns, `count` messages in all."""
    return [Turn("user" if i % 2 else "assistant", f"text {i}", tokens, i) for i in range(count)]


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_turn_extends_the_bytes_of_the_one_before(language: str) -> None:
    first, second = story.built(language, 2).prompt.messages, story.built(language, 4).prompt.messages
    assert second[: len(first) - 1] == first[:-1]
    assert second[len(first) - 1].content == story.STORIES[language][1]
    assert first[-1].content.startswith(story.STORIES[language][1])


@pytest.mark.parametrize("language", ["ko", "en"])
def test_writing_an_answer_again_sends_the_same_bytes(language: str) -> None:
    assert story.built(language, 4) == story.built(language, 4)


def test_a_note_changes_only_what_comes_after_the_newest_text() -> None:
    plain, noted = story.built("en", 4), story.built("en", 4, user_note="Be kind.")
    assert plain.prompt.messages[:-1] == noted.prompt.messages[:-1]
    assert noted.prompt.messages[-1].content == plain.prompt.messages[-1].content + "\nUser's note: Be kind."
    assert plain.prefix_hash == noted.prefix_hash


def test_a_greeting_is_preceded_by_a_turn_of_the_users() -> None:
    assert said(built(exchange(2))) == [
        ("system", "You are Mina."), ("user", "[Start of the story]"), ("assistant", "text 0"), ("user", "text 1"),
    ]


def test_a_story_that_the_user_begins_needs_no_opening() -> None:
    assert said(built([Turn("user", "Hi.", 2, 0)])) == [("system", "You are Mina."), ("user", "Hi.")]


def test_an_answer_that_opens_the_story_is_asked_for_by_the_opening() -> None:
    assert said(built([])) == [("system", "You are Mina."), ("user", "[Start of the story]")]


def test_what_got_no_answer_becomes_one_turn_with_what_was_said_next() -> None:
    turns = [Turn("user", "Hello?", 2, 1), Turn("user", "Are you there?", 4, 3)]
    assert said(built(turns))[1:] == [("user", "Hello?\n\nAre you there?")]


def test_a_story_ends_with_the_user() -> None:
    with pytest.raises(ValueError, match="user's turn"):
        built(exchange(3))


def test_a_prefill_goes_along_where_the_route_can_take_it() -> None:
    given = built(exchange(2), prefill="Well, ")
    assert given.prompt.prefill == "Well, "
    assert given.prompt.messages == built(exchange(2)).prompt.messages
    assert given.parts.prefill > 0


def test_where_it_cannot_the_model_is_asked_to_go_on_after_the_same_bytes() -> None:
    asked, plain = built(exchange(2), prefill="Well, ", can_prefill=False), built(exchange(2))
    assert asked.prompt.prefill == ""
    assert asked.prompt.messages[: len(plain.prompt.messages)] == plain.prompt.messages
    assert [role for role, _ in said(asked)[-2:]] == ["assistant", "user"]
    assert said(asked)[-2][1] == "Well, "


def test_the_window_stays_while_the_story_fits() -> None:
    kept = built(exchange(10))
    assert (kept.was_cut, kept.window_start, len(kept.prompt.messages)) == (False, 0, 12)


def test_a_cut_goes_deep_begins_with_the_user_and_is_remembered() -> None:
    cut = built(exchange(30))
    assert cut.was_cut
    assert said(cut)[1] == ("user", f"text {cut.window_start}")
    assert cut.parts.history <= 0.6 * (Budget(2000, 200).limit - cut.parts.head)
    again = built(exchange(30), window_start=cut.window_start)
    assert (again.was_cut, again.window_start, again.prompt) == (False, cut.window_start, cut.prompt)


def test_many_turns_pass_between_two_cuts() -> None:
    window, cuts = 0, []
    for count in range(2, 200, 2):
        now = built(exchange(count), window_start=window)
        window = now.window_start
        cuts += [count] if now.was_cut else []
    assert len(cuts) > 5
    assert min(later - sooner for sooner, later in pairwise(cuts)) >= 6


def test_a_window_beyond_a_rewound_story_starts_over() -> None:
    assert built(exchange(4), window_start=40).window_start == 0
    assert len(built(exchange(4), window_start=40).prompt.messages) == 6


def test_a_message_that_does_not_fit_is_refused_rather_than_mutilated() -> None:
    with pytest.raises(Refused) as refused:
        built([*exchange(1), Turn("user", "very long", 5000, 1)])
    assert refused.value.code == "context_too_long"
    assert refused.value.code in CODES


def test_the_next_message_gets_through_after_one_that_was_too_long() -> None:
    after = built([*exchange(1), Turn("user", "very long", 5000, 1), Turn("user", "short", 2, 3)])
    assert said(after)[1:] == [("user", "short")]


def test_a_small_vocabulary_makes_the_budget_smaller() -> None:
    assert Budget(4096, 512, token_factor=2.5).limit == int((4096 - 512 - 128) / 2.5)
    assert Budget(100, 200).limit == 0


def test_lore_never_costs_the_newest_message_its_place() -> None:
    card = {"name": "Mina", "character_book": {"entries": [{"keys": ["moon"], "content": "lore " * 60}]}}
    tail = tail_for(card, user_note="", persona_name="Sam", seed=1)
    limit = Budget(2000, 200).limit
    roomy = built([Turn("user", "the moon", 10, 1)], tail=tail)
    tight = built([Turn("user", "the moon", limit - 60, 1)], tail=tail)
    assert (len(roomy.lore), len(tight.lore)) == (1, 0)


def test_the_builder_needs_no_django() -> None:
    code = "import sys, chat.prompts, streaming.providers.base; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
