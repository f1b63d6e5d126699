"""The line to the model is cut, stalls or brings nonsense: the answer goes on elsewhere, or keeps what it has."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faultproxy import FaultProxy
from tests.faults.conftest import OpenSite
from tests.faults.reader import reading
from tests.faults.site import Site
from tests.faults.visitor import guest
from tests.provider_behaviour import words

pytestmark = pytest.mark.slow

MODEL, ANSWER = "text-17-80+rate-200", "".join(words(17, 80))
MIDWAY_BYTES = 6_000


@pytest.fixture
def site(standing_sites: OpenSite) -> Site:
    return standing_sites()


def cut(line: FaultProxy) -> None:
    line.cut_after(MIDWAY_BYTES)


def stand_still(line: FaultProxy) -> None:
    line.hold_after(MIDWAY_BYTES)


@pytest.mark.parametrize("trouble", [cut, stand_still])
async def test_another_route_goes_on_where_the_line_failed(
    site: Site, line: FaultProxy, trouble: Callable[[FaultProxy], None]
) -> None:
    site.add_model(MODEL, base_url=f"{line.url}/v1", gap_seconds=0.5, first_content_seconds=5.0)
    site.add_model(MODEL, sort=2)
    trouble(line)
    await ends_whole(site)


async def test_another_route_goes_on_after_nonsense(site: Site) -> None:
    site.add_model(f"{MODEL}+garbage-after-20", gap_seconds=5.0)
    site.add_model(MODEL, sort=2)
    await ends_whole(site)


async def ends_whole(site: Site) -> None:
    async with guest(site.url) as alice, reading(alice, await alice.open_room(), site.ws_url) as reader:
        await reader.say("Tell me.")
        await reader.until_over()
        (stored,) = site.rows.answers(reader.room_id)
        assert (reader.text, stored.text, stored.status) == (ANSWER, ANSWER, "complete")


async def test_without_another_route_what_was_written_is_kept_and_can_be_gone_on_with(
    site: Site, line: FaultProxy
) -> None:
    site.add_model(MODEL, base_url=f"{line.url}/v1", gap_seconds=0.5, first_content_seconds=1.0)
    line.hold_after(MIDWAY_BYTES)
    async with guest(site.url) as alice, reading(alice, await alice.open_room(), site.ws_url) as reader:
        await reader.say("Tell me.")
        await reader.until_seen(1)
        line.refuse()
        broken = await reader.until_over()
        (stored,) = site.rows.answers(reader.room_id)
        assert broken.status == stored.status == "interrupted"
        assert broken.text == stored.text == ANSWER[: len(stored.text)] != ANSWER
        line.accept()
        line.flow()
        await reader.command(type="continue_message", requestId="go-on-please", messageId=str(broken.id))
        await reader.until(lambda: reader.answer is not None and reader.answer.status == "complete", "the rest")
        assert reader.text == site.rows.answers(reader.room_id)[-1].text == ANSWER
