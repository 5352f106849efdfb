"""What the Slack door does: turn mentions into jobs, hand out footnotes again, keep votes.

Clicks on what the agent proposes go to the desk that decides about it.
"""

import json
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence

from bot.conversation import Citation, Mention, Place, Vote
from bot.errors import FootnoteWithheld
from bot.proposals import Decided, Decision, Proposal, Ruling
from handlers.work.agents import Agents, Desk, job_of, put
from handlers.work.answers import kept_citation
from handlers.work.feedback import Counter, keep_vote, uncounted
from handlers.work.measures import Spans, untraced
from handlers.work.ports import JobQueue, StateStore
from handlers.work.seal import Seal

log = logging.getLogger(__name__)

AGENTS_OFF = "Agent mode is off here, so nothing runs any more."

MayRead = Callable[[str, frozenset[str]], Awaitable[bool]]


async def nobody(user: str, readers: frozenset[str]) -> bool:
    """Let nobody read anything: what holds until it is said who may read."""
    return False


class Reception:
    """The callbacks of the Slack app, without anything heavy behind them.

    A mention is accepted when the queue has it, and not before: an error here reaches Slack, which
    delivers again.
    """

    def __init__(
        self,
        *,
        queue: JobQueue,
        store: StateStore,
        seal: Seal,
        may_read: MayRead = nobody,
        spans: Spans = untraced,
        count: Counter = uncounted,
        agents: Agents | None = None,
        desk: Desk | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Keep the ports; nothing is opened here.

        ``may_read`` tells whether a user may read what is open to these readers; ``count`` hears of
        every vote that counts. Without ``agents`` every mention is a question, and without ``desk``
        no proposal can be decided: that is how it is while agent mode is off.
        """
        self._queue = queue
        self._store = store
        self._seal = seal
        self._may_read = may_read
        self._spans = spans
        self._count = count
        self._agents = agents
        self._desk = desk
        self._clock = clock

    async def mentioned(self, mention: Mention, *, response_url: str = "") -> None:
        """Put the mention on the queue. Raises QueueUnavailable."""
        sealed = self._sealed(mention, response_url)
        trace = uuid.uuid4().hex
        accepted_at = self._clock()
        job = job_of(mention, self._agents, trace=trace, accepted_at=accepted_at, sealed=sealed)
        with self._spans("accept", trace, first=True):
            await put(job, self._queue, self._agents)
        place = mention.place.value
        log.info("question accepted", extra={"trace": trace, "place": place, "kind": job.kind})

    async def footnote(self, key: str, number: int, user: str) -> Citation | None:
        """Return a footnote of an answer that was given, or None when it is no longer kept.

        It shows more of the document than stands in the answer, and is opened by others than the
        one who asked, and later. Raises FootnoteWithheld for a user who may not read the document.
        """
        citation = await kept_citation(self._store, key, number)
        if citation is not None and not await self._may_read(user, citation.readers):
            raise FootnoteWithheld("Who opens a footnote must be a reader of its document.")
        return citation

    async def voted(self, vote: Vote) -> None:
        """Keep a vote on an answer that was given, and count it. Raises StoreUnavailable."""
        if await keep_vote(self._store, vote):
            self._count(vote.helpful)

    async def decided(self, decision: Decision) -> Decided:
        """Take a decision about what the agent proposes. Raises WorkError."""
        if self._desk is None:
            return Decided(Ruling.GONE, reason=AGENTS_OFF)
        return await self._desk.decided(decision)

    async def proposal(self, approval_ids: Sequence[str]) -> Proposal | None:
        """Return what the agent proposes under these ids, or None. Raises WorkError."""
        return await self._desk.proposal(approval_ids) if self._desk else None

    async def undo(self, team: str, channel: str, run: str, call: str, user: str) -> str:
        """Have what a call of the agent did taken back; return what to say. Raises WorkError."""
        if self._desk is None:
            return AGENTS_OFF
        return await self._desk.undo(team, channel, run, call, user)

    async def stopped(self, team: str, channel: str, thread_ts: str, user: str) -> None:
        """Have the agent's run in a thread stop. Raises WorkError."""
        if self._desk is not None:
            await self._desk.stopped(team, channel, thread_ts, user)

    def _sealed(self, mention: Mention, response_url: str) -> str:
        """Return what of a mention cannot be read from Slack again, or ""."""
        if mention.place is Place.COMMAND:
            return self._seal.seal(json.dumps({"text": mention.text, "url": response_url}))
        if mention.action_token and self._agents is not None and self._agents.take(mention):
            return self._seal.seal(json.dumps({"action_token": mention.action_token}))
        return ""
