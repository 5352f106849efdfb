"""The page and its own small JSON endpoints, ``/ui/...``."""

import asyncio
import copy
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict
from importlib import resources
from typing import Any

from aiohttp import web

from bot.playground.delivery import NotAcknowledged
from bot.playground.errors import PlaygroundMisuse, SlackRefusal
from bot.playground.gestures import Gestures
from bot.playground.method import LocalSlack
from bot.playground.workspace import Change

_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_WAITING = 2_000  # changes a slow page may lag behind before it is told to load afresh
Gesture = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
Queue = asyncio.Queue[dict[str, Any] | None]


class PageRoutes:
    """Serves the page, its state, and what changes afterwards (server-sent events)."""

    def __init__(
        self,
        slack: LocalSlack,
        gestures: Gestures,
        connected: Callable[[], bool],
        suggestions: tuple[str, ...],
        title: str,
    ) -> None:
        self._slack = slack
        self._workspace = slack.workspace
        self._gestures = gestures
        self._connected = connected
        self._suggestions = suggestions
        self._title = title
        self._files = _page_files()
        self._queues: list[tuple[str, Queue]] = []
        self._workspace.subscribe(self._spread)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        gestures: dict[str, Gesture] = {
            "say": self._say,
            "command": self._command,
            "click": self._click,
            "click-view": self._click_view,
            "submit-view": self._submit_view,
            "close-view": self._close_view,
            "open-home": self._open_home,
            "stop": self._stop,
        }
        return [
            web.get("/", self._file),
            web.get("/page/{name}", self._file),
            web.get("/ui/state", self._state),
            web.get("/ui/events", self._events),
            *(web.post(f"/ui/{name}", _gesture(do)) for name, do in gestures.items()),
        ]

    def close(self) -> None:
        """End the open event streams."""
        for _, queue in self._queues:
            with suppress(asyncio.QueueFull):
                queue.put_nowait(None)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        found = self._files.get(request.match_info.get("name", "index.html"))
        if found is None:
            raise web.HTTPNotFound(text="there is no such page")
        body, kind = found
        headers = {"Cache-Control": "no-cache"}
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)

    async def _state(self, request: web.Request) -> web.StreamResponse:
        person = self._person(request.query.get("user") or "alice")
        return web.json_response(self.state(person), headers={"Cache-Control": "no-store"})

    def state(self, person: str) -> dict[str, Any]:
        """Return everything this person sees."""
        workspace = self._workspace
        mine = [c for c in workspace.conversations.values() if person in c.members]
        return {
            "title": self._title,
            "team": workspace.team,
            "me": person,
            "bot": {"id": workspace.bot.id, "name": workspace.bot.real_name},
            "connected": self._connected(),
            "suggestions": list(self._suggestions),
            "commands": ["/ask"],
            "users": [asdict(u) for u in workspace.users.values()],
            "channels": [
                {
                    "id": c.id,
                    "name": workspace.bot.real_name if c.is_direct else c.name,
                    "kind": c.kind,
                    "topic": c.topic,
                    "has_bot": workspace.bot.id in c.members,
                    "messages": [copy.deepcopy(m) for m in workspace.all(c.id)],
                }
                for c in mine
            ],
            "ephemerals": [
                {**message, "channel": channel}
                for user, channel, message in workspace.ephemerals
                if user == person
            ],
            "statuses": [
                {"channel": channel, "thread_ts": ts, **asdict(status)}
                for (channel, ts), status in workspace.statuses.items()
            ],
            **self._views(person),
        }

    def _views(self, person: str) -> dict[str, Any]:
        surfaces = self._slack.surfaces
        return {"views": surfaces.stack(person), "home": surfaces.home(person)}

    async def _events(self, request: web.Request) -> web.StreamResponse:
        person = self._person(request.query.get("user", ""))
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        entry: tuple[str, Queue] = (person, asyncio.Queue(_WAITING))
        self._queues.append(entry)  # before the page can know that it is listening
        try:
            await response.prepare(request)
            await response.write(b"retry: 1000\n\n")
            while (event := await self._next(entry[1])) is not None:
                await response.write(f"data: {json.dumps(event)}\n\n".encode())
        except ConnectionError:
            pass  # the page was closed
        finally:
            self._queues.remove(entry)
        return response

    async def _next(self, queue: Queue) -> dict[str, Any] | None:
        """Return the next event, or a sign of life after a while, so that dead pages show."""
        try:
            return await asyncio.wait_for(queue.get(), 15)
        except TimeoutError:
            return {"type": "alive", "connected": self._connected()}

    def _spread(self, change: Change) -> None:
        for person, queue in list(self._queues):
            event = self._event(person, change)
            if event is None:
                continue
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                event = {"type": "reload"}
            queue.put_nowait(event)

    def _event(self, person: str, change: Change) -> dict[str, Any] | None:
        """Return what the page of this person is told of a change, if anything."""
        workspace = self._workspace
        if change.user and change.user != person:
            return None
        if change.channel and person not in workspace.conversations[change.channel].members:
            return None
        place = {"channel": change.channel}
        if change.kind == "surface":
            return {"type": "views", **self._views(person)}
        if change.kind == "notice":
            return {"type": "notice", **change.detail}
        if change.kind == "ephemeral":
            ts = change.detail.get("ts") or change.message["ts"]
            return {"type": "ephemeral", **place, "ts": ts, "message": change.message or None}
        if change.kind == "status":
            ts = change.detail["thread_ts"]
            status = workspace.statuses[change.channel, ts]
            return {"type": "status", **place, "thread_ts": ts, **asdict(status)}
        touched = change.message or change.previous
        ts = str(change.detail.get("ts") or touched["ts"])
        shown = {ts: workspace.find(change.channel, ts)}
        root = touched.get("thread_ts")
        if root:
            shown[root] = workspace.find(change.channel, root)
        return {"type": "messages", **place, "kind": change.kind, "messages": copy.deepcopy(shown)}

    # Gestures of the page

    async def _say(self, given: dict[str, Any]) -> dict[str, Any]:
        where = (given["user"], given["channel"], given["text"], given.get("thread_ts", ""))
        return {"ts": self._gestures.say(*where), "connected": self._connected()}

    async def _command(self, given: dict[str, Any]) -> dict[str, Any]:
        name, _, text = given["text"].strip().partition(" ")
        await self._gestures.command(given["user"], given["channel"], name, text.strip())
        return {}

    async def _click(self, given: dict[str, Any]) -> dict[str, Any]:
        await self._gestures.click(
            given["user"],
            given["channel"],
            given["message_ts"],
            given["action_id"],
            given.get("value"),
            block_id=given.get("block_id", ""),
        )
        return {}

    async def _click_view(self, given: dict[str, Any]) -> dict[str, Any]:
        await self._gestures.click_view(
            given["user"],
            given["action_id"],
            given.get("value"),
            block_id=given.get("block_id", ""),
        )
        return {}

    async def _submit_view(self, given: dict[str, Any]) -> dict[str, Any]:
        return await self._gestures.submit(given["user"], given.get("values") or {})

    async def _close_view(self, given: dict[str, Any]) -> dict[str, Any]:
        await self._gestures.close_view(given["user"])
        return {}

    async def _open_home(self, given: dict[str, Any]) -> dict[str, Any]:
        self._gestures.open_home(given["user"], given.get("tab", "home"))
        return {}

    async def _stop(self, given: dict[str, Any]) -> dict[str, Any]:
        self._gestures.stop_session(given["user"], given["channel"], given["thread_ts"])
        return {}

    def _person(self, name: str) -> str:
        try:
            return self._workspace.user(name).id
        except PlaygroundMisuse as misuse:
            raise web.HTTPNotFound(text=misuse.sentence) from None


