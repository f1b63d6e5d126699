"""A job's row: held, released, claimed by one, done, retried, dead. Time is moved by moving the row's own."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks
from structlog.testing import capture_logs

from chat import outbox
from chat.generations import Outcome, settle
from chat.models import Generation, OutboxJob, Room
from chat.outbox import jobs
from chat.outbox.upkeep import DONE_KEPT_DAYS
from chat.post_processing import JOBS
from tests.chat.answers import answered, job_of
from tests.people import make_room, make_user

pytestmark = [pytest.mark.data, pytest.mark.django_db]


@pytest.fixture
def room(db: None) -> Room:
    return make_room(make_user("alice"))


@pytest.fixture
def message_id(room: Room) -> UUID:
    return answered(room)


@pytest.fixture
def job(message_id: UUID) -> OutboxJob:
    """One that is due."""
    outbox.release(message_id)
    return job_of(message_id)


def let_pass(job: OutboxJob, seconds: float) -> None:
    """As if the job had been there for so much longer."""
    job.refresh_from_db()
    earlier = timedelta(seconds=seconds)
    leased_until = job.leased_until - earlier if job.leased_until else None
    OutboxJob.objects.filter(pk=job.pk).update(available_at=job.available_at - earlier, leased_until=leased_until)


def status(job: OutboxJob) -> str:
    job.refresh_from_db()
    return job.status


def break_the_job(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The job fails from now on; returns the list of tries."""
    tried: list[UUID] = []

    def fail(*message_ids: UUID) -> None:
        tried.extend(message_ids)
        raise RuntimeError("no luck today")

    monkeypatch.setitem(JOBS, "after_reply", fail)
    return tried


def test_a_job_is_written_in_its_causes_transaction(message_id: UUID) -> None:
    OutboxJob.objects.all().delete()
    with transaction.atomic():
        end_again(message_id)
        transaction.set_rollback(True)
    assert not OutboxJob.objects.exists()


def test_adding_twice_is_adding_once(message_id: UUID) -> None:
    end_again(message_id)
    assert OutboxJob.objects.filter(message_id=message_id).count() == 1


def end_again(message_id: UUID) -> None:
    running = Generation.objects.filter(pk=message_id)
    running.update(status=Generation.Status.RUNNING)
    assert settle(message_id, running.get().attempt, Outcome(status="done", text="Hello.", last_seq=2))


def test_a_job_is_held_back_until_released(message_id: UUID) -> None:
    assert outbox.due(10) == []
    assert not outbox.run(job_of(message_id).pk)
    outbox.release(message_id)
    assert outbox.due(10) == [job_of(message_id).pk]


def test_a_crash_before_the_release_only_delays_it(message_id: UUID) -> None:
    let_pass(job_of(message_id), 60)
    assert outbox.drain() == 1
    assert job_of(message_id).status == "done"


