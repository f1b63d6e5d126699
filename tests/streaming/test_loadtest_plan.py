"""A load test's plan, tails and figures: a refusal is one sentence, tails are as ordered, figures as defined."""

from __future__ import annotations

import statistics
from datetime import timedelta
from io import StringIO
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from chat.kpi import intervals
from streaming.answer import Change
from streaming.events import Ack, Chunk, End, Failure, Latency, Usage, checksum
from streaming.events import CommandError as Refusal
from streaming.loadtest.findings import Findings
from streaming.loadtest.plan import NoLoadTest, tail_of
from streaming.loadtest.recorded import LEAST, recorded
from streaming.loadtest.sends import Send
from streaming.loadtest.summary import LEAST_BOUNDED
from streaming.loadtest.tails import Lognormal, Past, Recorded
from tests.chat.kpi_traces import traces
from tests.people import make_room, make_user

BAD: dict[str, str] = {
    "--users 0": "--users must be from 1",
    "--users 100000": "--users must be from 1",
    "--seconds 0": "--seconds must be",
    "--seconds nan": "--seconds must be",
    "--messages 0": "--messages must be",
    "--seconds 5 --ramp-seconds 6": "--ramp-seconds must be from 0 to 5",
    "--think 5,2": "less than the median",
    "--think 0,2": "has no tail",
    "--think x": "in numbers",
    "--tail 2.5,0.5": "less than the median",
    "--tail 1": "--tail is p50,p95",
    "--tail 1,2,150": "from 0 to 100, not 150",
    "--tail 1,2,-3": "in numbers of 0 or more",
    "--tail 1,2 --answer 0,5": "the tokens must be",
    "--tail 1,2 --answer 5,0": "the tokens a second must be",
    "--tail 1,2 --model-port 70000": "--model-port is a number",
    "--serve-model": "needs --tail",
    "--answer 5,5": "say --tail too",
    "--tail-from-traces --answer 5,5": "say --tail too",
    "--url nonsense": "--url is the site's address",
    "--url http://localhost:8000/chat": "--url is the site's address",
    "--url http://localhost:99999": "not an address",
    "--url https://chat.example.com": "say --yes-this-deployment",
    "--url http://127.0.0.1:1": "cannot be reached: Connection refused",
}


@pytest.mark.parametrize("arguments", BAD)
def test_what_cannot_be_is_refused_in_a_sentence(arguments: str) -> None:
    with pytest.raises(CommandError, match=BAD[arguments]) as refused:
        call_command("loadtest", *arguments.split(), stderr=StringIO())
    assert refused.value.returncode == 2
    assert "\n" not in str(refused.value)


class TestTails:
    def test_a_lognormal_has_the_quantiles_that_were_ordered(self) -> None:
        chance = Random(1)
        drawn = sorted(Lognormal(0.5, 2.5).draw(chance) for _ in range(20_000))
        assert drawn[10_000] == pytest.approx(0.5, rel=0.05)
        assert drawn[19_000] == pytest.approx(2.5, rel=0.05)
        assert Lognormal(0, 0).draw(chance) == 0
        assert Lognormal(2, 2).draw(chance) == pytest.approx(2)

    def test_so_many_of_a_hundred_stall(self) -> None:
        chance, tail = Random(1), tail_of("0.5,2.5,2", "80,50")
        stalls = sum(tail.draw(chance).first is None for _ in range(20_000))
        assert stalls / 20_000 == pytest.approx(0.02, abs=0.004)

    def test_who_was_given_up_counts_as_one_of_the_later_ones(self) -> None:
        spoken = [Past(float(second), tokens=10, per_second=5.0) for second in range(1, 10)]
        tail, chance = Recorded([*spoken, *[Past(None, waited=7.0)] * 9]), Random(1)
        firsts = [tail.draw(chance).first or 0.0 for _ in range(4_000)]
        assert statistics.mean(first > 7 for first in firsts) == pytest.approx(2 / 18 + 9 / 18, abs=0.03)
        assert min(firsts) == 1
        silent = Recorded([*spoken, Past(None, waited=60.0)])
        assert {silent.draw(chance).first for _ in range(200)} == {None, *range(1, 10)}


