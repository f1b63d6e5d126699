"""The load client's own eyes: whatever a server does to the text is seen."""

from __future__ import annotations

from collections import Counter

import pytest

from streaming.events import checksum
from tests.bench.tokens import unit
from tests.bench.turn import ChunkFrame, Tally, Turn

TOKENS = 3
CHUNKS = [unit(0, 10) + unit(1, 20), unit(2, 30), unit(3, 40)]


def _faults(frames: list[tuple[int, str]], content: str) -> Counter[str]:
    tally = Tally(is_measuring=True)
    turn = Turn("request", tally, TOKENS)
    for seq, text in frames:
        turn.chunk(ChunkFrame(message_id="m", seq=seq, chunk=text), arrived=50)
    turn.end({"content": content, "length": len(content), "checksum": checksum(content)}, arrived=60)
    return tally.faults


def test_a_whole_answer_has_no_fault() -> None:
    assert _faults(list(enumerate(CHUNKS, 1)), "".join(CHUNKS)) == Counter()


def test_merged_chunks_have_no_fault() -> None:
    tally = Tally(is_measuring=True)
    turn = Turn("request", tally, TOKENS)
    turn.chunk(ChunkFrame(message_id="m", seq=3, from_seq=1, chunk="".join(CHUNKS)), arrived=50)
    assert tally.faults == Counter()
    assert (tally.tokens, tally.frames, tally.added_token) == (3, 1, [30, 20, 10])


@pytest.mark.parametrize(
    ("order", "fault"),
    [([0, 2], "gap"), ([0, 1, 1, 2], "duplicate"), ([0, 2, 1], "duplicate"), ([0, 1], "incomplete")],
)
def test_a_wrong_order_is_seen(order: list[int], fault: str) -> None:
    frames = [(seq, CHUNKS[at]) for seq, at in enumerate(order, 1)]
    assert fault in _faults(frames, "".join(text for _, text in frames))


def test_a_jump_of_seq_is_seen() -> None:
    assert "seq" in _faults([(1, CHUNKS[0]), (3, CHUNKS[1]), (4, CHUNKS[2])], "".join(CHUNKS))


def test_an_end_that_differs_from_what_was_streamed_is_seen() -> None:
    assert "content" in _faults(list(enumerate(CHUNKS, 1)), "something else")


def test_a_completed_response_is_checked_like_a_stream_and_timed_at_its_end() -> None:
    tally = Tally(is_measuring=True)
    turn = Turn("request", tally, TOKENS)
    content = "".join(CHUNKS)
    turn.whole(content)
    turn.end({"content": content, "length": len(content), "checksum": checksum(content)}, arrived=turn._sent + 100)
    assert tally.faults == Counter()
    # The provider itself took 30 µs from the request to its last token.
    assert (tally.tokens, tally.turns, tally.added_end, tally.added_first) == (3, 1, [70], [])


def test_a_snapshot_stands_for_what_was_not_seen() -> None:
    tally = Tally(is_measuring=True)
    turn = Turn("request", tally, TOKENS)
    turn.snapshot(0, "", arrived=15)
    turn.chunk(ChunkFrame(message_id="m", seq=1, chunk=CHUNKS[0]), arrived=50)
    turn.snapshot(3, "".join(CHUNKS), arrived=60)
    assert tally.faults == Counter()
    assert (tally.tokens, tally.added_token) == (3, [30, 30, 20])


def test_words_after_a_wait_are_no_measure_of_the_path() -> None:
    tally = Tally(is_measuring=True)
    turn = Turn("request", tally, TOKENS)
    turn.waits(turn._sent + 5)
    turn.waits(turn._sent + 9)
    turn.chunk(ChunkFrame(message_id="m", seq=3, from_seq=1, chunk="".join(CHUNKS)), arrived=50)
    assert (tally.told_waiting, tally.added_first, len(tally.added_token)) == ([5], [], 3)
