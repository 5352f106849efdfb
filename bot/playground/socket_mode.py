"""Socket Mode: the app opens a WebSocket, and everything comes in envelopes it acknowledges."""

import asyncio
import json
import secrets
from contextlib import suppress
from typing import Any

import aiohttp
from aiohttp import web

from bot.playground.delivery import Kind, NotAcknowledged


class SocketMode:
    """The open sockets of the app; deliveries take turns among them."""

    def __init__(self, ack_seconds: float, app_id: str) -> None:
        self._ack_seconds = ack_seconds
        self._app_id = app_id
        self._tickets: set[str] = set()
        self._sockets: list[web.WebSocketResponse] = []
        self._acks: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._turn = 0

    @property
    def connected(self) -> bool:
        """Tell whether the app holds a socket open."""
        return bool(self._sockets)

    def new_ticket(self) -> str:
        """Return the one-time secret that opens a socket."""
        ticket = secrets.token_urlsafe(18)
        self._tickets.add(ticket)
        return ticket

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer the WebSocket request of an app that holds a ticket."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403, text="unknown ticket")
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(heartbeat=20, max_msg_size=1 << 20)
        await socket.prepare(request)
        self._sockets.append(socket)
        try:
            await socket.send_json(
                {
                    "type": "hello",
                    "num_connections": len(self._sockets),
                    "connection_info": {"app_id": self._app_id},
                    "debug_info": {"host": "playground", "approximate_connection_time": 3600},
                }
            )
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._acknowledge(message.data)
        finally:
            with suppress(ValueError):
                self._sockets.remove(socket)
        return socket

    def _acknowledge(self, data: str) -> None:
        with suppress(ValueError):
            envelope = json.loads(data)
            if isinstance(envelope, dict):
                waiting = self._acks.pop(str(envelope.get("envelope_id")), None)
                if waiting and not waiting.done():
                    payload = envelope.get("payload")
                    waiting.set_result(payload if isinstance(payload, dict) else {})

    async def attempt(
        self, kind: Kind, payload: dict[str, Any], number: int, reason: str
    ) -> dict[str, Any]:
        """Send one envelope; return the payload of its acknowledgement."""
        if not self._sockets:
            raise NotAcknowledged("connection_failed")
        self._turn += 1
        socket = self._sockets[self._turn % len(self._sockets)]
        envelope_id = secrets.token_hex(16)
        envelope: dict[str, Any] = {
            "envelope_id": envelope_id,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": number, "retry_reason": reason}
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._acks[envelope_id] = answer
        try:
            await socket.send_json(envelope)
            return await asyncio.wait_for(answer, self._ack_seconds)
        except TimeoutError:
            raise NotAcknowledged("timeout") from None
        except ConnectionError:
            raise NotAcknowledged("connection_failed") from None
        finally:
            self._acks.pop(envelope_id, None)

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Tell every socket to come back on a new one, as Slack does every hour, and close it."""
        for socket in list(self._sockets):
            with suppress(ConnectionError):
                await socket.send_json(
                    {"type": "disconnect", "reason": reason, "debug_info": {"host": "playground"}}
                )
            await socket.close()
            with suppress(ValueError):
                self._sockets.remove(socket)
