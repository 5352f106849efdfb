"""The playground: a local Slack for people (a page), for an app (the Web API), and for tests.

async with Playground(signing_secret="s") as slack:
    slack.events_url = "http://127.0.0.1:3000/slack/events"
    ts = await slack.say("alice", "general", "@Footnote how many days off do I get?")
    answer = await slack.wait_for_answer("general", ts)
"""

import time
from collections.abc import Callable, Collection, Sequence
from typing import Any, Self

from aiohttp import web

from bot.playground import limits, payloads
from bot.playground.app_routes import AppRoutes, guard
from bot.playground.delivery import (
    RETRY_DELAYS,
    Courier,
    Delivery,
    HttpTransport,
    Transport,
)
from bot.playground.errors import PlaygroundMisuse
from bot.playground.gestures import Gestures
from bot.playground.limits import RateLimiter
from bot.playground.method import LocalSlack
from bot.playground.residents import move_in
from bot.playground.sight import Sight
from bot.playground.socket_mode import SocketMode
from bot.playground.streams import Streams
from bot.playground.surfaces import Surfaces
from bot.playground.ui import PageRoutes
from bot.playground.web_api import Call, Failure, WebApi
from bot.playground.workspace import Change, Workspace
from bot.scopes import BOT_SCOPES

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Playground(Sight):
    """One workspace on one local port.

    ``events_url`` may be set at any time; an app in Socket Mode goes before it. ``rate_limits``
    False switches the tiers off. ``retry_delays`` are seconds before each retry of an event.
    ``suggestions`` are questions that the page offers, ``scopes`` what the bot token is said to be
    allowed, ``distributed`` whether it is of an app outside the Marketplace. People and channels
    may be named or given by id everywhere; the channel "dm" is the person's direct messages with
    the bot.
    """

    def __init__(
        self,
        *,
        signing_secret: str,
        bot_token: str = "xoxb-playground",  # noqa: S107 - opens nothing but this local server
        app_token: str = "xapp-playground",  # noqa: S107 - opens nothing but this local server
        events_url: str = "",
        bot_user: str = "UFOOTNOTE",
        bot_name: str = "Footnote",
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Callable[[], float] = time.time,
        rate_limits: bool = True,
        retry_delays: Sequence[float] = RETRY_DELAYS,
        ack_seconds: float = limits.ACK_SECONDS,
        suggestions: Sequence[str] = (),
        title: str = "Playground",
        scopes: Collection[str] = BOT_SCOPES,
        distributed: bool = False,
    ) -> None:
        self.team = "TPLAYGROUND"
        self.workspace = Workspace(
            clock=clock, team=self.team, bot_user=bot_user, bot_name=bot_name
        )
        self.surfaces = Surfaces(self.workspace, clock)
        self._sockets = SocketMode(ack_seconds, self.workspace.app_id)
        self._slack = LocalSlack(
            self.workspace,
            self.surfaces,
            Streams(clock),
            self._new_socket,
            scopes=frozenset(scopes),
        )
        self._http = HttpTransport(signing_secret, clock, ack_seconds)
        self._http.url = events_url
        self._courier = Courier(self._transport, retry_delays)
        limiter = RateLimiter(clock) if rate_limits else None
        self._web_api = WebApi(self._slack, bot_token, app_token, limiter, distributed)
        self._gestures = Gestures(self._slack, self._courier)
        self._page = PageRoutes(
            self._slack, self._gestures, lambda: self.connected, tuple(suggestions), title
        )
        self._host, self._port = host, port
        self._runner: web.AppRunner | None = None
        move_in(self.workspace)
        self.workspace.subscribe(self._announce)

    # The server

    async def start(self) -> None:
        """Listen. ``url`` and ``api_url`` are known afterwards."""
        if self._runner is not None:
            raise PlaygroundMisuse("the playground has been started already")
        app = web.Application(
            middlewares=[guard({*_LOOPBACK, self._host})], client_max_size=4 * 1024 * 1024
        )
        app.add_routes(AppRoutes(self._web_api, self._gestures).routes())
        app.add_routes([web.get("/link", self._sockets.serve)])
        app.add_routes(self._page.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self._slack.url = self.url

    async def stop(self) -> None:
        """Stop listening, give up deliveries under way, close every connection."""
        await self._courier.close()
        self._page.close()
        await self._sockets.disconnect("warning")
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        await self._http.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """Return the address of the page, with a slash at its end."""
        host = "127.0.0.1" if self._host in ("", "0.0.0.0") else self._host  # noqa: S104
        return f"http://{host}:{self._port}/"

    @property
    def api_url(self) -> str:
        """Return the base address of the Web API, for ``AsyncWebClient(base_url=...)``."""
        return f"{self.url}api/"

    @property
    def events_url(self) -> str:
        """Where events are posted; empty: nowhere."""
        return self._http.url

    @events_url.setter
    def events_url(self, url: str) -> None:
        self._http.url = url

    @property
    def connected(self) -> bool:
        """Tell whether there is an app to deliver to."""
        return self._transport() is not None

    # What people do

    async def say(self, user: str, channel: str, text: str, thread_ts: str = "") -> str:
        """Write a message ("@Footnote" becomes a mention); its events go out; return its ts."""
        return self._gestures.say(user, channel, text, thread_ts)

    async def command(self, user: str, channel: str, name: str, text: str = "") -> dict[str, Any]:
        """Run a slash command; return the immediate answer; raise NotAcknowledged."""
        return await self._gestures.command(user, channel, name, text)

    async def click(
        self,
        user: str,
        channel: str,
        message_ts: str,
        action_id: str,
        value: str | None = None,
        *,
        block_id: str = "",
    ) -> dict[str, Any]:
        """Press a button of a message; raise PlaygroundMisuse if there is none."""
        return await self._gestures.click(
            user, channel, message_ts, action_id, value, block_id=block_id
        )

    async def click_view(
        self, user: str, action_id: str, value: str | None = None, *, block_id: str = ""
    ) -> dict[str, Any]:
        """Press a button of the topmost modal, or else of the Home tab."""
        return await self._gestures.click_view(user, action_id, value, block_id=block_id)

    async def submit(self, user: str, values: dict[str, Any] | None = None) -> dict[str, Any]:
        """Submit the topmost modal; ``values`` is ``{block_id: {action_id: state}}``."""
        return await self._gestures.submit(user, values or {})

    async def close_view(self, user: str) -> None:
        """Close the topmost modal."""
        await self._gestures.close_view(user)

    async def stop_session(self, user: str, channel: str, thread_ts: str) -> None:
        """Press Stop in a thread where the app is at work; raise PlaygroundMisuse elsewhere."""
        self._gestures.stop_session(user, channel, thread_ts)

    async def open_home(self, user: str, tab: str = "home") -> None:
        """Open the app's Home tab, or "messages"."""
        self._gestures.open_home(user, tab)

    # What tests need besides

    @property
    def calls(self) -> list[Call]:
        """The Web API calls so far: (method, arguments, response)."""
        return self._web_api.calls

    @property
    def deliveries(self) -> list[Delivery]:
        """What the app was told so far, and how every try ended."""
        return self._courier.deliveries

    def fail_next(
        self,
        method: str,
        error: str = "",
        *,
        status: int = 0,
        retry_after: int | None = None,
        times: int = 1,
        after: bool = False,
        cut: bool = False,
        delay: float = 0.0,
    ) -> Failure:
        """Have the next ``times`` calls of a method fail; ``begun`` of the result tells when.

        ``error`` "ratelimited" answers 429 with Retry-After 1. ``cut`` drops the connection.
        ``delay`` waits these seconds (alone: a slow success). ``after`` does the work first, and
        waits behind it.
        """
        if error == "ratelimited":
            status, retry_after = status or 429, 1 if retry_after is None else retry_after
        if status >= 500 and not error:
            error = "internal_error"
        failure = Failure(error, status or 200, retry_after, after, cut, delay, times)
        self._web_api.failures.setdefault(method, []).append(failure)
        return failure

    def drop_acks(self, count: int = 1) -> None:
        """Lose the next acknowledgements of the app on their way."""
        self._courier.acks_to_drop += count

    async def deliver(self, event: dict[str, Any]) -> Delivery | None:
        """Send an event of your own making, wrapped and signed; None when no app is connected."""
        return self._courier.send(payloads.envelope(self._slack, event))

    async def refresh_sockets(self) -> None:
        """Ask every Socket Mode connection to reconnect, as Slack does every hour."""
        await self._sockets.disconnect()

    async def idle(self) -> None:
        """Wait until no event delivery is under way."""
        await self._courier.idle()

    # Inside

    def _new_socket(self) -> str:
        return f"ws{self.url.removeprefix('http')}link?ticket={self._sockets.new_ticket()}"

    def _transport(self) -> Transport | None:
        if self._sockets.connected:
            return self._sockets
        return self._http if self._http.url else None

    def _announce(self, change: Change) -> None:
        for event in payloads.events_of(self._slack, change):
            self._courier.send(payloads.envelope(self._slack, event))
