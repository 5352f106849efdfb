"""What the Slack door does: turn mentions into jobs, hand out footnotes again, keep votes."""

import json
import logging
import time
import uuid
from collections.abc import Awaitable, Callable

from bot.conversation import Citation, Mention, Place, Vote
from bot.errors import FootnoteWithheld
from handlers.work.answers import kept_citation
from handlers.work.feedback import Counter, keep_vote, uncounted
from handlers.work.jobs import AnswerJob
from handlers.work.measures import Spans, untraced
from handlers.work.ports import JobQueue, StateStore
from handlers.work.seal import Seal

log = logging.getLogger(__name__)

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
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Keep the ports; nothing is opened here.

        ``may_read`` tells whether a user may read what is open to these readers; ``count`` hears of
        every vote that counts.
        """
        self._queue = queue
        self._store = store
        self._seal = seal
        self._may_read = may_read
        self._spans = spans
        self._count = count
        self._clock = clock

    async def mentioned(self, mention: Mention, *, response_url: str = "") -> None:
        """Put the mention on the queue. Raises QueueUnavailable."""
        sealed = ""
        if mention.place is Place.COMMAND:
            sealed = self._seal.seal(json.dumps({"text": mention.text, "url": response_url}))
        trace = uuid.uuid4().hex
        job = AnswerJob.of(mention, trace=trace, accepted_at=self._clock(), sealed=sealed)
        with self._spans("accept", trace, first=True):
            await self._queue.put(job)
        log.info("question accepted", extra={"trace": trace, "place": mention.place.value})

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
