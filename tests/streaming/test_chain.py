"""The chain: whoever fails, the reader gets each character once, or an honest end."""

from __future__ import annotations

import asyncio

import pytest

from chat.errors import Refused
from streaming.providers.base import Finished, Prompt, Route, Text
from streaming.providers.chain import PATIENCE_SECONDS, Chain, Interrupted, Recovering, RouteChosen
from tests.streaming.chaining import END, A, B, Model, Step, Told, failure, listen, prompt_for, route
from tests.virtual_time import run_in_virtual_time

STORY = "The lantern hums. Rain taps on the glass, and she smiles at the old clock."


async def test_one_good_answer_passes_through() -> None:
    told = await listen([(A, Model([["The ", "rain.", END]]))])
    assert told.texts == ["The ", "rain."]
    assert told.notes == [RouteChosen("A", "model-A")]
    assert told.finished == END
    assert told.marks == ["provider_asked", "first_content"]


async def test_the_same_route_is_asked_again_before_another() -> None:
    told = await listen([(A, Model([[failure(after=1.5)], ["Rain.", END]])), (B, Model([]))])
    assert told.text == "Rain."
    assert told.notes == [Recovering("provider_unavailable", "A"), RouteChosen("A", "model-A")]
    assert told.pauses == [1.5]


async def test_a_mistake_of_ours_about_one_provider_is_an_answer_from_the_next() -> None:
    told = await listen([(A, Model([[RuntimeError("odd")]])), (B, Model([["Rain.", END]]))])
    assert (told.text, told.notes[0]) == ("Rain.", Recovering("provider_garbage", "A"))


async def test_the_next_route_and_at_last_the_completed_call() -> None:
    first, second = Model([[failure()], [failure()], ["Rain.", END]]), Model([[failure()], [failure()]])
    told = await listen([(A, first), (B, second)])
    assert told.text == "Rain."
    assert [stream for stream, _ in first.asked] == [True, True, False]
    assert told.finished == END


async def test_with_streaming_off_only_completed_calls_are_made() -> None:
    model = Model([[failure()], ["Rain.", END]])
    assert (await listen([(A, model)], stream=False)).text == "Rain."
    assert [stream for stream, _ in model.asked] == [False, False]


async def test_when_nothing_helps_the_most_telling_failure_is_raised() -> None:
    refused = failure("provider_refused", retryable=False)
    told = await listen([(A, Model([[failure("provider_garbage")] for _ in range(3)])), (B, Model([[refused]]))])
    assert told.error is not None
    assert told.error.code == "provider_garbage"
    assert not isinstance(told.error, Interrupted)


@pytest.mark.parametrize("can_prefill", [True, False])
async def test_a_break_midway_is_continued_from_the_text_so_far(can_prefill: bool) -> None:
    model = Model([["The ", "rain ", failure("provider_incomplete")], ["falls.", END]])
    told = await listen([(route("A", can_prefill=can_prefill), model)])
    assert told.text == "The rain falls."
    _, prompt = model.asked[1]
    assert prompt.prefill == ("The rain " if can_prefill else "")
    assert [message.content for message in prompt.messages[2:]] == ([] if can_prefill else ["The rain ", "Go on."])
    assert [note.code for note in told.notes if isinstance(note, Recovering)] == ["provider_incomplete"]


async def test_a_second_break_is_continued_by_the_next_route() -> None:
    first = Model([["One ", failure()], ["two ", failure()]])
    second = Model([["three.", Finished("length")]])
    told = await listen([(A, first), (B, second)])
    assert told.text == "One two three."
    assert second.asked[0][1].prefill == "One two "
    assert told.finished == Finished("length")
    assert [note.route_name for note in told.notes] == ["A", "A", "A", "A", "B"]


async def test_a_model_that_repeats_the_tail_does_not_show_it_twice() -> None:
    begun, rest = STORY[:45], STORY[45:]
    pieces: list[Step] = [STORY[18:30], STORY[30:50], STORY[50:]]
    model = Model([[begun, failure()], [*pieces, END]])
    told = await listen([(route("A", can_prefill=False), model)])
    assert told.text == STORY
    assert told.texts == [begun, rest[:5], rest[5:]]


async def test_a_repeat_that_is_all_there_is_ends_the_answer_without_more() -> None:
    model = Model([[STORY, failure("provider_incomplete")], [STORY[18:], END]])
    told = await listen([(route("A", can_prefill=False), model)])
    assert told.text == STORY
    assert told.finished == END


