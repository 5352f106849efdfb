"""Traces as a collector gets them, over real HTTP."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from handlers.adapters.otel import EXPORT_SECONDS, Tracer

TRACE = "0af7651916cd43dd8448eb211c80319c"


@dataclass
class Collector:
    """What came in, and how it is answered from now on."""

    address: str = ""
    status: int = 200
    delay: float = 0.0
    requests: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    resource: dict[str, str] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    bodies: list[bytes] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.requests += 1
        await asyncio.sleep(self.delay)
        if self.status == 200:
            body = await request.read()
            self.bodies.append(body)
            self.headers = {name.lower(): value for name, value in request.headers.items()}
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for about in resource.resource.attributes:
                    self.resource[about.key] = about.value.string_value
                for scope in resource.scope_spans:
                    self.spans.update((span.name, span) for span in scope.spans)
        return web.Response(status=self.status)


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    collector.address = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        yield collector
    finally:
        await runner.cleanup()


async def closed(tracer: Tracer) -> None:
    await asyncio.to_thread(tracer.close)


def parent(span: Span) -> str:
    return bytes(span.parent_span_id).hex()


async def test_what_two_processes_do_for_a_question_is_one_trace() -> None:
    async with collecting() as collector:
        # Two tracers stand for two processes: they share nothing but the id in the job.
        door = Tracer(collector.address, "api-key=k%201, other=x", stage="prod")
        worker = Tracer(collector.address)
        with door.span("accept", TRACE, {}, first=True):
            pass
        accepted = time.time() - 7
        with worker.span("queue", TRACE, {}, began=accepted):
            pass
        with worker.span("answer", TRACE, {"deliveries": 2}):
            with worker.span("retrieve", TRACE, {"passages": 8}):
                await asyncio.sleep(0.01)
            with worker.span("model", TRACE, {}):
                pass
        await asyncio.to_thread(worker.flush)
        assert collector.spans.keys() == {"queue", "answer", "retrieve", "model"}
        await closed(worker)
        await closed(door)
    spans = collector.spans
    assert {bytes(span.trace_id).hex() for span in spans.values()} == {TRACE}
    root = bytes(spans["accept"].span_id).hex()
    answer = bytes(spans["answer"].span_id).hex()
    assert parent(spans["accept"]) == ""
    assert parent(spans["queue"]) == parent(spans["answer"]) == root
    assert parent(spans["retrieve"]) == parent(spans["model"]) == answer
    assert len({bytes(span.span_id) for span in spans.values()}) == 5
    waited = (spans["queue"].end_time_unix_nano - spans["queue"].start_time_unix_nano) / 1e9
    assert 7 <= waited < 60
    [deliveries] = spans["answer"].attributes
    assert (deliveries.key, deliveries.value.int_value) == ("deliveries", 2)
    assert collector.headers["api-key"] == "k 1"
    assert collector.resource["service.name"] == "footnote"
    assert collector.resource["deployment.environment.name"] == "prod"


async def test_questions_that_are_answered_at_the_same_time_keep_their_traces_apart() -> None:
    traces = [f"{number:032x}" for number in range(1, 9)]
    async with collecting() as collector:
        tracer = Tracer(collector.address)

        async def answer(trace: str) -> None:
            with tracer.span(f"answer {trace}", trace, {}):
                await asyncio.sleep(0.01)
                with tracer.span(f"model {trace}", trace, {}):
                    await asyncio.sleep(0.01)

        await asyncio.gather(*map(answer, traces))
        await closed(tracer)
    for trace in traces:
        outer, inner = collector.spans[f"answer {trace}"], collector.spans[f"model {trace}"]
        assert bytes(outer.trace_id).hex() == bytes(inner.trace_id).hex() == trace
        assert inner.parent_span_id == outer.span_id


async def test_an_error_leaves_the_name_of_its_class_and_no_word_of_its_message() -> None:
    async with collecting() as collector:
        tracer = Tracer(collector.address)
        with pytest.raises(ValueError), tracer.span("answer", TRACE, {}):
            raise ValueError("zq7Secret9")
        await closed(tracer)
    span = collector.spans["answer"]
    assert (span.status.code, span.status.message) == (2, "ValueError")
    assert list(span.events) == []
    assert all(b"zq7Secret9" not in body for body in collector.bodies)


@pytest.mark.parametrize("trace", ["", "0" * 32, "zq7" * 11, TRACE.upper(), TRACE + "\n"])
async def test_a_job_without_a_usable_trace_id_still_makes_a_trace(trace: str) -> None:
    async with collecting() as collector:
        tracer = Tracer(collector.address)
        with tracer.span("answer", trace, {}), tracer.span("model", trace, {}):
            pass
        await closed(tracer)
    outer, inner = collector.spans["answer"], collector.spans["model"]
    assert any(outer.trace_id)
    assert inner.trace_id == outer.trace_id
    assert inner.parent_span_id == outer.span_id


async def test_a_collector_that_hangs_costs_about_a_second_once_a_minute() -> None:
    async with collecting() as collector:
        collector.delay = 30
        tracer = Tracer(collector.address)
        times = []
        for _ in range(3):
            with tracer.span("answer", TRACE, {}):
                pass
            began = time.monotonic()
            await asyncio.to_thread(tracer.flush)
            times.append(time.monotonic() - began)
        await closed(tracer)
    assert times[0] < EXPORT_SECONDS + 1
    assert max(times[1:]) < 0.2
    assert collector.requests == 1


async def test_a_collector_that_refuses_raises_nothing() -> None:
    async with collecting() as collector:
        collector.status = 401
        tracer = Tracer(collector.address)
        with tracer.span("answer", TRACE, {}):
            pass
        await asyncio.to_thread(tracer.flush)
        await closed(tracer)
    assert collector.requests == 1
