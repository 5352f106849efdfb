"""Traces of questions for OpenTelemetry, where an operator wants them; elsewhere nothing at all.

A span holds a name, times and machine words. What a question says is in none of them.
"""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from handlers.runtime.settings import Settings

if TYPE_CHECKING:
    from handlers.adapters.otel import Tracer

log = logging.getLogger(__name__)

_tracer: Tracer | None = None


def start(settings: Settings) -> None:
    """Send traces from now on, if a collector is set and ``footnote-bot[otel]`` is installed.

    A process has one collector: what was started stays.
    """
    global _tracer
    if _tracer is not None or not settings.otel_endpoint:
        return
    try:
        from handlers.adapters.otel import Tracer
    except ImportError:
        log.warning(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed, so no traces"
            " are sent; install footnote-bot[otel], or build the image with EXTRAS=otel and deploy"
            " with --param extras=otel"
        )
        return
    headers = settings.otel_headers
    _tracer = Tracer(
        settings.otel_endpoint,
        headers.get_secret_value() if headers else "",
        stage=settings.stage,
    )


def span(
    name: str,
    trace: str,
    *,
    first: bool = False,
    began: float | None = None,
    **attributes: str | int | float,
) -> AbstractContextManager[None]:
    """Return a context manager that traces its block as a part of the question ``trace``.

    ``first`` marks the span that all others of that question hang on, wherever they are made.
    ``began``, in seconds since the epoch, lets it start in the past, as waiting in a queue does.
    """
    if _tracer is None:
        return nullcontext()
    return _tracer.span(name, trace, attributes, first=first, began=began)


def flush() -> None:
    """Send what has ended: the end of an invocation, after which a container may stand still."""
    if _tracer is not None:
        _tracer.flush()