async def test_after_two_continuations_it_is_interrupted_and_the_text_was_given() -> None:
    model = Model([["a ", failure()], ["b ", failure()], ["c ", failure("provider_gap_timeout")]])
    told = await listen([(A, model)])
    assert told.text == "a b c "
    assert isinstance(told.error, Interrupted)
    assert told.finished is None


async def test_a_new_owner_goes_on_from_the_text_it_was_given() -> None:
    model = Model([["falls.", END]])
    told = await listen([(A, model)], initial_text="The rain ")
    assert told.text == "falls."
    assert model.asked[0][1].prefill == "The rain "


async def test_a_continuation_with_nothing_to_add_is_an_end() -> None:
    told = await listen([(A, Model([[END]]))], initial_text="The rain falls.")
    assert (told.text, told.finished, told.error) == ("", END, None)


async def test_with_text_at_hand_a_failure_is_an_interruption() -> None:
    told = await listen([(A, Model([[failure()] for _ in range(3)]))], initial_text="The rain ")
    assert isinstance(told.error, Interrupted)
    assert told.text == ""


@pytest.mark.parametrize(
    ("end", "code"), [(Finished("stop"), "provider_empty"), (Finished("content_filter"), "content_filtered")]
)
async def test_an_answer_without_text_is_no_answer(end: Finished, code: str) -> None:
    told = await listen([(A, Model([["\n", "  ", end] for _ in range(3)]))])
    assert told.error is not None
    assert told.error.code == code
    assert told.texts == []
    assert told.finished is None


async def test_blank_lines_before_the_first_word_are_dropped_and_later_ones_kept() -> None:
    told = await listen([(A, Model([["\n", " \n The", "\n\n", "rain.", END]]))])
    assert told.texts == ["The", "\n\n", "rain."]
    told = await listen([(A, Model([["\n\nIt stops.", END]]))], initial_text="The rain.")
    assert told.text == "\n\nIt stops."


async def test_a_stream_without_its_end_is_continued() -> None:
    told = await listen([(A, Model([["The ", "rain"], [" falls.", END]]))])
    assert told.text == "The rain falls."


async def test_a_route_that_cannot_take_the_prompt_is_passed_over() -> None:
    def too_long_for_a(route: Route, text: str) -> Prompt:
        if route.name == "A":
            raise Refused("context_too_long", "Too long.")
        return prompt_for(route, text)

    model = Model([["Rain.", END]])
    chain = Chain([A, B], lambda route: model, too_long_for_a)
    pieces = [piece async for piece in chain.generate()]
    assert pieces == [Recovering("context_too_long", "A"), RouteChosen("B", "model-B"), Text("Rain."), END]


async def test_without_routes_nothing_is_configured() -> None:
    told = await listen([])
    assert told.error is not None
    assert told.error.code == "provider_not_configured"


async def test_leaving_midway_closes_the_stream() -> None:
    model = Model([["a", "b", END]])
    pieces = Chain([A], lambda route: model, prompt_for).generate()
    async for piece in pieces:
        if isinstance(piece, Text):
            break
    await pieces.aclose()
    assert model.closed == 1


def test_hanging_models_are_left_in_their_turn_and_the_end_comes_in_time() -> None:
    forever: list[Step] = [1e9]
    first, second = Model([forever, forever]), Model([forever])

    async def scenario() -> tuple[Told, float]:
        return await listen([(A, first), (B, second)]), asyncio.get_running_loop().time()

    told, seconds = run_in_virtual_time(scenario())
    assert told.error is not None
    assert told.error.code == "provider_first_content_timeout"
    assert [stream for stream, _ in first.asked] == [True, False]
    assert seconds == pytest.approx(10.0 + 10.0 + 60.0)


def test_no_attempt_begins_when_patience_is_over() -> None:
    scripts: list[list[Step]] = [[9.0, f"{letter}1", 9.0, "2", 9.0, "3", 9.0, "4", 9.0, "5", 1e9] for letter in "abc"]
    model = Model(scripts)

    async def scenario() -> Told:
        return await listen([(A, model)])

    told = run_in_virtual_time(scenario())
    assert told.text == "a12345b12345"
    assert len(model.asked) == 2
    assert isinstance(told.error, Interrupted)
    assert PATIENCE_SECONDS < 2 * (5 * 9.0 + 10.0)
