"""Where a continuation meets the text it continues: repeats go, and nothing else does."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from streaming.providers.continuation import REPEAT_MIN_BYTES, Seam, repeated_length

texts = st.text(max_size=200)
few_letters = st.text(alphabet="ab ㅋ", max_size=60)


def shown(old: str, new: str, cuts: list[int] | None = None, *, min_bytes: int = REPEAT_MIN_BYTES) -> str:
    seam = Seam(old, min_bytes=min_bytes)
    edges = [0, *sorted(cut % (len(new) + 1) for cut in cuts or []), len(new)]
    return "".join(seam.feed(new[start:end]) for start, end in pairwise(edges)) + seam.close()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # the last sentence, the whole message, with blank space before it, in Korean
        ("It rained. She looked at the sk", "She looked at the sky and sighed.", "y and sighed."),
        ("Once upon a time there", "Once upon a time there was a cat.", " was a cat."),
        ("It rained. She looked at the sk", "\n\n She looked at the sky.", "y."),
        ("비가 왔다. 그녀는 하늘을 올려다보", "그녀는 하늘을 올려다보며 웃었다.", "며 웃었다."),
        # no repeat, or none that could be told from chance
        ("It rained. She looked at the sk", "y and sighed.", "y and sighed."),
        ("She laughed: ha", "ha ha!", "ha ha!"),
        ("It was very", " very good.", " very good."),
        ("ㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋ", "ㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋ 진짜?", "ㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋ 진짜?"),
        ("no no no no no no no no ", "no no no no no no no no way", "no no no no no no no no way"),
        ("", "Anything at all, told from its start.", "Anything at all, told from its start."),
        ("An end that is told.", "", ""),
        # a repeat of the middle is not a repeat of the end
        ("She sat by the old window. Then she left.", "She sat by the old window.", "She sat by the old window."),
    ],
)
def test_examples(old: str, new: str, expected: str) -> None:
    assert shown(old, new) == expected
    assert shown(old, new, list(range(len(new)))) == expected


@given(old=texts, new=texts, cuts=st.lists(st.integers(0, 300), max_size=10))
def test_how_the_new_text_arrives_makes_no_difference(old: str, new: str, cuts: list[int]) -> None:
    assert shown(old, new, cuts) == shown(old, new)


@given(old=few_letters, new=few_letters, cuts=st.lists(st.integers(0, 300), max_size=10))
def test_what_is_shown_is_the_new_text_or_its_rest_after_a_repeat(old: str, new: str, cuts: list[int]) -> None:
    rest = shown(old, new, cuts, min_bytes=4)
    assert new.endswith(rest)
    cut = new[: len(new) - len(rest)]
    assert cut == "" or (old.endswith(cut.lstrip()) and len(cut.lstrip().encode()) >= 4)


@given(old=texts, new=texts)
def test_without_a_repeat_not_a_character_is_lost(old: str, new: str) -> None:
    stripped = new.lstrip()
    assume(not any(old.endswith(stripped[:length]) for length in range(1, len(stripped) + 1)))
    assert shown(old, new) == new


@given(
    old=st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Z", "C"]), max_size=100),
    repeat=st.lists(st.integers(0x4E00, 0x9000), min_size=8, max_size=30, unique=True),
    rest=texts,
    cuts=st.lists(st.integers(0, 300), max_size=10),
)
def test_a_repeat_of_the_end_is_cut_whole(old: str, repeat: list[int], rest: str, cuts: list[int]) -> None:
    again = "".join(map(chr, repeat))
    assume(again not in old)
    assert shown(old + again, again + rest, cuts) == rest


@given(old=texts, new=texts)
def test_the_length_of_a_repeat_is_within_the_new_text(old: str, new: str) -> None:
    assert 0 <= repeated_length(old, new, 1) <= len(new)


def test_a_long_answer_is_compared_in_a_blink() -> None:
    old = "ab" * 30_000
    assert shown(old, "ab" * 3_000 + "c", list(range(0, 6000, 50))) == "ab" * 3_000 + "c"
