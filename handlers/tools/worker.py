"""One job of the agent: begin a run or take it up, until a human is needed or it has ended.

    take the claim ── done before ─▶ dropped
        │        └─── held ────────▶ later
        ▼
    (a dead worker held it: take away what it had said and not saved; tried too often: apologise)
    step ─▶ save ─▶ say ─▶ save ─▶ step ...
        ├─▶ calls wait for a human: card, session suspended, the job is done; another job goes on
        └─▶ the last words, checked ─▶ said ─▶ saved ─▶ outcome ─▶ claim done

The row of the run decides what has happened; every write of it fences off whoever was slower.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from slack_sdk.web.async_client import AsyncWebClient

from bot import agent_messages as messages
from bot.agent_thread import AgentThread
from bot.conversation import Ending, Outcome, Place, Verdict
from bot.errors import MessageGone, SlackConversationError, TokenRefused
from bot.streams import StreamBudget
from handlers.answering.entailment import Entailment
from handlers.answering.errors import ToolsUnsupported
from handlers.answering.tries import is_outage, word_of
from handlers.answering.worker import Handled, Later
from handlers.tools.errors import AgentsStopped, RunStopped, RunTooLarge
from handlers.tools.parts import Parts
from handlers.tools.run_jobs import RunJobs
from handlers.tools.run_rows import RunRow, Runs
from handlers.tools.runs import Phase, Run
from handlers.tools.switch import Switch, ThreadStops
from handlers.tools.visit import AudienceOf, Visit
from handlers.tools.voice import Voice
from handlers.tools.watching import LOOK_SECONDS
from handlers.work.claims import Claim, Claims, Done, Held
from handlers.work.deliveries import OUTAGE_SECONDS, TRIES
from handlers.work.errors import BadSeal, ClaimLost, StoreUnavailable
from handlers.work.jobs import AgentJob
from handlers.work.leases import kept
from handlers.work.outcomes import record
from handlers.work.ports import StateStore
from handlers.work.seal import Seal

__all__ = ["AgentWorker", "Handled", "Later"]

log = logging.getLogger(__name__)

Observer = Callable[[AgentJob, Run, Outcome], None]


def unobserved(job: AgentJob, run: Run, outcome: Outcome) -> None:
    """Count nothing."""


class AgentWorker:
    """Works on jobs of the agent; each run ends once, where it can be seen.

    ``audience_of`` tells who will see what is said, None for an asker who is no full member
    (``Rooms.audience``). ``watch_every`` is how often the kill switch is looked at, in seconds.
    """

    def __init__(
        self,
        *,
        client: AsyncWebClient,
        bot_user_id: Callable[[], Awaitable[str]],
        audience_of: AudienceOf,
        parts: Parts,
        store: StateStore,
        claims: Claims,
        seal: Seal,
        entailment: Entailment | None = None,
        observer: Observer = unobserved,
        renew_every: float = 5.0,
        watch_every: float = LOOK_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Keep the parts; nothing is opened here. ``clock`` counts seconds since the epoch."""
        self._client = client
        self._bot_user_id = bot_user_id
        self._audience_of = audience_of
        self._parts = parts
        self._store = store
        self._claims = claims
        self._seal = seal
        self._entailment = entailment
        self._observer = observer
        self._renew_every = renew_every
        self._watch_every = watch_every
        self._clock = clock
        self._runs = Runs(store, seal)
        self._jobs = RunJobs(store)
        self._switch = Switch(store, clock=clock)
        self._stops = ThreadStops(store, clock=clock)
        self._budget = StreamBudget(time.monotonic)
        self.token_refused = False

    async def handle(
        self, job: AgentJob, *, deliveries: int = 1, last: bool = False
    ) -> Handled | Later:
        """Do one job; after ``TRIES`` tries without a step, or on its ``last`` delivery, apologise.

        Raises what a later try can mend, an apology that did not reach Slack included.
        """
        claim = await self._claims.take(job.key)
        if isinstance(claim, Done):
            return Handled()
        if isinstance(claim, Held):
            return Later(claim.seconds)
        try:
            async with kept(claim.renew, every=self._renew_every):
                outcome = await self._attempt(job, claim, last=last)
                await record(self._store, run_key(job.run), outcome)
                await claim.done({"ending": outcome.ending.value})
        except ClaimLost:
            # Whoever took over cleans up and goes on; this worker must not write another word.
            return Later(self._renew_every)
        except BaseException as error:
            self.token_refused |= isinstance(error, TokenRefused)
            # What is raised here matters more, a cancellation above all; the lease ends by itself.
            with suppress(StoreUnavailable):
                await claim.release()
            raise
        log.info(
            "agent job ended",
            extra={"trace": job.trace, "ending": outcome.ending.value, "reason": outcome.reason},
        )
        return Handled()

    def waits_for(self, job: AgentJob, error: Exception) -> bool:
        """Tell whether ``error`` is an outage, and the job young enough to outlast it for free."""
        return is_outage(error) and self._clock() - job.accepted_at < OUTAGE_SECONDS

    async def _attempt(self, job: AgentJob, claim: Claim, *, last: bool) -> Outcome:
        if job.place == Place.COMMAND:
            return Outcome(Ending.DECLINED, "command")
        try:
            row = await self._runs.load(job.run)
        except BadSeal:
            return await self._unreadable(job)
        if row is None and job.step:
            return Outcome(Ending.DECLINED, "run-gone")
        if row is None:
            await self._jobs.keep(job)
            row = await self._runs.begin(run_of(job))
        voice = Voice(self._client, row, claim, self._store, self._budget)
        if claim.taken_over:
            try:
                await voice.clean_up(self._bot_user_id, accepted_at=job.accepted_at)
            except SlackConversationError as error:
                # Where the bot may not read any more, it finds that out again, and says so.
                if error.retryable:
                    raise
        # From here on something may stand in Slack: whoever comes next must look for it.
        await claim.note({"posted": []})
        visit = self._visit(job, row, voice)
        undoing = job.step.startswith(UNDO)
        if row.run.phase is Phase.ENDED and not undoing:
            return outcome_of(row.run)
        tried = row.run.tries if row.run.round == job.round else 0
        await row.save(row.run.tried(tried + 1, job.round))
        if last or tried >= TRIES:
            return await visit.give_up("tried-too-often", messages.APOLOGY)
        try:
            run = await (visit.undo(job.step.removeprefix(UNDO)) if undoing else visit.go_on())
        except ClaimLost:
            await voice.take_back()
            raise
        except Exception as error:
            return await self._failed(job, visit, row, tried, error)
        outcome = outcome_of(run)
        if run.phase is Phase.ENDED and not undoing:
            self._observer(job, run, outcome)
        return outcome

    async def _failed(
        self, job: AgentJob, visit: Visit, row: RunRow, tried: int, error: Exception
    ) -> Outcome:
        """End the run because of an error, or raise what a later try can mend."""
        if isinstance(error, MessageGone):
            return await visit.vanish("message-gone")
        if isinstance(error, AgentsStopped | RunStopped):
            return await visit.stop(error)
        sentence = {
            ToolsUnsupported: messages.NO_TOOLS,
            RunTooLarge: messages.TOO_LARGE,
        }.get(type(error))
        if sentence is None and getattr(error, "retryable", True):
            await visit.voice.take_back()
            if self.waits_for(job, error):
                with suppress(StoreUnavailable):
                    await row.save(row.run.tried(tried, job.round))
            raise error
        log.error("agent run failed: %s", word_of(error), extra={"trace": job.trace})
        return await visit.give_up(word_of(error), sentence or messages.APOLOGY)

    async def _unreadable(self, job: AgentJob) -> Outcome:
        """End a run whose row nobody can open any more: the secret was changed meanwhile."""

        async def posted(ts: str) -> None:
            pass

        log.error("an agent run cannot be read", extra={"trace": job.trace})
        thread = AgentThread(self._client, run_of(job).mention, posted=posted)
        with suppress(SlackConversationError):
            await thread.say(messages.APOLOGY)
        return Outcome(Ending.FAILED, "bad-seal")

    def _visit(self, job: AgentJob, row: RunRow, voice: Voice) -> Visit:
        return Visit(
            job=job,
            row=row,
            voice=voice,
            parts=self._parts,
            client=self._client,
            bot_user_id=self._bot_user_id,
            audience_of=self._audience_of,
            store=self._store,
            seal=self._seal,
            switch=self._switch,
            stops=self._stops,
            entailment=self._entailment,
            watch_every=self._watch_every,
        )


UNDO = "undo:"


def run_of(job: AgentJob) -> Run:
    """Return the run that a job begins."""
    return Run(job.run, job.mention(), trace=job.trace, accepted_at=job.accepted_at)


def run_key(run: str) -> str:
    """Return the name under which the outcome of a run is recorded: that of its first job."""
    return f"agent:{run}:"


def outcome_of(run: Run) -> Outcome:
    """Return how a run ended, or that it goes on later."""
    if run.phase is not Phase.ENDED:
        return Outcome(Ending.DEFERRED, "waiting")
    verdict = Verdict(run.verdict) if run.verdict else None
    if run.ended == "answered":
        return Outcome(Ending.ANSWERED, verdict=verdict)
    failed = run.ended.startswith("failed-")
    word = run.ended.removeprefix("failed-")
    return Outcome(Ending.FAILED if failed else Ending.DECLINED, word)
