"""Tracing costs nothing where nobody asked for it, and is done when an invocation ends."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from tests.handlers.adapters.test_otel import TRACE, collecting

ROOT = Path(__file__).parents[3]

INVOCATION = f"""
import sys
from handlers.runtime import invoke, tracing
from handlers.runtime.settings import Settings
tracing.start(Settings.load({{}}, parameters=dict(p.split("=", 1) for p in sys.argv[1:])))
async def handle():
    with tracing.span("accept", "{TRACE}", first=True, place="channel"):
        return "answered"
print(invoke.run(handle()), sorted(n for n in sys.modules if n == "opentelemetry"), flush=True)
"""
STOPS_DEAD = "import os; os._exit(0)"
NOT_INSTALLED = "import sys; sys.modules['opentelemetry'] = None"


def invoke(*settings: str, before: str = "", after: str = "") -> tuple[str, str]:
    command = [sys.executable, "-c", "\n".join([before, INVOCATION, after]), *settings]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip(), done.stderr.strip()


def test_without_a_collector_a_span_does_nothing_and_loads_nothing() -> None:
    assert invoke() == ("answered []", "")


def test_without_the_package_the_work_is_done_and_the_operator_told() -> None:
    shown, logged = invoke("OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:9", before=NOT_INSTALLED)
    assert shown.startswith("answered")
    assert "footnote-bot[otel]" in logged
    assert "Traceback" not in logged


async def test_spans_are_sent_before_the_invocation_ends() -> None:
    # Lambda freezes a container then; here the process even dies.
    async with collecting() as collector:
        settings = (
            f"OTEL_EXPORTER_OTLP_ENDPOINT={collector.address}",
            "OTEL_EXPORTER_OTLP_HEADERS=api-key=abc",
            "FOOTNOTE_STAGE=dev",
        )
        shown, _ = await asyncio.to_thread(invoke, *settings, after=STOPS_DEAD)
    assert shown.startswith("answered")
    span = collector.spans["accept"]
    assert bytes(span.trace_id).hex() == TRACE
    assert [about.key for about in span.attributes] == ["place"]
    assert collector.headers["api-key"] == "abc"
    assert collector.resource["deployment.environment.name"] == "dev"
