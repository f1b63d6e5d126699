"""Zulip's law, for random stories and cut points: any snapshot and the events after it are the final snapshot.

For the Python reader and for the browser's store alike, whatever the network, the owners and the readers do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streaming.transcript import Transcript
from tests.contract.browser_store import BrowserStore
from tests.contract.stories import AGAIN, DAMAGE, LIES, NETWORK, REFETCH, RELOAD, Play, Step, run_play, stories
from tests.contract.tab import Sitting

law = settings(settings.get_profile("contract"))

#: A new owner comes while the writer of a socket is in the middle of the old one's frames.
MID_FRAME: list[Step] = [
    ("say", "a"), ("write", "b"), ("flow", 0, 3), ("take_over", False, 0), ("write", "c"), ("flow", 0, 9),
]
#: The same, while that writer is busy with another answer.
MID_OTHER: list[Step] = [
    ("say", "a"), ("write", "b"), ("finish",), ("say", "c"), ("flow", 0, 3), ("die", False), ("flow", 0, 5),
]
#: A reader that was away while one owner came and went: the next one's rewind would cut too little.
OWNER_MISSED: list[Step] = [
    ("say", "a"), ("write", "b"), ("checkpoint",), ("write", "c"), ("flow", 1, 9), ("flow", 1, 9), ("lose", 1),
    ("take_over", False, 1), ("write", "d"), ("checkpoint",), ("take_over", False, 0),
]

#: A reader of one owner comes back while the next one is gone too, which had checkpointed words of its own.
CHECKPOINTED_SINCE: list[Step] = [
    ("say", "a"), ("write", "bc"), ("flow", 1, 9), ("flow", 1, 9), ("die", True), ("write", "d"), ("checkpoint",),
    ("die", True), ("connect", 1), ("flow", 1, 1), ("flow", 1, 9), ("flow", 1, 9),
]

#: A reader that has everything, and then loses a character of it; with a new owner, too little for its rewind.
ALL_READ: list[Step] = [("say", "a"), ("write", "bcd"), ("checkpoint",), ("connect", 0), ("flow", 0, 9), ("flow", 0, 9)]
LOST_ONE: list[Step] = [*ALL_READ, ("damage", 0), ("flow", 0, 9)]
LOST_ONE_AND_OWNER: list[Step] = [*ALL_READ, ("damage", 0), ("take_over", False, 0), ("flow", 0, 9)]

#: A page that knows of a rewind, and of the turn after it, before the frames of what was dropped are read.
REWOUND: list[Step] = [
    ("connect", 0), ("flow", 0, 9), ("say", "a"), ("write", "b"), ("finish",), ("rewind",),
    ("say", "c"), ("write", "d"),
    ("refetch", 0), ("flow", 0, 50), ("flow", 0, 50),
]
#: The same of a variant, in whose place another one is on show.
REPLACED: list[Step] = [
    ("connect", 0), ("flow", 0, 9), ("say", "a"), ("write", "b"), ("finish",), ("regenerate",), ("write", "c"),
    ("finish",), ("refetch", 0), ("pass_frames", 0, 5), ("read", 0, 5),
]

CUT = st.integers(0, 200)
WINDOW = st.integers(1, 6)


def check(play: Play, store: BrowserStore) -> None:
    """Every reader ends with what is true, without ever a difference; the browser's store with the same.

    That all of them caught up before the end too, from events alone, was seen to by the play itself.
    """
    for tab in play.tabs:
        assert tab.sitting.asked["mismatch"] == 0
        tab.sitting.left = tab.view()
        for sitting in [*tab.past, tab.sitting]:
            seen = check_browser(sitting, store)
        assert seen["known"] == []


def check_browser(sitting: Sitting, store: BrowserStore) -> dict[str, Any]:
    """The browser's store, given the same frames, shows the same and asks for the same."""
    seen = store.play(sitting.page, sitting.frames)
    assert [
        (message["id"], message["role"], message["position"], message["text"], message["status"])
        for message in seen["messages"]
    ] == sitting.left
    asked = {kind: seen["changes"].get(kind, 0) for kind in ("gap", "mismatch", "stale")}
    assert asked == {kind: sitting.asked[kind] for kind in asked}
    return seen


