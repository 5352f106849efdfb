"""What there is to see in the workspace, for tests: look, or wait until it is there."""

import asyncio
import copy
from collections.abc import Callable
from typing import Any, TypeVar

from bot.playground.surfaces import Surfaces
from bot.playground.workspace import ThreadStatus, Workspace

Found = TypeVar("Found")


class Sight:
    """Reads a workspace; changes nothing. Everything it returns is a copy."""

    workspace: Workspace
    surfaces: Surfaces

    def messages(
        self, channel: str, thread_ts: str = "", *, user: str = ""
    ) -> list[dict[str, Any]]:
        """Return a thread (root first), or the top level of a channel, oldest first.

        With the channel "dm", ``user`` says whose.
        """
        place = self.channel_id(channel, user)
        found = (
            self.workspace.thread(place, thread_ts)
            if thread_ts
            else self.workspace.top_level(place)
        )
        return copy.deepcopy(found)

    def views(self, user: str) -> list[dict[str, Any]]:
        """Return the open modals of a person, the topmost last."""
        return self.surfaces.stack(self.workspace.user(user).id)

    def home(self, user: str) -> dict[str, Any] | None:
        """Return the Home tab of a person, if the app published one."""
        return self.surfaces.home(self.workspace.user(user).id)

    def ephemerals(self, user: str) -> list[dict[str, Any]]:
        """Return what only this person sees, oldest first, each with its ``channel``."""
        person = self.workspace.user(user).id
        found = [(c, m) for owner, c, m in self.workspace.ephemerals if owner == person]
        return [{**copy.deepcopy(message), "channel": channel} for channel, message in found]

    def status(self, channel: str, thread_ts: str, *, user: str = "") -> ThreadStatus:
        """Return what a thread shows while the app is at work."""
        key = (self.channel_id(channel, user), thread_ts)
        return copy.deepcopy(self.workspace.statuses.get(key, ThreadStatus()))

    def channel_id(self, channel: str, user: str = "") -> str:
        """Return the id of a conversation; raise PlaygroundMisuse."""
        if channel == "dm":
            return self.workspace.direct(self.workspace.user(user).id).id
        return self.workspace.conversation(channel).id

    async def wait_until(self, condition: Callable[[], Found], timeout: float = 10.0) -> Found:  # noqa: ASYNC109
        """Return the first truthy result of ``condition``, looked at after every change.

        Raise TimeoutError after ``timeout`` seconds.
        """
        changed = asyncio.Event()
        stop = self.workspace.subscribe(lambda _: changed.set())
        try:
            async with asyncio.timeout(timeout):
                while not (found := condition()):
                    changed.clear()
                    # Some conditions look at calls or deliveries, which are no changes.
                    timer = asyncio.get_running_loop().call_later(0.05, changed.set)
                    await changed.wait()
                    timer.cancel()
                return found
        finally:
            stop()

    async def wait_for_answer(
        self,
        channel: str,
        thread_ts: str,
        timeout: float = 20.0,  # noqa: ASYNC109
        *,
        user: str = "",
        settle: float = 0.4,
    ) -> list[dict[str, Any]]:
        """Return the bot's finished messages after the last human one of a thread.

        Finished: at least one, none streams, the session is not processing, no status shows, and
        nothing in the thread changed for ``settle`` seconds. Raise TimeoutError.
        """
        place = self.channel_id(channel, user)

        def finished() -> list[dict[str, Any]]:
            answers: list[dict[str, Any]] = []
            for message in self.workspace.thread(place, thread_ts):
                answers = [*answers, message] if "bot_id" in message else []
            status = self.workspace.statuses.get((place, thread_ts), ThreadStatus())
            busy = status.text or status.session == "processing"
            streams = any(m.get("streaming_state") == "in_progress" for m in answers)
            return [] if busy or streams else copy.deepcopy(answers)

        async with asyncio.timeout(timeout):
            while True:
                answers = await self.wait_until(finished, timeout)
                await asyncio.sleep(settle)
                if finished() == answers:
                    return answers
