"""A real browser behind the front door of two workers: whatever dies, the page ends with what is stored."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.person import shown
from tests.faults.cluster import Cluster
from tests.faults.script import script
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.postgres, pytest.mark.redis]


def kill_owner(cluster: Cluster) -> None:
    cluster.workers[0].kill9()


def end_owner(cluster: Cluster) -> None:
    cluster.workers[0].terminate()


def kill_redis(cluster: Cluster) -> None:
    cluster.redis.kill9()


@pytest.mark.parametrize("strike", [kill_owner, end_owner, kill_redis])
def test_the_page_ends_with_the_whole_answer(
    cluster: Cluster, visit: Visit, strike: Callable[[Cluster], None]
) -> None:
    cluster.front.prefer(cluster.workers[0].port)
    told = script(6, 60, "rate-200", "gate-after-20")
    person = visit(cluster.url, may_lose_network=True)
    room_id = person.open_room()
    person.say(told.said)
    wait_until(lambda: told.id in cluster.models.held(), "the answer to be midway")
    assert person.sees_words() != shown(told.text)
    cluster.front.prefer()
    strike(cluster)
    cluster.models.let_go([told.id])
    person.sees_answer("complete")
    person.sees_what_is_stored()
    expect(person.messages).to_have_count(3)
    (answer,) = cluster.rows.answers(room_id)
    assert (answer.text, answer.status) == (told.text, "complete")
    assert cluster.rows.said(room_id) == [told.said]

