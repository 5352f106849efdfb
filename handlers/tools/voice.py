"""What a worker says in the thread of a run, kept in step with the row of the run.

::

    posted in Slack ──► noted in the claim ──► saved with the run ──► marked as staying
                        └ a dead worker's notes that no run was saved with are debris

So whatever stands in the thread and not in the row was said by a worker that died before it could
say that it did, and is taken away before the step is done again.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from slack_sdk.web.async_client import AsyncWebClient

from bot.agent_thread import AgentThread
from bot.conversation import Answer, Mention
from bot.leftovers import discard, own_messages_after
from bot.replies import Reply
from bot.streams import StreamBudget
from handlers.answering.tries import posted_in
from handlers.answering.worker import posted_key
from handlers.tools.planning import steps
from handlers.tools.run_rows import KEPT_SECONDS, RunRow
from handlers.tools.runs import CallState, Run
from handlers.work.claims import Claim
from handlers.work.ports import StateStore

SKEW_SECONDS: Final = 15.0
"""By how much our clock may be ahead of Slack's."""


class Voice:
    """The messages of one run while one worker has it. ``thread`` says and shows."""

    def __init__(
        self,
        client: AsyncWebClient,
        row: RunRow,
        claim: Claim,
        store: StateStore,
        budget: StreamBudget,
    ) -> None:
        self._client = client
        self._row = row
        self._claim = claim
        self._store = store
        self._budget = budget
        self._fresh: list[str] = []
        self.mention: Mention = row.run.mention
        self.thread = AgentThread(
            client, self.mention, posted=self._posted, plan_ts=row.run.plan_ts, budget=budget
        )

    async def plan(self, run: Run) -> None:
        """Show how far the run has come."""
        await self.thread.plan(steps(run))

    async def answer(self, answer: Answer, key: str) -> None:
        """Say a checked answer. Raises like ``Reply.finish``."""
        await self.thread.settle()
        reply = Reply(self._client, self.mention, on_started=self._posted, budget=self._budget)
        await reply.finish(answer, key)

    async def keep(self, run: Run) -> Run:
        """Save the run with all that was said since, and return it. Raises like ``RunRow.save``."""
        said = tuple(self._fresh)
        run = replace(run, posted=run.posted + said, plan_ts=self.thread.plan_ts)
        await self._row.save(run)
        del self._fresh[: len(said)]
        await self._mark(said)
        return run

    async def clean_up(
        self, bot_user_id: Callable[[], Awaitable[str]], *, accepted_at: float
    ) -> None:
        """Take away what a dead worker said and could not save. Raises like ``own_messages_after``.

        It began no sooner than its job was accepted, seconds since the epoch; what people wrote
        until then does not hide what it said. What it saved but could not mark is marked. A card
        stays for whoever goes on: somebody may have decided on it meanwhile.
        """
        run = self._row.run
        await self._mark(run.posted)
        began = f"{max(0.0, accepted_at - SKEW_SECONDS):.6f}"
        newest = max(*run.posted, self.mention.ts, began, key=_number)
        since = replace(self.mention, ts=newest)
        found = await own_messages_after(
            self._client, since, bot_user_id=await bot_user_id(), streams=False
        )
        debris = {ts for ts in found if await self._store.get(posted_key(since, ts)) is None}
        debris |= set(posted_in(self._claim))
        asked = [one.approval for one in run.open_calls if one.state is CallState.ASKED]
        if debris and asked and not run.card_ts:
            debris.discard(await self.thread.card_of(asked))
        await discard(self._client, self.mention.channel, sorted(debris - set(run.posted)))

    async def take_back(self) -> None:
        """Take away what was said since the run was saved."""
        await discard(self._client, self.mention.channel, list(self._fresh))
        self._fresh.clear()

    async def _mark(self, said: tuple[str, ...]) -> None:
        for ts in said:
            await self._store.put(posted_key(self.mention, ts), {}, KEPT_SECONDS)

    async def _posted(self, ts: str) -> None:
        if ts not in self._row.run.posted and ts not in self._fresh:
            self._fresh.append(ts)
            await self._claim.note({"posted": list(self._fresh)})


def _number(ts: str) -> tuple[int, ...]:
    return tuple(int(part) for part in ts.split("."))
