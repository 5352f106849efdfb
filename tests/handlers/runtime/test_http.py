"""Requests reach the app byte for byte, through API Gateway and through the laptop's server."""

import asyncio
import base64
import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession
from slack_bolt.response import BoltResponse

from handlers.runtime.http import BODY_LIMIT, answer_gateway, serve_http, to_gateway_response
from handlers.runtime.settings import SettingsError


class Echo:
    """An app that remembers what it received and answers with it."""

    def __init__(self, response: BoltResponse | None = None, seconds: float = 0.0) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.finished = 0
        self.entered = asyncio.Event()
        self._response = response
        self._seconds = seconds

    async def receive(self, headers: Mapping[str, str], body: bytes) -> BoltResponse:
        self.received.append((dict(headers), body))
        self.entered.set()
        await asyncio.sleep(self._seconds)
        self.finished += 1
        return self._response or BoltResponse(status=200, body="")


BODIES = [
    b'{"type":"event_callback","event":{"text":"na\xc3\xafve \xe2\x98\x83"}}',
    b"command=%2Fask&text=a+b%26c",
    b"",
    b"\xff\xfe not UTF-8",
]


def gateway_event(body: bytes, *, encoded: bool) -> dict[str, Any]:
    text = base64.b64encode(body).decode() if encoded else body.decode("utf-8", "surrogateescape")
    return {
        "version": "2.0",
        "rawPath": "/slack/events",
        "headers": {"content-type": "application/json", "X-Slack-Signature": "v0=1"},
        "requestContext": {"http": {"method": "POST", "path": "/slack/events"}},
        "body": text,
        "isBase64Encoded": encoded,
    }


@pytest.mark.parametrize("body", BODIES)
async def test_the_gateway_hands_over_the_bytes_that_were_signed(body: bytes) -> None:
    app = Echo()
    await answer_gateway(app, gateway_event(body, encoded=True))
    if body.isascii() or b"\xff" not in body:
        await answer_gateway(app, gateway_event(body, encoded=False))
    for headers, received in app.received:
        assert received == body
        assert headers["x-slack-signature"] == "v0=1"


async def test_cookies_of_the_gateway_come_back_as_a_header() -> None:
    app = Echo()
    await answer_gateway(app, {**gateway_event(b"", encoded=False), "cookies": ["a=1", "b=2"]})
    assert app.received[0][0]["cookie"] == "a=1; b=2"


@pytest.mark.parametrize(
    "change",
    [
        {"body": "no base64!", "isBase64Encoded": True},
        {"body": "ü", "isBase64Encoded": True},
        {"body": {"already": "parsed"}},
        {"headers": ["a list"]},
    ],
)
async def test_a_malformed_event_is_answered_400(change: dict[str, Any]) -> None:
    app = Echo()
    answer = await answer_gateway(app, {**gateway_event(b"", encoded=False), **change})
    assert answer["statusCode"] == 400
    assert app.received == []


async def test_an_event_without_headers_or_body_is_a_request_without_them() -> None:
    app = Echo()
    answer = await answer_gateway(app, {"version": "2.0", "headers": None, "body": None})
    assert answer["statusCode"] == 200
    assert app.received == [({}, b"")]


def test_a_response_is_translated_whole() -> None:
    response = BoltResponse(
        status=401,
        body={"error": "stale"},
        headers={"Set-Cookie": ["a=1; Path=/", "b=2"], "X-Many": ["1", "2"]},
    )
    assert to_gateway_response(response) == {
        "statusCode": 401,
        "headers": {"x-many": "1, 2", "content-type": "application/json;charset=utf-8"},
        "cookies": ["a=1; Path=/", "b=2"],
        "body": '{"error": "stale"}',
        "isBase64Encoded": False,
    }
    json.dumps(to_gateway_response(response))


@pytest.mark.parametrize("body", BODIES)
async def test_the_server_hands_over_the_bytes_that_were_signed(body: bytes) -> None:
    app = Echo()
    async with serve_http(app, host="127.0.0.1", port=0) as address, ClientSession() as session:
        headers = {"X-Slack-Signature": "v0=1"}
        async with session.post(f"{address}/slack/events", data=body, headers=headers) as answer:
            assert answer.status == 200
    [(received, received_body)] = app.received
    assert received_body == body
    assert received["x-slack-signature"] == "v0=1"


