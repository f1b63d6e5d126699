"""Whether somebody reads an answer: here, elsewhere, from the beginning or come back."""

from __future__ import annotations

import pytest

from streaming.attendance import ELSEWHERE_SECONDS, Attendance
from tests.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(0.0)


@pytest.fixture
def answer(clock: Clock) -> Attendance:
    """With one reader, there from the beginning."""
    attendance = Attendance(clock)
    attendance.came()
    attendance.began()
    return attendance


def absent_since(attendance: Attendance) -> float | None:
    attendance.close()
    return attendance.absent_since


def test_who_reads_to_the_end_has_not_left(answer: Attendance, clock: Clock) -> None:
    clock.now = 9.0
    answer.close()
    answer.went()
    assert (answer.absent_since, answer.back_at, answer.resumes) == (None, None, 0)


def test_the_last_one_to_leave_counts(answer: Attendance, clock: Clock) -> None:
    answer.came()
    clock.now = 2.0
    answer.went()
    assert answer.is_read
    clock.now = 3.0
    answer.went()
    clock.now = 9.0
    assert absent_since(answer) == 3.0


def test_who_comes_back_is_counted_and_reads_to_the_end(answer: Attendance, clock: Clock) -> None:
    answer.went()
    clock.now = 4.0
    answer.came()
    assert (absent_since(answer), answer.back_at, answer.resumes) == (None, 4.0, 1)


def test_a_new_socket_beside_one_that_is_dead_unknowingly_is_a_coming_back(answer: Attendance, clock: Clock) -> None:
    clock.now = 4.0
    answer.came()
    clock.now = 5.0
    answer.went()
    assert (answer.back_at, answer.resumes) == (4.0, 0)


def test_nobody_came_at_all(clock: Clock) -> None:
    clock.now = 1.0
    attendance = Attendance(clock)
    attendance.began()
    clock.now = 9.0
    assert absent_since(attendance) == 1.0


def test_the_first_to_come_has_not_come_back(clock: Clock) -> None:
    attendance = Attendance(clock)
    attendance.began()
    attendance.reserve()
    with attendance.seat():
        clock.now = 1.0
        assert attendance.is_read_here
    attendance.went()
    assert (attendance.back_at, attendance.resumes, absent_since(attendance)) == (None, 0, 1.0)


def test_a_reader_elsewhere_counts_for_a_while(answer: Attendance, clock: Clock) -> None:
    answer.went()
    clock.now = 2.0
    answer.read_elsewhere("b")
    clock.now = 6.0
    answer.read_elsewhere("b")
    assert (answer.resumes, answer.back_at) == (1, 2.0)
    clock.now = 6.0 + ELSEWHERE_SECONDS
    assert absent_since(answer) == 6.0


def test_a_reader_elsewhere_has_left_as_soon_as_its_process_says_so(answer: Attendance, clock: Clock) -> None:
    answer.went()
    answer.read_elsewhere("b")
    answer.read_elsewhere("c")
    clock.now = 1.0
    answer.left_elsewhere("b")
    answer.left_elsewhere("of nobody")
    assert answer.is_read
    clock.now = 2.0
    answer.left_elsewhere("c")
    clock.now = 3.0
    assert absent_since(answer) == 2.0


def test_it_tells_of_the_first_to_come_and_the_last_to_go(answer: Attendance) -> None:
    told: list[bool] = []
    answer.on_change = lambda: told.append(answer.is_read_here)
    answer.came()
    answer.went()
    answer.went()
    answer.came()
    assert told == [False, True]


def test_nobody_leaves_who_is_sent_away(answer: Attendance, clock: Clock) -> None:
    answer.excuse()
    answer.went()
    clock.now = 1e6
    assert absent_since(answer) is None
