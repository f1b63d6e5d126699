from __future__ import annotations

from dataclasses import replace

import pytest

from chat.prompts.templates import TEMPLATES
from streaming.providers import Providers
from streaming.providers.base import Finished, Limits, Prompt, PromptMessage, ProviderError, Route, Text
from streaming.providers.timers import timed
from tests.streaming.asking import QUESTION, Asked, ask
from tests.virtual_time import run_in_virtual_time


def route(**options: object) -> Route:
    return Route("script", "scripted", "", "script", can_prefill=True, options=options)


async def asked_of(prompt: Prompt = QUESTION, *, stream: bool = True, **options: object) -> Asked:
    return await ask(Providers(), route(**options), prompt, stream=stream)


async def test_a_given_text_comes_in_chunks_and_with_counts() -> None:
    asked = await asked_of(text="달빛 아래 둘이", chunk_chars=3)
    assert asked.texts == ["달빛 ", "아래 ", "둘이"]
    assert asked.finished == Finished("stop", 6, 3, 0)
    assert asked.marks == ["provider_asked", "first_byte"]
    assert (await asked_of(text="달빛 아래", stream=False)).texts == ["달빛 아래"]


async def test_the_same_question_gives_the_same_text_and_another_one_another() -> None:
    other = Prompt((PromptMessage("user", "Where?"),), 9)
    first = await asked_of(seed=1)
    assert first.text == (await asked_of(seed=1)).text
    assert first.text != (await asked_of(seed=2)).text
    assert first.text != (await asked_of(other, seed=1)).text


async def test_it_goes_on_after_a_prefill_and_when_asked_to() -> None:
    whole = (await asked_of(seed=1)).text
    prefilled = await asked_of(replace(QUESTION, prefill=whole[:50]), seed=1)
    assert prefilled.text == whole[50:]
    for words in TEMPLATES[1].values():
        tail = (PromptMessage("assistant", whole[:50]), PromptMessage("user", words.continuation))
        assert (await asked_of(replace(QUESTION, messages=QUESTION.messages + tail), seed=1)).text == whole[50:]


async def test_it_fails_where_it_is_told_to() -> None:
    asked = await asked_of(text="abcdef", chunk_chars=2, fail_at_chunk=2, fail_code="provider_garbage")
    assert (asked.texts, asked.code) == (["ab", "cd"], "provider_garbage")
    assert (await asked_of(text="ab", fail_at_chunk=1)).code == "provider_unavailable"


def test_its_pace_and_its_hanging_are_times_of_the_loop() -> None:
    async def scenario() -> tuple[int, str]:
        script = route(text="abcdef", chunk_chars=1, chunks_per_second=2, first_delay_seconds=3, hang_at_chunk=4)
        count, pieces = 0, Providers().provider_for(script).generate(QUESTION, stream=True)
        try:
            async for piece in timed(pieces, Limits(3.5, 1.0, 60.0)):
                count += isinstance(piece, Text)
        except ProviderError as error:
            return count, error.code
        return count, ""

    assert run_in_virtual_time(scenario()) == (4, "provider_gap_timeout")


@pytest.mark.parametrize("stream", [True, False])
async def test_nothing_to_say_is_an_end_without_text(stream: bool) -> None:
    asked = await asked_of(replace(QUESTION, prefill="all"), text="all", stream=stream)
    assert asked.texts == []
    assert asked.finished is not None