@law
@given(story=stories(NETWORK), cut=CUT)
def test_a_page_and_the_events_after_it_are_the_final_page(
    browser_store: BrowserStore, story: list[Step], cut: int
) -> None:
    parts = [*story[:cut], ("reload", 1), *story[cut:]]
    play = run_play(parts)
    check(play, browser_store)
    final_page = Transcript(play.world.page())
    assert essence(play.tabs[1].transcript) == essence(final_page)


@law
@example(story=CHECKPOINTED_SINCE)
@given(story=stories(NETWORK, LIES))
def test_from_any_claimed_position_a_reader_gets_the_whole_text(
    browser_store: BrowserStore, story: list[Step]
) -> None:
    check(run_play(story), browser_store)


@law
@example(story=LOST_ONE)
@example(story=LOST_ONE_AND_OWNER)
@given(story=stories(NETWORK, DAMAGE))
def test_a_reader_that_lost_a_character_gets_it_back(story: list[Step]) -> None:
    for tab in run_play(story).tabs:
        assert tab.sitting.asked["mismatch"] <= tab.damaged_ends


def test_a_character_that_is_lost_right_before_the_end_is_noticed_there() -> None:
    tab, other = run_play([*ALL_READ, ("damage", 0), ("finish",)]).tabs
    assert (tab.sitting.asked["mismatch"], other.sitting.asked["mismatch"]) == (1, 0)


@law
@given(story=stories(NETWORK, AGAIN))
def test_what_arrives_again_doubles_nothing(browser_store: BrowserStore, story: list[Step]) -> None:
    check(run_play(story), browser_store)


@law
@example(story=MID_FRAME, window=6)
@example(story=MID_OTHER, window=6)
@given(story=stories(NETWORK), window=WINDOW)
def test_little_credit_and_a_slow_link_lose_nothing(
    browser_store: BrowserStore, story: list[Step], window: int
) -> None:
    check(run_play(story, window=window), browser_store)


@law
@example(story=REWOUND)
@example(story=REPLACED)
@given(story=stories(NETWORK, REFETCH))
def test_a_page_newer_than_the_frames_on_their_way_is_not_undone(
    browser_store: BrowserStore, story: list[Step]
) -> None:
    check(run_play(story), browser_store)


@law
@given(story=stories(NETWORK, AGAIN, RELOAD, REFETCH, LIES), window=WINDOW)
def test_everything_at_once(browser_store: BrowserStore, story: list[Step], window: int) -> None:
    check(run_play(story, window=window), browser_store)


@law
@given(story=stories())
def test_a_reader_without_trouble_never_has_to_ask_again(story: list[Step]) -> None:
    play = run_play(untroubled(story))
    assert [tab.gaps for tab in play.tabs] == [0, 0]


@law
@example(story=OWNER_MISSED)
@given(story=stories(NETWORK))
def test_an_honest_position_is_answered_without_a_hole(story: list[Step]) -> None:
    assert run_play(story).holes == 0


def essence(transcript: Transcript) -> list[tuple[object, ...]]:
    """What a page and the events both tell of a message."""
    return [
        (m.id, m.role, m.position, m.reply_to, m.text, m.status, m.finish_reason, m.error_code)
        for m in transcript.messages
    ]


def untroubled(story: Sequence[Step]) -> list[Step]:
    """The sockets stay, both links carry everything at once, and no owner goes without a word."""
    calm: list[Step] = []
    for name, *rest in story:
        happens: Step = {"die": ("checkpoint",), "take_over": ("take_over", False, 0)}.get(name, (name, *rest))
        calm += [happens, ("flow", 0, 50), ("flow", 1, 50), ("acknowledge", 0), ("acknowledge", 1)]
    return calm


@pytest.mark.parametrize("window", [1, 64])
def test_an_untold_story_is_shown_as_it_is(browser_store: BrowserStore, window: int) -> None:
    check(run_play([], window=window), browser_store)
