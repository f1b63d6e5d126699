"""A long answer, fast: what was written is on the page. How fast that is, `tests.bench --browser` tells."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import WebSocket, expect

from tests.browser.conftest import OpenSite, Visit
from tests.browser.person import shown
from tests.provider_behaviour import words

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CHUNKS_PER_SECOND, CHARS = 200, 20_000
COUNT = 2_600
ANSWER = "".join(words(9, COUNT))
#: Far less than the pace of the model's chunks: each becomes an event of its own.
TICK_SECONDS = "0.001"


@pytest.mark.timeout(240)
def test_two_hundred_chunks_a_second_into_twenty_thousand_characters_end_equal(
    open_site: OpenSite, visit: Visit
) -> None:
    site = open_site(STREAM_TICK_SECONDS=TICK_SECONDS)
    site.add_model(f"text-9-{COUNT}+rate-{CHUNKS_PER_SECOND}")
    reader = visit(site.url)
    chunks: list[str] = []
    reader.page.on("websocket", counting(chunks))
    reader.open_room()
    reader.say("Tell me everything.")
    expect(reader.last).to_have_attribute("data-status", "complete", timeout=120_000)
    assert len(ANSWER) >= CHARS
    assert reader.stored()[-1]["text"] == ANSWER
    assert reader.text_of(reader.last) == shown(ANSWER)
    assert len(chunks) > COUNT / 4, "they were to come one by one"


def counting(chunks: list[str]) -> Callable[[WebSocket], None]:
    def watch(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: chunks.append(str(frame)) if '"ai_message_chunk"' in frame else None)

    return watch
