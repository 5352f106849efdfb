"""Bringing events to the app: signed, acknowledged within 3 s, tried again when they were not.

    try 0 --no ack--> at once, try 1 --no ack--> after 1 min, try 2 --no ack--> after 5 min, try 3

Commands and clicks are tried once: the person sees that the app did not answer.
"""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from urllib.parse import urlencode

import aiohttp

Kind = Literal["events_api", "slash_commands", "interactive"]
RETRY_DELAYS = (0.0, 60.0, 300.0)


class NotAcknowledged(Exception):
    """The app did not answer a delivery as it should. ``reason`` is Slack's word for why."""

    def __init__(self, reason: str, status: int = 0, *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.final = final


@dataclass(slots=True)
class Delivery:
    """One thing the app was told, and how each try ended (``ok`` or the reason)."""

    kind: Kind
    payload: dict[str, Any]
    tries: list[str] = field(default_factory=list)

    @property
    def acknowledged(self) -> bool:
        """Tell whether the app took it."""
        return self.tries[-1:] == ["ok"]


class Transport(Protocol):
    """A way to the app."""

    async def attempt(
        self, kind: Kind, payload: dict[str, Any], number: int, reason: str
    ) -> dict[str, Any]:
        """Deliver once; return the body of the acknowledgement or raise NotAcknowledged."""
        ...


class HttpTransport:
    """Posts to the app's request address with Slack's v0 signature."""

    def __init__(self, secret: str, clock: Callable[[], float], ack_seconds: float) -> None:
        self.url = ""
        self._secret = secret
        self._clock = clock
        self._ack_seconds = ack_seconds
        self._session: aiohttp.ClientSession | None = None

    def headers(self, body: bytes) -> dict[str, str]:
        """Return the signature headers of a body."""
        timestamp = str(int(self._clock()))
        signed = b"v0:" + timestamp.encode() + b":" + body
        digest = hmac.new(self._secret.encode(), signed, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}

    async def attempt(
        self, kind: Kind, payload: dict[str, Any], number: int, reason: str
    ) -> dict[str, Any]:
        """Post once: events as JSON, commands and clicks as a form."""
        if kind == "events_api":
            body, content = json.dumps(payload).encode(), "application/json"
        else:
            form = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
            body, content = urlencode(form).encode(), "application/x-www-form-urlencoded"
        headers = {"Content-Type": content, "User-Agent": "Slackbot 1.0", **self.headers(body)}
        if number:
            headers |= {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": reason}
        if self._session is None:
            self._session = aiohttp.ClientSession()
        patience = aiohttp.ClientTimeout(total=self._ack_seconds)
        try:
            async with self._session.post(
                self.url, data=body, headers=headers, timeout=patience, allow_redirects=False
            ) as response:
                text = await response.text()
                if not 200 <= response.status < 300:
                    final = response.headers.get("X-Slack-No-Retry") == "1"
                    raise NotAcknowledged("http_error", response.status, final=final)
        except TimeoutError:
            raise NotAcknowledged("http_timeout") from None
        except aiohttp.ClientError:
            raise NotAcknowledged("connection_failed") from None
        return read_answer(text)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def read_answer(text: str) -> dict[str, Any]:
    """Return the JSON object an app answered with; other text becomes ``{"text": ...}``."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    return {"text": text} if text.strip() and found is None else {}


class Courier:
    """Delivers through whichever transport is there at the time of each try."""

    def __init__(
        self, transport: Callable[[], Transport | None], delays: Sequence[float] = RETRY_DELAYS
    ) -> None:
        self.deliveries: list[Delivery] = []
        self.acks_to_drop = 0
        self._transport = transport
        self._delays = delays
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, payload: dict[str, Any]) -> Delivery | None:
        """Deliver an event in the background; None when no app is connected."""
        if self._transport() is None:
            return None
        delivery = Delivery("events_api", payload)
        self.deliveries.append(delivery)
        task = asyncio.get_running_loop().create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return delivery

    async def ask(self, kind: Kind, payload: dict[str, Any]) -> dict[str, Any]:
        """Deliver a command or click once and return the answer; raise NotAcknowledged."""
        delivery = Delivery(kind, payload)
        self.deliveries.append(delivery)
        return await self._try(delivery, 0, "")

    async def idle(self) -> None:
        """Wait until no delivery is under way (retries included)."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def close(self) -> None:
        """Give up all deliveries under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _deliver(self, delivery: Delivery) -> None:
        reason = ""
        for number, delay in enumerate((0.0, *self._delays)):
            if delay:
                await asyncio.sleep(delay)
            try:
                await self._try(delivery, number, reason)
            except NotAcknowledged as failure:
                reason = failure.reason
                if failure.final:
                    return
            else:
                return

    async def _try(self, delivery: Delivery, number: int, reason: str) -> dict[str, Any]:
        transport = self._transport()
        try:
            if transport is None:
                raise NotAcknowledged("connection_failed")
            answer = await transport.attempt(delivery.kind, delivery.payload, number, reason)
            if self.acks_to_drop:
                self.acks_to_drop -= 1
                raise NotAcknowledged("http_timeout")
        except NotAcknowledged as failure:
            delivery.tries.append(failure.reason)
            raise
        delivery.tries.append("ok")
        return answer
