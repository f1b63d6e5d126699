"""K1 to K4 in words and as conditions over traces. Whatever shows or gates a KPI takes it from here.

A *send* is a request for an answer, of any kind: it has one trace, however often it was repeated or continued.

K1  First words: from the click to the first visible text, p95 at most 1500 ms. The browser's mark where it reported
    one that the server's marks allow, else the server's own. On a path that shows nothing before the whole, the
    first words come with the end. Sends without words have no such time; they are failures or abandoned, or stopped.
K2  Completion: from the click to the end of an answer that was finished, p95 at most 8000 ms.
K3  Failed sends, at most 1 % of all: `ack_timeout` (the way asked first stayed silent, though another may have
    brought the answer) and `backend_failed`, each counted, never both for one send. What a filter of the provider
    or a conversation that is too long ends is an answer, not a failure.
K4  Leaving while waiting: the page left before the first words were seen, of all sends; at least 30 % less in the
    streamed cohort than in the control cohort. On the completed path one waits until the end. Who left while a
    streamed answer was still being written had words to read, and is counted beside it, as `mid_answer`.

Sends of a load test are nobody's: PEOPLE leaves them out wherever something is told or decided.
"""

from __future__ import annotations

from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce

from chat.stages.cohorts import LOAD

TTFT_LIMIT_MS = 1500.0
COMPLETION_LIMIT_MS = 8000.0
#: What "p95 at most T" comes to: at most this share is later than T.
LATE_SHARE_MOST = 0.05
FAILED_SHARE_MOST = 0.01
ABANDONED_LESS_LEAST = 0.30

STREAMED, CONTROL = "stream", "control"
PEOPLE = ~Q(cohort=LOAD)
WORDS_LATE = Q(ttft_ms__gt=TTFT_LIMIT_MS)
COMPLETED_LATE = Q(completion_ms__gt=COMPLETION_LIMIT_MS)
ACK_TIMEOUT = Q(failure="ack_timeout")
BACKEND_FAILED = Q(failure="backend_failed")
#: Known by its browser alone, which says that it never arrived.
LOST_SEND = Q(message=None, outcome="")
LEFT_WAITING = Q(abandoned__in=("before_accept", "before_words"))

#: The counts of a set of traces, all in one reading.
COUNTS = {
    "sends": Count("pk"),
    "with_words": Count("ttft_ms"),
    "words_late": Count("pk", filter=WORDS_LATE),
    "words_seen_by_browser": Count("pk", filter=Q(ttft_source="browser")),
    "completed": Count("completion_ms"),
    "completed_late": Count("pk", filter=COMPLETED_LATE),
    "ack_timeout": Count("pk", filter=ACK_TIMEOUT),
    "backend_failed": Count("pk", filter=BACKEND_FAILED),
    "before_accept": Count("pk", filter=Q(abandoned="before_accept")),
    "before_words": Count("pk", filter=Q(abandoned="before_words")),
    "mid_answer": Count("pk", filter=Q(abandoned="mid_answer")),
    "mismatched": Count("pk", filter=Q(mismatched=True)),
    "resumes": Coalesce(Sum("resumes"), 0),
    "taken_over": Count("pk", filter=Q(attempt__gt=1)),
    "fallbacks": Count("pk", filter=Q(path="fallback")),
}