@pytest.mark.data
@pytest.mark.django_db
class TestRecorded:
    CALL: dict[str, Any] = {"why": "first", "outcome": "stop", "firstMs": 800.0, "ms": 2800.0, "completionTokens": 100}

    def keep(self, *calls: dict[str, Any], cohort: str = "stream", days: int = 0) -> None:
        room = make_room(make_user(uuid4().hex))
        kept = [{"calls": [{**self.CALL, **call}], "cohort": cohort} for call in calls]
        traces(room, timezone.now() - timedelta(days=days), kept)

    def test_first_words_and_pace_are_those_of_the_calls(self) -> None:
        self.keep(*[{}] * LEAST, {"why": "go_on", "firstMs": 1.0}, {"outcome": "provider_unavailable", "firstMs": 1.0})
        answer = recorded(7).draw(Random(1))
        assert (answer.first, answer.tokens, answer.per_second) == (0.8, 100, 50.0)

    def test_too_few_say_so_and_a_load_tests_own_are_none(self) -> None:
        self.keep(*[{}] * 5)
        self.keep(*[{}] * LEAST, cohort="load")
        self.keep(*[{}] * LEAST, days=9)
        with pytest.raises(NoLoadTest, match="Only 5 requests of the last 7 days"):
            recorded(7)
        assert recorded(30).draw(Random(1)).first == 0.8


class TestFigures:
    def sent(self, *events: Any, changes: tuple[Change, ...] = (), **marks: float) -> Send:
        send = Send("hi")
        for make in events:
            send.hear(make(send), list(changes))
        send.marks.update(marks)
        return send

    def test_k1_to_k3_are_counted_as_they_are_defined(self) -> None:
        findings = Findings(sends=[
            self.sent(ack, chunk, end, first_paint=400.0, end=9_000.0),
            self.sent(ack, chunk, end, first_paint=1_600.0, end=7_000.0, ack_timeout=5_000.0),
            self.sent(ack, failure("provider_unavailable")),
            self.sent(ack, failure("content_filtered")),
            self.sent(refusal("overloaded")),
            self.sent(refusal("rate_limited")),
        ])
        kpis = findings.kpis()
        assert kpis is not None
        assert kpis.ttft is not None
        assert kpis.completion is not None
        assert (kpis.ttft.count, kpis.ttft.p50, kpis.ttft.p95) == (2, 400.0, 1_600.0)
        assert (kpis.completion.p50, kpis.completion.p95) == (7_000.0, 9_000.0)
        counts = kpis.counts
        assert (counts["sends"], counts["ack_timeout"], counts["backend_failed"]) == (5, 1, 2)
        assert (counts["words_late"], counts["completed_late"]) == (1, 1)
        assert findings.refusals == {"rate_limited": 1}

    def test_a_text_that_differs_is_counted_and_not_called_verified(self) -> None:
        findings = Findings(sends=[
            self.sent(ack, chunk, end), self.sent(ack, chunk, end, changes=(Change("mismatch"),)),
        ])
        assert (findings.verified, findings.mismatched) == (1, 1)

    def test_an_upper_bound_takes_so_many(self) -> None:
        assert intervals.quantile_ranks(LEAST_BOUNDED, 0.95)[2] is not None
        assert intervals.quantile_ranks(LEAST_BOUNDED - 1, 0.95)[2] is None


def generated(send: Send, seq: int) -> dict[str, Any]:
    return {"request_id": send.request_id, "room_id": uuid4(), "message_id": uuid4(), "seq": seq, "attempt": 1}


def ack(send: Send) -> Ack:
    return Ack(request_id=send.request_id, stage="accepted", message_id=uuid4())


def chunk(send: Send) -> Chunk:
    return Chunk(**generated(send, 1), chunk="Rain.")


def end(send: Send) -> End:
    return End(
        **generated(send, 2), content="Rain.", usage=Usage(), latency=Latency(first_ms=1.0, total_ms=2.0), length=5,
        checksum=checksum("Rain."), finish_reason="stop",
    )


def failure(code: str) -> Any:
    return lambda send: Failure(**generated(send, 1), code=code, message="no", retryable=True)


def refusal(code: str) -> Any:
    return lambda send: Refusal(code=code, message="no", request_id=send.request_id)
