"""Any story, told turn by turn: budget, newest turn, byte prefix, and cuts only when they must be."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.errors import Refused
from chat.prompts import Budget, BuiltPrompt, Head, Prompt, Tail, Turn, build_prompt
from chat.prompts.window import CUT_TO, cost
from chat.tokens import FRAME_TOKENS, count_tokens

HEAD = Head("You are Mina.", 10)
BUDGET = Budget(600, 100)

texts = st.text(min_size=1, max_size=60).filter(str.strip)
#: What the user says, and the answer, if one came.
exchanges = st.lists(st.tuples(texts, st.none() | texts, st.integers(1, 120)), min_size=1, max_size=40)


def sent(prompt: Prompt) -> bytes:
    """As a chat template would lay it out, the end of the newest turn still open."""
    return "".join(f"\0{message.role}\1{message.content}" for message in prompt.messages).encode("utf-8", "replace")


@dataclass
class Room:
    """A room as the engine keeps it: the story so far and where the window stands."""

    turns: list[Turn] = field(default_factory=list)
    window_start: int = 0

    def say(self, role: str, text: str, extra_tokens: int = 0) -> None:
        position = self.turns[-1].position + 1 if self.turns else 0
        self.turns.append(Turn(role, text, count_tokens(text) + extra_tokens, position))  # type: ignore[arg-type]

    def build(self) -> BuiltPrompt:
        built = build_prompt(
            HEAD, self.turns, tail=Tail(), budget=BUDGET, window_start=self.window_start, language="en"
        )
        self.window_start = built.window_start
        return built


@given(st.none() | texts, exchanges)
def test_any_story_keeps_its_budget_its_newest_turn_and_its_bytes(
    greeting: str | None, told: list[tuple[str, str | None, int]]
) -> None:
    room = Room()
    if greeting is not None:
        room.say("assistant", greeting)
    before: BuiltPrompt | None = None
    for text, answer, extra in told:
        room.say("user", text, extra)
        windowed = [turn for turn in room.turns if turn.position >= room.window_start]
        built = room.build()
        assert built.parts.total <= BUDGET.limit
        assert built.prompt.messages[-1].content.endswith(text)
        assert_alternates(built.prompt)
        assert_cut_only_when_needed(built, windowed)
        if before is not None and not built.was_cut:
            assert sent(built.prompt).startswith(sent(before.prompt))
        assert room.build().prompt == built.prompt
        before = built
        if answer is not None:
            room.say("assistant", answer, extra)


def assert_alternates(prompt: Prompt) -> None:
    roles = [message.role for message in prompt.messages]
    assert roles == ["system"] + ["user", "assistant"] * ((len(roles) - 1) // 2) + ["user"]


def assert_cut_only_when_needed(built: BuiltPrompt, windowed: list[Turn]) -> None:
    room_tokens = BUDGET.limit - built.parts.head
    assert built.was_cut == (cost(windowed) > room_tokens)
    if built.was_cut:
        assert [turn.role for turn in windowed if turn.position == built.window_start] == ["user"]
        alone = built.prompt.messages[-1].content == windowed[-1].text
        assert alone or built.parts.history <= room_tokens * CUT_TO


@given(st.integers(1, 900))
def test_the_newest_turn_is_sent_whole_or_refused(tokens: int) -> None:
    newest = Turn("user", "words", tokens, 1)
    room = Room(turns=[newest])
    most = BUDGET.limit - Room(turns=[Turn("user", "words", 1, 1)]).build().parts.head - FRAME_TOKENS
    if tokens > most:
        with pytest.raises(Refused, match="does not fit"):
            room.build()
    else:
        built = room.build()
        assert built.prompt.messages[-1].content == "words"
        assert built.parts.total <= BUDGET.limit