def _gesture(do: Gesture) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return the handler of a JSON post that does ``do`` and tells what went wrong."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType(text="only JSON is taken here")
        try:
            given = json.loads(await request.text())
            answer = await do({k: v for k, v in given.items() if v is not None})
        except PlaygroundMisuse as misuse:
            return _wrong(misuse.sentence)
        except NotAcknowledged as failure:
            return _wrong(_UNANSWERED.get(failure.reason, "The app did not accept that."))
        except SlackRefusal as refusal:
            return _wrong(f"The app answered with something Slack refuses: {refusal.error}.")
        except (ValueError, KeyError, TypeError, AttributeError):
            return _wrong("The page sent something the playground does not understand.")
        return web.json_response(answer)

    return handle


_UNANSWERED = {
    "http_timeout": "The app did not answer within three seconds.",
    "timeout": "The app did not answer within three seconds.",
    "connection_failed": "The app can't be reached. Is it running?",
}


def _wrong(sentence: str) -> web.Response:
    return web.json_response({"error": sentence}, status=400)


def _page_files() -> dict[str, tuple[bytes, str]]:
    folder = resources.files("bot.playground.page")
    found: dict[str, tuple[bytes, str]] = {}
    for file in folder.iterdir():
        kind = _TYPES.get("." + file.name.rpartition(".")[2])
        if kind:
            found[file.name] = (file.read_bytes(), kind)
    return found
