"""One mention, from the queue to a finished reply: claim, read, retrieve, answer, record.

    take the claim ── done before ─▶ dropped
        │        └─── held ────────▶ later
        ▼
    (a dead worker held it: delete what it had half written; tried too often: apologise)
    read the question back, let a follow-up stand alone ─▶ retrieve for the room ─▶ answer it
        ▼
    keep the footnotes ─▶ finish the reply ─▶ record the outcome ─▶ claim done

The claim is renewed while the work goes on, so its lease can be short: that is how long a question
waits after a worker was killed.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from functools import partial

from slack_sdk.web.async_client import AsyncWebClient

from bot import messages
from bot.blocks import sentence_markdown
from bot.conversation import Ending, Mention, Outcome, Place, Question
from bot.errors import MessageGone, SlackConversationError, TokenRefused
from bot.leftovers import own_messages_after
from bot.replies import PrivateReply, Reply, discard
from bot.streams import StreamBudget
from bot.threads import read_question
from handlers.answering.finding import Finder
from handlers.answering.ports import Answerer, Finished, NoRewriter, Rewriter, SentenceReady
from handlers.answering.privately import hint
from handlers.answering.room import Rooms
from handlers.answering.timing import Timing
from handlers.answering.tries import is_outage, posted_in, tries_in, word_of
from handlers.work.answers import keep_answer
from handlers.work.claims import Claim, Claims, Done, Held
from handlers.work.deliveries import OUTAGE_SECONDS, TRIES
from handlers.work.errors import BadSeal, ClaimLost, StoreUnavailable
from handlers.work.jobs import AnswerJob
from handlers.work.leases import kept
from handlers.work.measures import Observer, Spans, unobserved, untraced
from handlers.work.outcomes import record
from handlers.work.ports import StateStore
from handlers.work.seal import Seal
from index.errors import IndexMissing
from index.retrieval import Retriever

log = logging.getLogger(__name__)

POSTED_SECONDS = 24 * 3600
"""How long a finished reply is remembered, so that no later clean-up mistakes it for debris."""


@dataclass(frozen=True, slots=True)
class Handled:
    """The job is finished, now or by somebody before; it can leave the queue."""


@dataclass(frozen=True, slots=True)
class Later:
    """The job must come back after ``seconds``."""

    seconds: float


async def _never() -> bool:
    return False


def _nothing(text: str) -> str:
    return ""


class AnswerWorker:
    """Answers jobs, each exactly once as far as a reader of the thread can tell."""

    def __init__(
        self,
        *,
        client: AsyncWebClient,
        bot_user_id: Callable[[], Awaitable[str]],
        retriever: Retriever,
        answerer: Answerer,
        rewriter: Rewriter | None = None,
        store: StateStore,
        claims: Claims,
        seal: Seal,
        observer: Observer = unobserved,
        spans: Spans = untraced,
        was_synced: Callable[[], Awaitable[bool]] = _never,
        why_not: Callable[[str], str] = _nothing,
        renew_every: float = 5.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Keep the parts; nothing is opened here.

        ``was_synced`` tells whether there must be an index, ``why_not`` what to say to a text that
        is no question for the documents. ``renew_every`` is in seconds, ``clock`` counts seconds
        since the epoch.
        """
        self._client = client
        self._bot_user_id = bot_user_id
        self._rooms = Rooms(client, retriever.withholds)
        self._finder = Finder(retriever, rewriter or NoRewriter(), was_synced)
        self._answerer = answerer
        self._store = store
        self._claims = claims
        self._seal = seal
        self._observer = observer
        self._spans = spans
        self._why_not = why_not
        self._renew_every = renew_every
        self._clock = clock
        self._budget = StreamBudget(time.monotonic)
        self.token_refused = False

    async def handle(
        self, job: AnswerJob, *, deliveries: int = 1, last: bool = False
    ) -> Handled | Later:
        """Answer one job; after ``TRIES`` tries, or on its ``last`` delivery, only apologise.

        Raises what a later try can mend, an apology that did not reach Slack included.
        """
        claim = await self._claims.take(job.key)
        if isinstance(claim, Done):
            return Handled()
        if isinstance(claim, Held):
            return Later(claim.seconds)
        timing = Timing(job, self._clock, self._spans)
        try:
            async with kept(claim.renew, every=self._renew_every):
                outcome = await self._attempt(job, claim, timing, last=last)
        except ClaimLost:
            # Whoever took over cleans up and answers; this worker must not write another word.
            return Later(self._renew_every)
        except BaseException as error:
            self.token_refused |= isinstance(error, TokenRefused)
            # What is raised here matters more, a cancellation above all; the lease ends by itself.
            with suppress(StoreUnavailable):
                await claim.release()
            raise
        measures = timing.measures(deliveries)
        outcome = replace(outcome, seconds=measures.total - measures.queued)
        await record(self._store, job.key, outcome)
        await claim.done({"ending": outcome.ending.value})
        self._observer(job, outcome, measures)
        log.info(
            "answer job ended",
            extra={"trace": job.trace, "ending": outcome.ending.value, "reason": outcome.reason},
        )
        if timing.afterwards is not None:
            await timing.afterwards()
        return Handled()

    def waits_for(self, job: AnswerJob, error: Exception) -> bool:
        """Tell whether ``error`` is an outage, and the job young enough to outlast it for free."""
        return is_outage(error) and self._clock() - job.accepted_at < OUTAGE_SECONDS

    async def _attempt(
        self, job: AnswerJob, claim: Claim, timing: Timing, *, last: bool
    ) -> Outcome:
        mention = job.mention()
        response_url = ""
        if job.sealed:
            try:
                sealed = json.loads(self._seal.open(job.sealed))
            except BadSeal:
                with suppress(SlackConversationError):
                    await self._reply(mention, "", claim).apologise(messages.COULD_NOT_TAKE)
                return Outcome(Ending.FAILED, "bad-seal")
            mention, response_url = job.mention(sealed["text"]), sealed["url"]
        if claim.taken_over:
            try:
                await self._clean_up(mention, claim)
            except SlackConversationError as error:
                # Where the bot may not read any more, it finds that out again below, and says so.
                if error.retryable:
                    raise
        tried = tries_in(claim, job.round)
        # From here on something may stand in Slack: whoever comes next must look for it.
        await claim.note({"posted": posted_in(claim), "tries": tried + 1, "round": job.round})
        reply = self._reply(mention, response_url, claim)
        if last or tried >= TRIES:
            return await self._give_up(job, reply, "tried-too-often", messages.APOLOGY)
        try:
            return await self._answer(job, mention, reply, timing)
        except MessageGone:
            await reply.settle()
            return Outcome(Ending.DECLINED, "message-gone")
        except ClaimLost:
            # Somebody else answers; two answers would be one too many.
            await discard(self._client, mention.channel, reply.message_ts)
            raise
        except Exception as error:
            if getattr(error, "retryable", True):
                await discard(self._client, mention.channel, reply.message_ts)
                if self.waits_for(job, error):
                    with suppress(StoreUnavailable):
                        await claim.note({"tries": tried})
                raise
            missing = isinstance(error, IndexMissing)
            sentence = messages.NOTHING_READ if missing else messages.APOLOGY
            return await self._give_up(job, reply, word_of(error), sentence)

    async def _give_up(
        self, job: AnswerJob, reply: Reply | PrivateReply, reason: str, sentence: str
    ) -> Outcome:
        log.error("answer job failed: %s", reason, extra={"trace": job.trace})
        try:
            await reply.apologise(sentence)
        except SlackConversationError as error:
            if error.retryable:
                raise
            # Where Slack refuses the bot, an apology may be refused as well.
            await reply.settle()
        return Outcome(Ending.FAILED, reason)

    async def _answer(
        self, job: AnswerJob, mention: Mention, reply: Reply | PrivateReply, timing: Timing
    ) -> Outcome:
        await reply.status(messages.SEARCHING)
        question, audience = await asyncio.gather(
            self._question(mention), self._rooms.audience(mention)
        )
        if audience is None:
            await reply.apologise(messages.MEMBERS_ONLY)
            return Outcome(Ending.DECLINED, "not-a-member")
        if not question.text:
            await reply.apologise(messages.GREETING)
            return Outcome(Ending.DECLINED, "empty")
        if sentence := self._why_not(question.text):
            await reply.apologise(sentence)
            return Outcome(Ending.DECLINED, "no-question")
        search = await self._finder.search_for(question, timing)
        with timing.retrieving():
            found = await self._finder.found(search, audience)
        with timing.replying():
            events = self._answerer.answer(question, found.passages, related=found.related)
            async with aclosing(events):
                async for event in events:
                    if isinstance(event, SentenceReady):
                        timing.spoke()
                        await reply.append(sentence_markdown(event.sentence))
                    elif isinstance(event, Finished):
                        timing.answer = replace(
                            event.answer,
                            index_version=found.index_version,
                            filters=found.filters,
                        )
            answer = timing.answer
            if answer is None:
                raise RuntimeError("An answerer ended without Finished.")
            await keep_answer(self._store, job.key, answer)
            await reply.finish(answer, job.key)
        for ts in reply.message_ts:
            await self._store.put(posted_key(mention, ts), {}, POSTED_SECONDS)
        parts = (self._client, self._rooms, self._finder)
        timing.afterwards = partial(hint, *parts, mention, search, answer, room=audience)
        return Outcome(Ending.ANSWERED, verdict=answer.verdict)

    async def _question(self, mention: Mention) -> Question:
        if mention.place is Place.COMMAND:
            return Question(mention.text.strip())
        return await read_question(self._client, mention, bot_user_id=await self._bot_user_id())

    def _reply(self, mention: Mention, response_url: str, claim: Claim) -> Reply | PrivateReply:
        if mention.place is Place.COMMAND:
            return PrivateReply(self._client, mention, response_url)

        async def started(ts: str) -> None:
            await claim.note({"posted": [*posted_in(claim), ts]})

        return Reply(self._client, mention, on_started=started, budget=self._budget)

    async def _clean_up(self, mention: Mention, claim: Claim) -> None:
        """Delete what a dead worker left in the thread, noted or not, finished or not."""
        if mention.place is Place.COMMAND:
            return
        debris = set(posted_in(claim))
        for ts in await own_messages_after(
            self._client, mention, bot_user_id=await self._bot_user_id()
        ):
            if await self._store.get(posted_key(mention, ts)) is None:
                debris.add(ts)
        await discard(self._client, mention.channel, sorted(debris))


def posted_key(mention: Mention, ts: str) -> str:
    """Name the row that says: this message of ours is a finished reply."""
    return f"posted:{mention.team}:{mention.channel}:{ts}"
