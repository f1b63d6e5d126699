"""An answer as OpenTelemetry spans, after its end, where an exporter is configured; nothing at all where not.

The packages are optional and imported only then. Spans are made of the marks that are there anyway.
"""

from __future__ import annotations

import time
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings

from chat.generations import Outcome
from streaming.instrumentation import STAGES

if TYPE_CHECKING:
    from streaming.writing import Job

log = structlog.get_logger(__name__)


def export(job: Job, outcome: Outcome) -> None:
    """Hands the spans to the exporter's own thread."""
    found = tracer()
    if found is not None:
        _tell(found, job, outcome)


@cache
def tracer() -> Any:
    """None: no exporter is configured, or chatproject.W005 told that the packages are not there."""
    if not settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        log.warning("spans_not_sent", cause="opentelemetry is not installed")
        return None
    provider = TracerProvider(resource=Resource.create({"service.name": "soksak"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider.get_tracer("soksak")


def _tell(tracer: Any, job: Job, outcome: Outcome) -> None:
    """One span a request, and in it one from each stage to the next; on the wall clock, nanoseconds."""
    from opentelemetry.trace import set_span_in_context

    received_ns = time.time_ns() - int(job.clock.now_ms() * 1e6)
    reached = [(stage, received_ns + int(job.clock.marks[stage] * 1e6)) for stage in STAGES if stage in job.clock.marks]
    reached.sort(key=lambda mark: mark[1])
    whole = tracer.start_span("answer", start_time=received_ns, attributes=_attributes(job, outcome))
    context = set_span_in_context(whole)
    for (_, since), (stage, until) in pairwise(reached):
        tracer.start_span(stage, context=context, start_time=since).end(end_time=until)
    for call in job.calls:
        asked_ns = received_ns + int(job.clock.ms(call.asked_at) * 1e6)
        attributes = {"route": call.route, "model": call.model, "why": call.why, "outcome": call.outcome}
        span = tracer.start_span("provider", context=context, start_time=asked_ns, attributes=attributes)
        span.end(end_time=asked_ns + int(call.seconds * 1e9))
    whole.end(end_time=max(at for _, at in reached))


def _attributes(job: Job, outcome: Outcome) -> dict[str, Any]:
    return {
        **job.who, "outcome": outcome.status, "code": outcome.error_code, "attempt": job.run.key.attempt,
        "route": job.route_name,
    }