async def test_what_a_stranger_sends_in_bad_shape_is_answered_and_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Echo()
    async with serve_http(app, host="127.0.0.1", port=0) as address, ClientSession() as session:
        packed = {"Content-Encoding": "gzip"}
        async with session.post(
            f"{address}/slack/events", data=b"secret words", headers=packed
        ) as answer:
            assert answer.status == 400
        host, port = address.removeprefix("http://").split(":")
        for sent in (
            b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nsecret words",
            b"POST /slack/events HTTP/1.1\r\nX: " + b"secret" * 9_000 + b"\r\n\r\n",
        ):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(sent)
            await writer.drain()
            writer.transport.abort()
            await asyncio.sleep(0.2)
    assert app.received == []
    assert "Traceback" not in caplog.text
    assert "secret" not in caplog.text


async def test_the_server_answers_as_the_app_does() -> None:
    response = BoltResponse(
        status=418, body={"a": "☃"}, headers={"Set-Cookie": ["a=1; Path=/", "b=2"], "X-One": "1"}
    )
    async with (
        serve_http(Echo(response), host="127.0.0.1", port=0) as address,
        ClientSession() as session,
        session.post(f"{address}/slack/events", data=b"x") as answer,
    ):
        assert answer.status == 418
        assert await answer.json() == {"a": "☃"}
        assert answer.headers["x-one"] == "1"
        assert answer.headers.getall("set-cookie") == ["a=1; Path=/", "b=2"]


async def test_repeated_headers_are_joined_so_that_none_is_overlooked() -> None:
    app = Echo()
    async with serve_http(app, host="127.0.0.1", port=0) as address, ClientSession() as session:
        headers = [("X-Slack-Signature", "v0=1"), ("X-Slack-Signature", "v0=2")]
        await session.post(f"{address}/slack/events", data=b"x", headers=headers)
    assert app.received[0][0]["x-slack-signature"] == "v0=1,v0=2"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health", 200),
        ("GET", "/slack/events", 405),
        ("POST", "/", 404),
        ("POST", "/slack/events/../../etc", 404),
    ],
)
async def test_nothing_else_is_served(method: str, path: str, status: int) -> None:
    app = Echo()
    async with (
        serve_http(app, host="127.0.0.1", port=0) as address,
        ClientSession() as session,
        session.request(method, f"{address}{path}") as answer,
    ):
        assert answer.status == status
    assert app.received == []


async def test_a_body_of_a_megabyte_passes_and_a_larger_one_than_the_limit_does_not() -> None:
    app = Echo()
    async with serve_http(app, host="127.0.0.1", port=0) as address, ClientSession() as session:
        async with session.post(
            f"{address}/slack/events", data=BytesIO(b"x" * 1_100_000)
        ) as answer:
            assert answer.status == 200
        too_large = BytesIO(b"x" * (BODY_LIMIT + 1))
        async with session.post(f"{address}/slack/events", data=too_large) as answer:
            assert answer.status == 413
    assert [len(body) for _, body in app.received] == [1_100_000]


async def test_a_request_in_hand_is_answered_before_the_server_stops() -> None:
    app = Echo(seconds=0.3)
    async with ClientSession() as session:
        async with serve_http(app, host="127.0.0.1", port=0) as address:
            asking = asyncio.create_task(session.post(f"{address}/slack/events", data=b"x"))
            await app.entered.wait()
        answer = await asking
        assert answer.status == 200
        assert app.finished == 1
        with pytest.raises(ClientError):
            await session.post(f"{address}/slack/events", data=b"x")


async def test_a_port_that_is_taken_is_named_with_what_to_do() -> None:
    async with serve_http(Echo(), host="127.0.0.1", port=0) as address:
        port = int(address.rsplit(":", 1)[1])
        with pytest.raises(SettingsError, match=rf"FOOTNOTE_PORT is {port}.*another program"):
            async with serve_http(Echo(), host="127.0.0.1", port=port):
                pass


@pytest.mark.parametrize("host", ["203.0.113.1", "no-such-host.invalid"])
async def test_a_host_that_is_not_this_machine_is_named(host: str) -> None:
    with pytest.raises(SettingsError, match=r"FOOTNOTE_HOST is .* not an address of this machine"):
        async with serve_http(Echo(), host=host, port=0):
            pass
