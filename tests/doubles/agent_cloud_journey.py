"""The parts of a run of the agent in the local cloud, each of which tells whether it worked."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from bot.approval_parts import APPROVE
from bot.playground.delivery import NotAcknowledged
from infra.local_cloud.cloud import LocalCloud
from tests.doubles.local_cloud import Sight, until
from tests.doubles.scripted_agent import Asked, ScriptedAgent, Turn

SAID = "Backups are kept for 35 days."
APPROVAL_SECONDS = 25.0
"""How long a card waits here for somebody to decide."""
PATIENCE = 90.0
"""Longer than anything takes on a busy machine; what is not expected to come is not waited for."""
SHORT_PATIENCE = 25.0


def tell(asked: Asked) -> Turn:
    """Look it up, propose to post what was found, and conclude."""
    if not asked.results:
        return Turn(calls=[("search_documents", {"query": "How long are backups kept?"})])
    if len(asked.results) == 1 and "35 days" in asked.results[0]:
        return Turn(calls=[("post_message", {"channel": "#help", "text": SAID})])
    return Turn("That is all.")


@dataclass
class AgentJourney:
    """A cloud with agent mode on; its documents say how long backups are kept."""

    cloud: LocalCloud
    model: ScriptedAgent
    sight: Sight = field(init=False)
    patience: float = PATIENCE
    numbers: Iterator[int] = field(default_factory=count)
    said: str = ""
    seen: object = None

    def __post_init__(self) -> None:
        self.sight = Sight(self.cloud.stack)

    async def request(self) -> bool:
        """The slack function hands a request to the agent, which works on it."""
        await self._asked()
        return await self._forgotten_unless(self._at_work)

    async def proposal(self) -> bool:
        """The agent finds something in the documents, and shows what it would do with it."""
        ts = await self._asked()
        return await self._forgotten_unless(lambda: bool(self._card(ts)))

    async def deed(self) -> bool:
        """What somebody approves is done, by whichever process of the agent is there."""
        slack, before = self.cloud.slack, len(self.cloud.slack.messages("help"))
        card = await self._card_of_a_request()
        await asyncio.to_thread(self.sight.kill, "agent")
        try:
            await slack.click("bob", "general", card["message"], APPROVE, card["value"])
        except NotAcknowledged as error:
            self.seen = repr(error)
            return False
        return await self._forgotten_unless(lambda: len(slack.messages("help")) > before)

    async def takeover(self) -> bool:
        """A run whose worker is killed is taken up by the next one."""
        quick = self.model.decide
        self.model.decide = lambda asked: replace(tell(asked), delay=90.0)
        ts = await self._asked()
        await until(self._at_work, PATIENCE)
        self.model.decide = quick
        await asyncio.to_thread(self.sight.kill, "agent")
        return await self._forgotten_unless(lambda: bool(self._card(ts)))

    async def lapse(self) -> bool:
        """The reconcile function ends a run whose proposal nobody has decided about."""
        card = await self._card_of_a_request()
        await asyncio.sleep(APPROVAL_SECONDS + 6.0)
        await asyncio.to_thread(self.sight.kill, "reconcile")
        invoked = await asyncio.to_thread(
            self.cloud.stack.client("lambda").invoke,
            FunctionName=self.cloud.stack.function("reconcile"),
            Payload=b"{}",
        )
        self.seen = json.loads(invoked["Payload"].read())
        thread = card["thread"]
        return await self._forgotten_unless(
            lambda: "in time" in json.dumps(self.cloud.slack.messages("general", thread))
        )

    async def _asked(self) -> str:
        """Ask fresh processes of the two functions."""
        for function in ("slack", "agent"):
            await asyncio.to_thread(self.sight.kill, function)
        self.said = f"how long backups are kept ({next(self.numbers)})"
        text = f"@Footnote agent: tell #help {self.said}"
        return await self.cloud.slack.say("alice", "general", text)

    def _at_work(self) -> bool:
        """Tell whether the model has met the last request."""
        return any(self.said in asked.request for asked in self.model.asked)

    async def _card_of_a_request(self) -> dict[str, Any]:
        """Return a card to decide about. Raises TimeoutError: none is a fault of something else."""
        ts = await self._asked()
        return await until(lambda: self._card(ts), PATIENCE)

    def _card(self, ts: str) -> dict[str, Any]:
        """Return the button that approves, with the ts of its message and of its thread."""
        for message in self.cloud.slack.messages("general", ts):
            for block in message.get("blocks", ()):
                for element in block.get("elements", ()):
                    if element.get("action_id") == APPROVE:
                        return {**element, "message": message["ts"], "thread": ts}
        return {}

    async def _forgotten_unless(self, look: Callable[[], bool]) -> bool:
        """Wait for something; when it does not come, nothing goes on trying."""
        end = time.monotonic() + self.patience
        while not look():
            if time.monotonic() > end:
                self._forget()
                return False
            await asyncio.sleep(0.2)
        return True

    def _forget(self) -> None:
        queue = self.cloud.stack.resources["AgentQueue"]
        self.cloud.stack.client("sqs").purge_queue(QueueUrl=queue)
