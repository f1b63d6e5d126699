"""Random stories for a World: what is said, what the model writes, who dies, what the network does to each tab."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from inspect import isawaitable
from itertools import chain
from typing import Any, TypeAlias

from hypothesis import strategies as st

from tests.contract.tab import Tab, quiet
from tests.contract.world import World

#: (what, arguments): a World's method, or a Tab's with the tab's index first.
Step: TypeAlias = tuple[Any, ...]

#: Where a cut, a merge or a count in other units goes wrong.
AWKWARD = ["👩‍👩‍👧", "😀", "e\u0301", "각", "각", "\r\n", "\u2028", "\u200f", "*", '"', "\\", "<b>", "\ufeff", "🇰🇷"]
TEXTS = st.lists(st.sampled_from(AWKWARD) | st.characters(exclude_categories=["Cs"], exclude_characters="\x00"),
                 min_size=1, max_size=5).map("".join)
SMALL = st.integers(0, 5)
TABS = st.integers(0, 1)

#: What happens to an answer while it is being written.
WRITING: list[st.SearchStrategy[Step]] = [
    *[st.tuples(st.just("write"), TEXTS)] * 6,
    *[st.tuples(st.just("checkpoint"))] * 2,
    st.tuples(st.just("take_over"), st.booleans(), st.sampled_from([0, 0, 0, 1, 2])),
    st.tuples(st.just("die"), st.booleans()),
]
NETWORK: list[st.SearchStrategy[Step]] = [
    *[st.tuples(st.just("flow"), TABS, SMALL)] * 5,
    st.tuples(st.just("read"), TABS, SMALL),
    st.tuples(st.just("hear"), TABS, SMALL),
    *[st.tuples(st.just("acknowledge"), TABS)] * 2,
    st.tuples(st.just("lose"), TABS),
    *[st.tuples(st.just("connect"), TABS)] * 2,
]
AGAIN: list[st.SearchStrategy[Step]] = [*[st.tuples(st.just("read_again"), TABS, st.integers(0, 50))] * 3]
RELOAD: list[st.SearchStrategy[Step]] = [st.tuples(st.just("reload"), TABS)]
REFETCH: list[st.SearchStrategy[Step]] = [*[st.tuples(st.just("refetch"), TABS)] * 2]
LIES: list[st.SearchStrategy[Step]] = [
    *[st.tuples(st.just("claim_to_be_at"), TABS, st.integers(0, 4), st.integers(-1, 12), st.integers(0, 20))] * 2
]
DAMAGE: list[st.SearchStrategy[Step]] = [st.tuples(st.just("damage"), TABS)]
SAY: st.SearchStrategy[Step] = st.tuples(st.just("say"), TEXTS)
OPENINGS: list[st.SearchStrategy[Step]] = [
    SAY, SAY, st.tuples(st.just("regenerate")), st.tuples(st.just("go_on")),
    st.tuples(st.just("rewind")), st.tuples(st.just("edit"), TEXTS),
]
ENDINGS: list[st.SearchStrategy[Step]] = [
    st.tuples(st.just("finish")), st.tuples(st.just("stop"), st.integers(0, 12)), st.tuples(st.just("break_off")),
]


def stories(*around: Sequence[st.SearchStrategy[Step]]) -> st.SearchStrategy[list[Step]]:
    """Turns, one after the other, with what goes on around them: the network, and whatever else is asked for."""
    beats = st.lists(st.one_of(*WRITING, *(step for kind in around for step in kind)), min_size=12, max_size=40)
    turn = st.tuples(st.one_of(*OPENINGS), beats, st.one_of(*ENDINGS)).map(lambda act: [act[0], *act[1], act[2]])
    return st.tuples(SAY, beats, st.lists(turn, max_size=3)).map(
        lambda parts: [parts[0], *parts[1], *chain.from_iterable(parts[2])]
    )


class Play:
    """A story in a world with two tabs, told step by step."""

    def __init__(self, window: int) -> None:
        #: How often the reader that came back last, with what it had, was answered with a hole.
        self.holes = 0
        self.world = World(window)
        self.tabs = [Tab(self.world), Tab(self.world)]

    async def tell(self, story: Sequence[Step]) -> None:
        for step in story:
            await self._do(*step)
            await quiet()

    async def settle(self) -> None:
        """The network is back; both catch up while the answer is being written, one on a new socket; then it ends."""
        self.world.claim(in_vain=False)
        self.world.append("거의")
        _, second = self.tabs
        second.lose()
        gaps = second.gaps
        for tab in self.tabs:
            tab.connect()
        await self._catch_up()
        self.holes = second.gaps - gaps
        self.world.append("끝")
        self.world.finish()
        await self._catch_up()

    async def _catch_up(self) -> None:
        for _ in range(200):
            await quiet()
            if not any([await self._exchange(tab) for tab in self.tabs]):
                break
        else:
            raise AssertionError("The readers and the server go on asking each other.")
        for tab in self.tabs:
            assert tab.view() == self.world.truth()

    async def _exchange(self, tab: Tab) -> int:
        """Acknowledges, reads all there is, and is heard; how much there was."""
        tab.acknowledge()
        await tab.hear(50)
        tab.pass_frames(50)
        await quiet()
        number = tab.read(50)
        await tab.hear(50)
        return number

    async def _do(self, name: str, *args: Any) -> None:
        if not hasattr(Tab, name):
            getattr(self.world, name)(*args)
            return
        index, *rest = args
        done = getattr(self.tabs[index], name)(*rest)
        if isawaitable(done):
            await done

    def close(self) -> None:
        for tab in self.tabs:
            tab.lose()


def run_play(story: Sequence[Step], *, window: int = 64) -> Play:
    """The whole story from the first frame to the last; every tab is then up to date."""

    async def perform() -> Play:
        play = Play(window)
        try:
            await play.tell(story)
            await play.settle()
        finally:
            play.close()
        return play

    return asyncio.run(perform())
