"""What is asked of a provider: the bodies that each dialect sends, and where an answer's beginning goes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from streaming.providers import Providers
from streaming.providers.alternating import OPENING
from streaming.providers.anthropic import AnthropicDialect
from streaming.providers.base import Finished, Prompt, PromptMessage, ProviderError, Route
from streaming.providers.gemini import GeminiDialect
from streaming.providers.openai_compatible import OpenAIDialect
from streaming.providers.prefill import SpaceSeam, only_new
from tests.provider_server import RunningServer
from tests.streaming.asking import ask, model_named, route_to

PROMPT = Prompt(
    (
        PromptMessage("system", "You are Mina."),
        PromptMessage("system", "Be kind."),
        PromptMessage("assistant", "You came."),
        PromptMessage("user", "Hello."),
        PromptMessage("assistant", "Hi."),
        PromptMessage("system", "It rains."),
        PromptMessage("user", "Look!"),
    ),
    max_tokens=99, cache_key="room-1", stop=("\nUser:",),
)


def openai_route(options: dict[str, object]) -> Route:
    return Route("r", "openai", "http://host/v1/", "m", can_prefill=True, options=options)


def openai_body(prompt: Prompt = PROMPT, *, stream: bool = True, **options: object) -> dict[str, Any]:
    return OpenAIDialect(openai_route(options), "").body(prompt, stream=stream)


def anthropic_body(prompt: Prompt = PROMPT, **options: object) -> dict[str, Any]:
    route = Route("r", "anthropic", "http://host/", "m", can_prefill=True, options=options)
    return AnthropicDialect(route, "").body(prompt, stream=True)


def test_openai_takes_the_prompt_as_it_is() -> None:
    assert openai_body() == {
        "model": "m", "stream": True, "stream_options": {"include_usage": True}, "max_tokens": 99,
        "stop": ["\nUser:"],
        "messages": [{"role": message.role, "content": message.content} for message in PROMPT.messages],
    }
    assert "stream_options" not in openai_body(stream=False)


def test_openai_options_go_into_the_body_and_our_own_switches_do_not() -> None:
    body = openai_body(
        repeat_penalty=1.15, model="other", messages=[], send_cache_key=True, include_usage=False,
        max_tokens_field="max_completion_tokens",
    )
    assert body["repeat_penalty"] == 1.15
    assert (body["model"], body["stream"], len(body["messages"])) == ("m", True, len(PROMPT.messages))
    assert body["prompt_cache_key"] == "room-1"
    assert body["max_completion_tokens"] == 99
    assert not {"send_cache_key", "include_usage", "max_tokens_field", "max_tokens", "stream_options"} & set(body)


def test_openai_prefill_is_the_last_message_with_what_the_server_needs_for_it() -> None:
    fields = {"continue_final_message": True}
    body = openai_body(replace(PROMPT, prefill="The rain \n"), prefill_fields=fields)
    assert body["messages"][-1] == {"role": "assistant", "content": "The rain"}
    assert body["continue_final_message"] is True
    assert "continue_final_message" not in openai_body(prefill_fields=fields)


def test_anthropic_has_the_system_apart_the_user_first_and_roles_in_turn() -> None:
    body = anthropic_body()
    assert body["system"] == [{"type": "text", "text": "You are Mina.\n\nBe kind."}]
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user", "assistant", "user"]
    assert body["messages"][0]["content"] == [{"type": "text", "text": OPENING}]
    assert [block["text"] for block in body["messages"][-1]["content"]] == [
        "<instructions>\nIt rains.\n</instructions>", "Look!",
    ]
    assert (body["max_tokens"], body["stop_sequences"]) == (99, ["\nUser:"])


def test_anthropic_marks_what_the_cache_may_keep_only_when_told_to() -> None:
    body = anthropic_body(cache_control=True, temperature=1)
    mark = {"type": "ephemeral"}
    assert body["system"][0]["cache_control"] == mark
    marked = [message["content"][-1].get("cache_control") for message in body["messages"]]
    assert marked == [None, None, mark, None, None]
    assert "cache_control" not in body
    assert body["temperature"] == 1
    assert "cache_control" not in str(anthropic_body())


def test_anthropic_prefill_is_the_trailing_turn_without_white_space_at_its_end() -> None:
    body = anthropic_body(replace(PROMPT, prefill="The rain \n"))
    assert body["messages"][-1] == {"role": "assistant", "content": [{"type": "text", "text": "The rain"}]}
    assert anthropic_body(replace(PROMPT, prefill=" \n"))["messages"][-1]["role"] == "user"


def gemini(**options: object) -> GeminiDialect:
    return GeminiDialect(Route("r", "gemini", "http://host/", "tuned/m", can_prefill=True, options=options), "key")


def test_gemini_has_the_model_in_the_address_and_the_key_in_a_header() -> None:
    dialect = gemini()
    assert dialect.url == "http://host/v1beta/models/tuned%2Fm:streamGenerateContent?alt=sse"
    assert dialect.completed_url == "http://host/v1beta/models/tuned%2Fm:generateContent"
    assert dialect.headers["x-goog-api-key"] == "key"


def test_gemini_has_the_system_apart_the_user_first_and_roles_in_turn() -> None:
    body: dict[str, Any] = gemini().body(PROMPT, stream=True)
    assert body["systemInstruction"] == {"parts": [{"text": "You are Mina.\n\nBe kind."}]}
    assert [turn["role"] for turn in body["contents"]] == ["user", "model", "user", "model", "user"]
    assert body["contents"][0]["parts"] == [{"text": OPENING}]
    assert body["generationConfig"] == {"maxOutputTokens": 99, "stopSequences": ["\nUser:"]}
    prefilled: dict[str, Any] = gemini().body(replace(PROMPT, prefill="The rain \n"), stream=True)
    assert prefilled["contents"][-1] == {"role": "model", "parts": [{"text": "The rain"}]}


def test_gemini_options_go_where_they_belong() -> None:
    thinking = {"thinkingBudget": 0}
    dialect = gemini(thinkingConfig=thinking, safetySettings=[], maxOutputTokens=1)
    body: dict[str, Any] = dialect.body(PROMPT, stream=True)
    assert body["safetySettings"] == []
    assert body["generationConfig"]["thinkingConfig"] == thinking
    assert body["generationConfig"]["maxOutputTokens"] == 99


@pytest.mark.parametrize(
    ("base_url", "model", "url"),
    [
        ("http://host/v1beta/", "m", "http://host/v1beta/models/m:generateContent"),
        ("http://host", "models/m", "http://host/v1beta/models/m:generateContent"),
        ("http://host", "tunedModels/m", "http://host/v1beta/tunedModels/m:generateContent"),
    ],
)
def test_gemini_is_found_however_it_is_named(base_url: str, model: str, url: str) -> None:
    assert GeminiDialect(Route("r", "gemini", base_url, model), "").completed_url == url


@pytest.mark.parametrize("base_url", ["https://models.example", "https://models.example/v1/"])
def test_anthropic_is_found_with_and_without_its_version(base_url: str) -> None:
    assert AnthropicDialect(Route("r", "anthropic", base_url, "m"), "").url == "https://models.example/v1/messages"


def test_gemini_may_send_nulls_and_its_usage_last() -> None:
    decoder = gemini().decoder(PROMPT)
    decoder.take(b'{"candidates": [{"content": {"parts": [{"text": "Hi."}]}, "finishReason": null}]}')
    decoder.take(b'{"candidates": [{"content": {"parts": null}, "finishReason": "STOP"}]}')
    assert (decoder.is_ending, decoder.is_over) == (True, False)
    decoder.take(b'{"candidates": null, "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 2}}')
    assert decoder.is_over
    assert decoder.finished() == Finished("stop", 9, 2, None)


def test_gemini_blocks_a_prompt_with_a_code_of_ours() -> None:
    blocked = b'{"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}'
    with pytest.raises(ProviderError) as streamed:
        gemini().decoder(PROMPT).take(blocked)
    with pytest.raises(ProviderError) as completed:
        gemini().completed(blocked, PROMPT)
    assert streamed.value.code == completed.value.code == "content_filtered"


def test_gemini_thoughts_are_paid_for_and_not_shown() -> None:
    decoder = gemini().decoder(PROMPT)
    decoder.take(b'{"candidates": [{"content": {"parts": [{"text": "hmm", "thought": true}, {"text": "Hi."}]}}]}')
    decoder.take(
        b'{"candidates": [{"finishReason": "STOP"}],'
        b' "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 2, "thoughtsTokenCount": 5}}'
    )
    assert decoder.content.take() == ("Hi.", 1)
    assert decoder.finished() == Finished("stop", 9, 7, None)


@pytest.mark.parametrize(
    ("prefill", "pieces", "shown"),
    [
        ("The ", [" rain"], "rain"),
        ("The ", ["rain"], "rain"),
        ("The", [" rain"], " rain"),
        ("The \n\n", [" ", "\n", "\n", "Rain"], "Rain"),
        ("The \n\n", [" ", "Rain"], "Rain"),
        ("The ", ["\nRain "], "\nRain "),
        ("The ", [" ", " rain"], " rain"),
    ],
)
def test_white_space_cut_from_a_prefill_is_not_shown_twice(prefill: str, pieces: list[str], shown: str) -> None:
    seam = SpaceSeam(prefill)
    assert "".join(map(seam.cut, pieces)) == shown


def test_a_completed_continuation_is_the_same_whether_or_not_the_server_repeats_the_beginning() -> None:
    assert only_new("The rain falls.", "The rain ") == "falls."
    assert only_new(" falls.", "The rain ") == "falls."
    assert only_new("falls.", "The rain ") == "falls."
    assert only_new("The rain falls.", "") == "The rain falls."


@pytest.mark.parametrize("kind", ["openai", "anthropic", "gemini"])
@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_goes_on_after_its_prefill(provider_server: RunningServer, kind: str, stream: bool) -> None:
    providers = Providers()
    to = route_to(provider_server, model_named("say-one_two_three_four"), kind=kind)
    asked = await ask(providers, to, replace(PROMPT, prefill="one two "), stream=stream)
    assert "one two " + asked.text == "one two three four"
    await providers.aclose()


async def test_half_an_emoji_in_a_prompt_does_not_stop_the_request(provider_server: RunningServer) -> None:
    providers = Providers()
    to = route_to(provider_server, model_named("echo"))
    asked = await ask(providers, to, Prompt((PromptMessage("user", "a\ud83cb"),), 9))
    assert asked.text.strip() == "a?b"
    await providers.aclose()
