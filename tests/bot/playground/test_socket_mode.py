from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import NotAcknowledged, Playground
from tests.bot.playground.receiver import App


class Listener:
    """Keeps the requests and acknowledges them unless ``deaf``."""

    def __init__(self) -> None:
        self.requests: list[SocketModeRequest] = []
        self.deaf = 0

    async def take(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        self.requests.append(request)
        if self.deaf:
            self.deaf -= 1
            return
        payload = {"text": "hello"} if request.type == "slash_commands" else None
        await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload))


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
async def socket(slack: Playground, listener: Listener) -> AsyncIterator[SocketModeClient]:
    client = SocketModeClient(
        app_token="xapp-playground",
        web_client=AsyncWebClient(token="xoxb-playground", base_url=slack.api_url),
        ping_interval=0.2,
    )
    client.socket_mode_request_listeners.append(listener.take)
    await client.connect()
    yield client
    await client.close()


async def test_events_go_to_the_socket_before_the_address(
    slack: Playground, socket: SocketModeClient, listener: Listener, app: App
) -> None:
    await slack.say("alice", "dm", "how?")
    await slack.idle()
    (request,) = listener.requests
    assert request.type == "events_api" and request.payload["event"]["type"] == "message"
    assert app.received == []


async def test_an_envelope_nobody_acknowledges_comes_again(
    slack: Playground, socket: SocketModeClient, listener: Listener
) -> None:
    listener.deaf = 1
    await slack.say("alice", "dm", "how?")
    await slack.idle()
    assert [(r.retry_attempt, r.retry_reason) for r in listener.requests] == [
        (0, ""),
        (1, "timeout"),
    ]


async def test_a_command_is_answered_in_its_acknowledgement(
    slack: Playground, socket: SocketModeClient, listener: Listener
) -> None:
    await slack.command("alice", "general", "/ask", "how?")
    assert [m["text"] for m in slack.ephemerals("alice")] == ["hello"]
    listener.deaf = 1
    with pytest.raises(NotAcknowledged):
        await slack.command("alice", "general", "/ask", "how?")


async def test_a_refreshed_socket_comes_back(
    slack: Playground, socket: SocketModeClient, listener: Listener
) -> None:
    slack.events_url = ""
    await slack.refresh_sockets()
    assert not slack.connected
    await slack.wait_until(lambda: slack.connected)
    await slack.say("alice", "dm", "still there?")
    await slack.idle()
    assert listener.requests


async def test_a_ticket_opens_one_socket(slack: Playground) -> None:
    client = AsyncWebClient(token="xoxb-playground", base_url=slack.api_url)
    opened = await client.apps_connections_open(app_token="xapp-playground")
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(opened["url"]) as socket:
            assert (await socket.receive_json())["type"] == "hello"
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(opened["url"])
