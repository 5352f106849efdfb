"""OpenAIModel against a scripted server over real HTTP."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable

import pytest

from handlers.adapters.breaker import Breaker
from handlers.adapters.openai_model import OpenAIModel
from handlers.answering.errors import ModelRefused, ModelUnavailable
from handlers.answering.ports import Completed, Message, TextDelta, Usage
from tests.doubles.scripted_model import Dies, Fails, Hangs, Nonsense, ScriptedModel, Streams

KEY = "sk-very-secret-0123456789"
ASKED = [Message("system", "Be brief."), Message("user", "How many days of vacation?")]


def model_at(server: ScriptedModel, **changes: object) -> OpenAIModel:
    arguments: dict[str, object] = {
        "model": "scripted",
        "api_key": KEY,
        "base_url": server.base_url,
        "first_token_timeout": 5.0,
        "gap_timeout": 5.0,
        "retry_wait": 0.01,
    }
    return OpenAIModel(**(arguments | changes))  # type: ignore[arg-type]


async def collect(model: OpenAIModel, *, seconds: float = 10.0) -> tuple[str, Completed | None]:
    text, completed = "", None
    deadline = asyncio.get_running_loop().time() + seconds
    try:
        async for event in model.stream(ASKED, deadline=deadline):
            if isinstance(event, TextDelta):
                text += event.text
            else:
                completed = event
    finally:
        await model.aclose()
    return text, completed


async def test_text_comes_in_pieces_and_ends_with_the_usage() -> None:
    async with ScriptedModel(Streams(["25 ", "days", ". [1]"])) as server:
        text, completed = await collect(model_at(server))
    assert text == "25 days. [1]"
    assert completed == Completed(Usage(11, 7), truncated=False)
    request = server.requests[0]
    assert request.authorized
    assert request.messages == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "How many days of vacation?"},
    ]
    assert request.body["stream"] is True
    assert request.body["stream_options"] == {"include_usage": True}


async def test_the_first_piece_is_given_before_the_last_has_come() -> None:
    async with ScriptedModel(Hangs(["first"])) as server:
        model = model_at(server)
        deadline = asyncio.get_running_loop().time() + 5
        events = model.stream(ASKED, deadline=deadline)
        assert await asyncio.wait_for(anext(events), 2) == TextDelta("first")
        await events.aclose()
        await model.aclose()


@pytest.mark.parametrize("done", [True, False])
async def test_a_server_that_ends_without_usage_is_understood(done: bool) -> None:
    async with ScriptedModel(Streams(["Fine."], usage=False, done=done)) as server:
        assert await collect(model_at(server)) == ("Fine.", Completed(Usage(), truncated=False))


@pytest.mark.parametrize("reason", ["length", "content_filter", None])
async def test_an_answer_that_was_broken_off_says_so(reason: str | None) -> None:
    async with ScriptedModel(Streams(["Not fin"], finish_reason=reason)) as server:
        _, completed = await collect(model_at(server))
    assert completed is not None
    assert completed.truncated


async def test_a_server_that_rejects_stream_options_is_asked_without_and_remembered() -> None:
    no = Fails(400, "Unknown argument: stream_options", param="stream_options")
    async with ScriptedModel(no, Streams(["One."]), Streams(["Two."])) as server:
        model = model_at(server)
        for expected in ("One.", "Two."):
            text = ""
            deadline = asyncio.get_running_loop().time() + 5
            async for event in model.stream(ASKED, deadline=deadline):
                text += event.text if isinstance(event, TextDelta) else ""
            assert text == expected
        await model.aclose()
    assert ["stream_options" in r.body for r in server.requests] == [True, False, False]
    assert all("temperature" in r.body for r in server.requests)


async def test_a_server_that_rejects_without_saying_what_is_asked_for_the_bare_minimum() -> None:
    async with ScriptedModel(Fails(422, "extra fields"), Streams(["Ok."])) as server:
        assert (await collect(model_at(server)))[0] == "Ok."
    assert set(server.requests[1].body) == {"model", "messages", "stream"}


async def test_busy_and_broken_servers_are_tried_again_three_times_in_all() -> None:
    async with ScriptedModel(Fails(429, retry_after="0"), Fails(500), Streams(["Ok."])) as server:
        assert (await collect(model_at(server)))[0] == "Ok."
    async with ScriptedModel(Fails(503), Fails(503), Fails(503)) as server:
        with pytest.raises(ModelUnavailable, match="HTTP 503"):
            await collect(model_at(server))
    assert len(server.requests) == 3


async def test_retry_after_is_waited_for() -> None:
    async with ScriptedModel(Fails(429, retry_after="0.4"), Streams(["Ok."])) as server:
        started = asyncio.get_running_loop().time()
        assert (await collect(model_at(server)))[0] == "Ok."
        assert asyncio.get_running_loop().time() - started >= 0.4


@pytest.mark.parametrize(("retry_after", "seconds"), [("3", 2.0), ("3600", 60.0)])
async def test_a_wait_that_the_deadline_or_a_person_cannot_bear_ends_at_once(
    retry_after: str, seconds: float
) -> None:
    async with ScriptedModel(Fails(429, retry_after=retry_after)) as server:
        started = asyncio.get_running_loop().time()
        with pytest.raises(ModelUnavailable, match="busy"):
            await collect(model_at(server), seconds=seconds)
        assert asyncio.get_running_loop().time() - started < 2.9


@pytest.mark.parametrize("headers_first", [True, False])
async def test_a_silent_server_is_given_up_after_the_first_token_timeout(
    headers_first: bool,
) -> None:
    async with ScriptedModel(Hangs(headers_first=headers_first)) as server:
        started = asyncio.get_running_loop().time()
        with pytest.raises(ModelUnavailable, match="in time"):
            await collect(model_at(server, first_token_timeout=0.8))
        assert asyncio.get_running_loop().time() - started < 4


async def test_a_server_that_falls_silent_is_given_up_after_the_gap_timeout() -> None:
    async with ScriptedModel(Hangs(["Half a sen"])) as server:
        with pytest.raises(ModelUnavailable, match="in time"):
            await collect(model_at(server, gap_timeout=0.2))


async def test_the_deadline_ends_a_stream_that_never_stops() -> None:
    endless = Streams(["word "] * 200, delay=0.05)
    async with ScriptedModel(endless) as server:
        started = asyncio.get_running_loop().time()
        with pytest.raises(ModelUnavailable, match="in time"):
            await collect(model_at(server), seconds=1.5)
        assert asyncio.get_running_loop().time() - started < 4


async def test_a_death_after_the_first_piece_is_not_tried_again() -> None:
    async with ScriptedModel(Dies(["Employees get"])) as server:
        model = model_at(server)
        said: list[str] = []
        with pytest.raises(ModelUnavailable):
            deadline = asyncio.get_running_loop().time() + 5
            async for event in model.stream(ASKED, deadline=deadline):
                assert isinstance(event, TextDelta)
                said.append(event.text)
        await model.aclose()
    assert said == ["Employees get"]
    assert len(server.requests) == 1


async def test_a_death_before_the_first_piece_is_tried_again() -> None:
    async with ScriptedModel(Dies(), Streams(["Ok."])) as server:
        assert (await collect(model_at(server)))[0] == "Ok."


@pytest.mark.parametrize(
    "kind",
    ["invalid_json", "html", "empty_choices", "no_body", "error_event", "binary", "json"],
)
async def test_nonsense_is_an_unavailable_model_and_never_another_exception(kind: str) -> None:
    nonsense = Nonsense(kind)  # type: ignore[arg-type]
    async with ScriptedModel(nonsense, nonsense, nonsense) as server:
        with pytest.raises(ModelUnavailable):
            await collect(model_at(server))


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (Fails(401, f"Incorrect API key provided: {KEY}"), "OPENAI_API_KEY"),
        (Fails(403, "no"), "OPENAI_API_KEY"),
        (Fails(404, "The model does not exist"), "OPENAI_MODEL"),
        (Fails(413, "too long"), "HTTP 413"),
    ],
)
async def test_a_refusal_tells_the_operator_what_to_do_and_is_not_tried_again(
    step: Fails, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with ScriptedModel(step) as server:
        with pytest.raises(ModelRefused, match=says) as refused:
            await collect(model_at(server))
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
    assert KEY not in repr(refused.value)
    assert KEY not in caplog.text


async def test_no_log_holds_the_key_or_the_conversation(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with ScriptedModel(Fails(500, f"echo {KEY}"), Streams(["Secret answer."])) as server:
        await collect(model_at(server))
    assert KEY not in caplog.text
    assert "vacation" not in caplog.text
    assert "Secret answer" not in caplog.text


async def test_a_server_that_needs_no_key_gets_a_placeholder() -> None:
    async with ScriptedModel(Streams(["Ok."])) as server:
        assert (await collect(model_at(server, api_key="")))[0] == "Ok."
    assert server.requests[0].authorized


async def test_nobody_listening_is_an_unavailable_model() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    model = OpenAIModel(
        model="m", api_key="", base_url=f"http://127.0.0.1:{port}/v1", retry_wait=0.01
    )
    with pytest.raises(ModelUnavailable, match="reached"):
        await collect(model)


async def test_an_endpoint_that_keeps_failing_is_left_alone_then_tried_once() -> None:
    steps = [Fails(500)] * 6
    async with ScriptedModel(*steps) as server:
        model = model_at(server, breaker=Breaker(threshold=2, pause=0.3))
        for _ in range(2):
            with pytest.raises(ModelUnavailable, match="HTTP 500"):
                await collect(model)
        with pytest.raises(ModelUnavailable, match="left alone"):
            await collect(model)
        assert len(server.requests) == 6
        await asyncio.sleep(0.35)
        server.then(Streams(["Back."]))
        assert (await collect(model))[0] == "Back."
        server.then(Streams(["Still."]))
        assert (await collect(model))[0] == "Still."


async def test_a_refusal_does_not_open_the_breaker() -> None:
    async with ScriptedModel(*[Fails(401)] * 3) as server:
        model = model_at(server, breaker=Breaker(threshold=2, pause=60))
        for _ in range(3):
            with pytest.raises(ModelRefused):
                await collect(model)


async def test_a_reader_who_leaves_closes_the_connection() -> None:
    async with ScriptedModel(Streams(["word "] * 100, delay=0.02)) as server:
        model = model_at(server)
        deadline = asyncio.get_running_loop().time() + 5
        events = model.stream(ASKED, deadline=deadline)
        await anext(events)
        await events.aclose()
        await _until(lambda: server.left_early == 1)
        await model.aclose()


async def test_two_streams_run_at_the_same_time_on_one_loop() -> None:
    both = Streams(["a", "b"], delay=0.02)
    async with ScriptedModel(both, both) as server:
        model = model_at(server)
        deadline = asyncio.get_running_loop().time() + 5

        async def read(events: AsyncIterator[object]) -> int:
            return len([event async for event in events])

        counts = await asyncio.gather(
            read(model.stream(ASKED, deadline=deadline)),
            read(model.stream(ASKED, deadline=deadline)),
        )
        await model.aclose()
    assert counts == [3, 3]


async def _until(condition: Callable[[], bool], seconds: float = 3.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  (what is waited for happens in a server)
            await asyncio.sleep(0.01)