def test_a_release_wakes_whoever_listens_after_the_commit(
    message_id: UUID, monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    heard: list[int] = []
    monkeypatch.setattr(jobs, "listeners", {heard.append})
    with django_capture_on_commit_callbacks() as callbacks:
        outbox.release(message_id)
    assert heard == []
    for callback in callbacks:
        callback()
    assert heard == [job_of(message_id).pk]


def test_releasing_again_wakes_nobody(
    job: OutboxJob, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    assert outbox.run(job.pk)
    with django_capture_on_commit_callbacks() as callbacks:
        outbox.release(job.message_id)
    assert callbacks == []


def test_a_job_is_done_once(job: OutboxJob) -> None:
    assert outbox.run(job.pk)
    assert status(job) == "done"
    assert job.done_at is not None
    assert not outbox.run(job.pk)


def test_a_claimed_job_is_nobody_elses_until_its_lease_ends(job: OutboxJob) -> None:
    first = outbox.claim(job.pk)
    assert first is not None
    assert outbox.claim(job.pk) is None
    assert outbox.due(10) == []
    let_pass(job, 3600)
    second = outbox.claim(job.pk)
    assert second is not None
    assert (first.attempts, second.attempts) == (1, 2)


def test_what_was_never_tried_is_claimed_together_and_finished_together(room: Room, job: OutboxJob) -> None:
    other, held = job_of(answered(room)), job_of(answered(room))
    let_pass(other, 3600)
    ours = outbox.claim_untried([job.pk, other.pk, held.pk])
    assert {one.pk for one in ours} == {job.pk, other.pk}
    assert outbox.claim_untried([job.pk, other.pk, held.pk]) == []
    assert [outbox.claim(one.pk) for one in ours] == [None, None]
    jobs.finish(*ours)
    assert [status(one) for one in (job, other, held)] == ["done", "done", "waiting"]
    assert job.attempts == 1


def test_what_was_tried_before_is_claimed_alone(job: OutboxJob) -> None:
    assert outbox.claim(job.pk) is not None
    let_pass(job, 3600)
    assert outbox.claim_untried([job.pk]) == []
    assert outbox.drain() == 1
    assert (status(job), job.attempts) == ("done", 2)


def test_one_job_of_many_that_fails_is_the_only_one_to_be_tried_again(room: Room, job: OutboxJob) -> None:
    other = job_of(answered(room))
    let_pass(other, 3600)
    OutboxJob.objects.filter(pk=job.pk).update(kind="from_the_future")
    assert outbox.drain() == 2
    assert (status(job), status(other)) == ("waiting", "done")
    assert "from_the_future" in job.last_error


def test_of_many_claimed_those_whose_lease_was_lost_are_left_alone(room: Room, job: OutboxJob) -> None:
    other = job_of(answered(room))
    let_pass(other, 3600)
    ours = outbox.claim_untried([job.pk, other.pk])
    let_pass(job, 3600)
    again = outbox.claim(job.pk)
    jobs.finish(*ours)
    assert (status(job), status(other)) == ("waiting", "done")
    assert again is not None
    jobs.finish(again)
    assert status(job) == "done"


def test_who_lost_the_lease_has_nothing_to_say(job: OutboxJob) -> None:
    first = outbox.claim(job.pk)
    let_pass(job, 3600)
    second = outbox.claim(job.pk)
    assert first is not None
    assert second is not None
    jobs.finish(first)
    jobs.fail(first, "late")
    assert (status(job), job.attempts, job.last_error) == ("waiting", 2, "")
    jobs.finish(second)
    assert status(job) == "done"


def test_what_a_job_raises_is_kept_and_it_is_tried_again_later(job: OutboxJob, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = break_the_job(monkeypatch)
    with capture_logs() as lines:
        assert not outbox.run(job.pk)
    (line,) = lines
    assert (line["event"], line["characterId"], line["path"]) == ("outbox_job_failed", "mina", "stream")
    assert {"requestId", "roomId", "userId"} <= line.keys()
    assert status(job) == "waiting"
    assert "RuntimeError: no luck today" in job.last_error
    assert job.available_at > timezone.now()
    assert outbox.drain() == 0
    assert len(tried) == 1


def test_a_job_that_succeeds_at_last_is_done_and_forgiven(job: OutboxJob, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        break_the_job(broken)
        outbox.run(job.pk)
    let_pass(job, 3600)
    assert outbox.run(job.pk)
    assert (status(job), job.last_error, job.attempts) == ("done", "", 2)


def test_a_job_that_never_succeeds_ends_dead_with_its_error(job: OutboxJob, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = break_the_job(monkeypatch)
    for _ in range(jobs.ATTEMPTS_MAX + 3):
        outbox.run(job.pk)
        let_pass(job, 2 * jobs.RETRY_MOST_SECONDS)
    assert status(job) == "dead"
    assert len(tried) == jobs.ATTEMPTS_MAX
    assert "no luck today" in job.last_error


def test_a_job_that_kills_its_workers_ends_dead_too(job: OutboxJob) -> None:
    for _ in range(jobs.ATTEMPTS_MAX):
        assert outbox.claim(job.pk) is not None
        let_pass(job, 3600)
    assert outbox.claim(job.pk) is None
    assert status(job) == "dead"
    assert "lease" in job.last_error


def test_a_dead_job_can_be_given_a_new_life(job: OutboxJob) -> None:
    OutboxJob.objects.filter(pk=job.pk).update(status="dead", attempts=jobs.ATTEMPTS_MAX)
    assert outbox.retry([job.pk]) == 1
    assert outbox.run(job.pk)


def test_a_kind_nobody_knows_waits_for_a_process_that_does(job: OutboxJob) -> None:
    OutboxJob.objects.filter(pk=job.pk).update(kind="from_the_future")
    assert not outbox.run(job.pk)
    assert status(job) == "waiting"
    assert "from_the_future" in job.last_error


def test_a_sweep_sees_only_what_was_left_lying(job: OutboxJob) -> None:
    assert outbox.drain(idle_seconds=30) == 0
    let_pass(job, 31)
    assert outbox.drain(idle_seconds=30) == 1
    assert status(job) == "done"


def test_an_error_is_kept_in_bounds(job: OutboxJob) -> None:
    claimed = outbox.claim(job.pk)
    assert claimed is not None
    jobs.fail(claimed, "x" * 100_000 + "the end")
    job.refresh_from_db()
    assert len(job.last_error) == jobs.ERROR_MAX_CHARS
    assert job.last_error.endswith("the end")


def test_patience_doubles_up_to_a_bound() -> None:
    waits = [jobs.backoff_seconds(attempt) for attempt in range(1, 30)]
    assert jobs.RETRY_FIRST_SECONDS / 2 <= waits[0] <= jobs.RETRY_FIRST_SECONDS
    assert max(waits) <= jobs.RETRY_MOST_SECONDS
    assert waits[-1] >= jobs.RETRY_MOST_SECONDS / 2


def test_the_backlog_says_how_the_outbox_stands(room: Room, job: OutboxJob) -> None:
    dead = job_of(answered(room))
    OutboxJob.objects.filter(pk=dead.pk).update(status="dead")
    let_pass(job, 100)
    found = outbox.backlog()
    assert (found.waiting, found.dead) == (1, 1)
    assert found.oldest_due_seconds >= 100
    outbox.run(job.pk)
    assert outbox.backlog().oldest_due_seconds == 0


def test_only_what_was_done_long_ago_is_forgotten(room: Room, job: OutboxJob) -> None:
    recent, waiting = job_of(answered(room)), job_of(answered(room))
    long_ago = timezone.now() - timedelta(days=DONE_KEPT_DAYS + 1)
    OutboxJob.objects.filter(pk=job.pk).update(status="done", done_at=long_ago)
    OutboxJob.objects.filter(pk=recent.pk).update(status="done", done_at=timezone.now())
    OutboxJob.objects.filter(pk=waiting.pk).update(available_at=long_ago)
    assert outbox.prune() == 1
    assert set(OutboxJob.objects.values_list("pk", flat=True)) == {recent.pk, waiting.pk}
