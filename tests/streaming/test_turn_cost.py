"""What a first word waits for in the database, counted: statements on SQLite, trips on Postgres."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat import generations
from chat.generations import Outcome
from streaming import remembered
from streaming.commands import SendMessage
from streaming.identity import identity_of
from streaming.turns import Turn, begin
from tests.people import make_room, make_route, make_user, request_id, sign_in

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]
FOR_EVER_SECONDS = 1e12


class Counter(Protocol):
    def __call__(self, *, sqlite: int, postgres: int) -> AbstractContextManager[None]: ...


@pytest.fixture
def at_most() -> Counter:
    """`at_most(sqlite=…, postgres=…)`: no more than so many, BEGIN and COMMIT included."""

    @contextmanager
    def bounded(*, sqlite: int, postgres: int) -> Iterator[None]:
        with CaptureQueriesContext(connection) as captured:
            yield
        asked = [query["sql"] for query in captured]
        assert len(asked) <= (sqlite if connection.vendor == "sqlite" else postgres), "\n".join(asked)

    return bounded


@pytest.fixture
def turn_of(transactional_db: None, settings: Any) -> Callable[[], Turn]:
    """A turn of alice's, in a process that knows its card, its routes and its switch."""
    settings.ROUTES_CACHE_SECONDS = FOR_EVER_SECONDS
    remembered.forget()
    alice = make_user("alice")
    room, identity = make_room(alice), identity_of(alice, sign_in(alice))
    make_route()

    def turn() -> Turn:
        command = SendMessage(request_id=request_id(), text="hi")
        return begin(identity, room.pk, command, door="socket", owner="me")

    first = turn()
    assert settle(first)
    return turn


def settle(turn: Turn) -> bool:
    return generations.settle(turn.accepted.message_id, 1, Outcome(status="done", text="Hello.", last_seq=2))


def test_a_first_word_waits_for_few_statements(turn_of: Callable[[], Turn], at_most: Counter) -> None:
    with at_most(sqlite=7, postgres=1):
        turn = turn_of()
    assert turn.context is not None
    assert [said.text for said in turn.context.turns][-3:] == ["hi", "Hello.", "hi"]


def test_a_first_word_waits_for_one_transaction_and_for_nothing_beside_it(turn_of: Callable[[], Turn]) -> None:
    with CaptureQueriesContext(connection) as captured:
        turn = turn_of()
    assert turn.context is not None
    asked = "; ".join(query["sql"] for query in captured)
    assert asked.startswith("BEGIN")
    assert asked.endswith("COMMIT")
    assert (asked.count("BEGIN"), asked.count("COMMIT")) == (1, 1)


def test_an_end_waits_for_few_statements(turn_of: Callable[[], Turn], at_most: Counter) -> None:
    turn = turn_of()
    with at_most(sqlite=5, postgres=1):
        assert settle(turn)
