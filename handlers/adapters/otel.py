"""Traces of questions, sent to a collector in OpenTelemetry's own protocol (OTLP over HTTP).

A question has its trace id before any span exists: it is made at the Slack door and travels in the
job. So the ids of the first span are not drawn but computed from it, and whoever works on the job
later, in another process, knows its parent:

    accept                        at the door; its span id is a hash of the trace id
    ├── queue                     in the worker
    └── answer
        ├── retrieve
        └── ...
"""

import hashlib
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from urllib.parse import unquote

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
    use_span,
)

EXPORT_SECONDS = 1.0
"""How long an export may take: at the Slack door somebody waits for its end, 3 seconds at most."""

PAUSE_SECONDS = 60.0
"""How long nothing is sent after an export failed, so that a dead collector slows nobody down."""


class Tracer:
    """Opens spans and sends them. Holds names and machine words, never what somebody wrote."""

    def __init__(self, endpoint: str, headers: str = "", *, stage: str = "") -> None:
        """``endpoint`` ends in a slash; ``headers`` are ``name=value`` with commas between."""
        about = {"service.name": "footnote"}
        if stage:
            about["deployment.environment.name"] = stage
        self._ids = _Ids()
        self._provider = TracerProvider(
            resource=Resource.create(about), id_generator=self._ids, sampler=ALWAYS_ON
        )
        exporter = OTLPSpanExporter(
            endpoint=f"{endpoint}v1/traces", headers=_headers(headers), timeout=EXPORT_SECONDS
        )
        self._provider.add_span_processor(BatchSpanProcessor(_Pausing(exporter)))
        self._tracer = self._provider.get_tracer("footnote")

    @contextmanager
    def span(
        self,
        name: str,
        trace: str,
        attributes: Mapping[str, str | int | float],
        *,
        first: bool = False,
        began: float | None = None,
    ) -> Iterator[None]:
        """Trace the block as a part of ``trace`` (32 hex digits).

        ``first`` is the span that all others of the trace hang on. ``began`` (seconds since the
        epoch) lets it start in the past. An error leaves only the name of its class behind.
        """
        wanted = _ids_of(trace)
        context: Context | None = None
        if wanted and first:
            context = Context()
        elif wanted and get_current_span().get_span_context().trace_id != wanted[0]:
            parent = SpanContext(
                *wanted, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)
            )
            context = set_span_in_context(NonRecordingSpan(parent), Context())
        with self._ids.fixed(wanted if first else None):
            span = self._tracer.start_span(
                name,
                context=context,
                attributes=attributes,
                start_time=None if began is None else int(began * 1e9),
            )
        # The message of an error may hold words of a question, so it is not recorded.
        with use_span(
            span, end_on_exit=True, record_exception=False, set_status_on_exception=False
        ):
            try:
                yield
            except BaseException as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise

    def flush(self) -> None:
        """Send what has ended, in about ``EXPORT_SECONDS`` or not at all. Raises nothing."""
        self._provider.force_flush()

    def close(self) -> None:
        """Send what has ended, and stop."""
        self._provider.shutdown()


class _Ids(RandomIdGenerator):
    """Draws ids, but for a span whose ids are known beforehand."""

    def __init__(self) -> None:
        self._fixed: ContextVar[tuple[int, int] | None] = ContextVar("fixed", default=None)

    @contextmanager
    def fixed(self, ids: tuple[int, int] | None) -> Iterator[None]:
        token = self._fixed.set(ids)
        try:
            yield
        finally:
            self._fixed.reset(token)

    def generate_trace_id(self) -> int:
        fixed = self._fixed.get()
        return fixed[0] if fixed else super().generate_trace_id()

    def generate_span_id(self) -> int:
        fixed = self._fixed.get()
        return fixed[1] if fixed else super().generate_span_id()


class _Pausing(SpanExporter):
    """Drops spans for a while after the collector failed."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._not_before = 0.0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if time.monotonic() < self._not_before:
            return SpanExportResult.FAILURE
        result = self._exporter.export(spans)
        if result is not SpanExportResult.SUCCESS:
            self._not_before = time.monotonic() + PAUSE_SECONDS
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


def _ids_of(trace: str) -> tuple[int, int] | None:
    """Return the ids of the first span of a trace, or None for what is no trace id."""
    if not re.fullmatch(r"[0-9a-f]{32}", trace) or not int(trace, 16):
        return None
    return int(trace, 16), int(hashlib.sha256(trace.encode()).hexdigest()[:16], 16) or 1


def _headers(text: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in text.split(",") if pair.strip())
    return {name.strip().lower(): unquote(value.strip()) for name, _, value in pairs}
