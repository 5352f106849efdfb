"""What one worker does to a run between taking it up and leaving it: steps, cards, last words."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from slack_sdk.web.async_client import AsyncWebClient

from bot import agent_messages as messages
from bot.conversation import Ending, Mention, Outcome, Question, Verdict
from bot.errors import MessageGone, SlackConversationError
from bot.people import known_person
from bot.threads import read_question
from handlers.answering.entailment import Entailment
from handlers.tools.addressed import agent_request
from handlers.tools.audit import AuditEvent
from handlers.tools.calling import Bench, interrupted
from handlers.tools.concluding import concluded
from handlers.tools.diary import Diary
from handlers.tools.errors import AgentError, RunStopped
from handlers.tools.fleeting import footnotes_to_keep
from handlers.tools.loop import advance, begun
from handlers.tools.parts import Parts
from handlers.tools.ports import Caller
from handlers.tools.run_rows import RunRow
from handlers.tools.runs import CallState, Fate, Phase, Run, RunCall
from handlers.tools.settling import decided
from handlers.tools.surroundings import Surroundings
from handlers.tools.switch import Switch, ThreadStops
from handlers.tools.undoing import undo
from handlers.tools.voice import Voice
from handlers.tools.waiting import Waiting
from handlers.tools.watching import Watch
from handlers.work.answers import keep_answer
from handlers.work.jobs import AgentJob
from handlers.work.ports import StateStore
from handlers.work.seal import Seal
from index.audience import Audience

AudienceOf = Callable[[Mention], Awaitable[Audience | None]]

_TOLD = {
    Fate.UNKNOWN: messages.unknown,
    Fate.NOT_RUN: messages.not_run,
    Fate.FAILED: messages.failed,
    Fate.CHANGED: messages.changed,
    Fate.EXPIRED: messages.expired,
}


@dataclass(slots=True)
class Visit:
    """One worker at one run. ``row`` is what is saved, ``voice`` what is said."""

    job: AgentJob
    row: RunRow
    voice: Voice
    parts: Parts
    client: AsyncWebClient
    bot_user_id: Callable[[], Awaitable[str]]
    audience_of: AudienceOf
    store: StateStore
    seal: Seal
    switch: Switch
    stops: ThreadStops
    entailment: Entailment | None
    watch_every: float

    async def go_on(self) -> Run:
        """Go on until the run has ended or a human is needed; return it as it was saved."""
        await self.watch.look()
        around = await self._surroundings()
        if around is None:
            return await self._decline("not-a-member", messages.MEMBERS_ONLY)
        await self.voice.thread.session("processing")
        run = self.row.run
        if run.question is None:
            question = await self._question()
            if not question.text:
                return await self._decline("empty", messages.WHAT_TO_DO)
            await self.diary.note(AuditEvent.ASKED, details={"request": question.text})
            asker = await known_person(self.client, run.mention.user)
            run = begun(self.parts, run, question, utc_offset=asker.utc_offset)
            run = await self.voice.keep(run)
        bench = Bench(self.parts, self.job, around, self.watch, self.diary, self.row.save)
        while True:
            # First, so that it is also done by whoever takes over from a worker that died here.
            if run.card_ts and run.phase is not Phase.WAITING:
                run = await self._card_settled(run)
            run = await self._tell(run)
            if run.phase is Phase.CONCLUDING:
                return await self._conclude(run, around)
            await self.voice.plan(run)
            if run.phase is Phase.WAITING and not run.card_ts:
                run = await self._card_shown(run)
            before, run = run, await advance(bench, run)
            if run.phase is Phase.WAITING and run is before:
                return await self._wait(run)
            run = await self.voice.keep(run.tried(0, self.job.round))

    async def undo(self, call_id: str) -> Run:
        """Take back what one call did, once."""
        around = await self._surroundings()
        call = self.row.run.call(call_id)
        if around is None or call is None or call.undo is None or call.undone == "done":
            return self.row.run
        await self.watch.look()
        sentence, call = await undo(self.parts, self.row, call, around, self.watch, self.diary)
        if call.undone == "done":
            with_button = call.told if call.told != "-" else ""
            if with_button:
                await self.voice.thread.rewrite(with_button, messages.done(call.title, call.url))
        await self.voice.thread.say(sentence)
        return await self.voice.keep(self.row.run.with_call(call))

    async def give_up(self, reason: str, sentence: str) -> Outcome:
        """Say that nothing came of the run. Raises an error of Slack that a later try can mend."""
        await self._tell_all()
        await self._last_words(sentence)
        await self._end(f"failed-{reason}")
        return Outcome(Ending.FAILED, reason)

    async def stop(self, error: AgentError) -> Outcome:
        """Say that the run was stopped, and by what."""
        by_one = isinstance(error, RunStopped)
        await self._tell_all()
        await self._last_words(messages.STOPPED if by_one else messages.ALL_STOPPED)
        await self.diary.note(AuditEvent.STOPPED, details={"all": not by_one})
        word = "stopped" if by_one else "all-stopped"
        await self._end(word)
        return Outcome(Ending.DECLINED, word)

    async def vanish(self, reason: str) -> Outcome:
        """End without a word: nobody is there to read one."""
        await self.voice.thread.session("active")
        await self._end(reason)
        return Outcome(Ending.DECLINED, reason)

    @property
    def watch(self) -> Watch:
        """What stops this run."""
        return Watch(self.switch, self.stops, self.job, every=self.watch_every)

    @property
    def diary(self) -> Diary:
        """The audit log of this run."""
        return Diary(self.parts.audit, self.job, self.parts.clock)

    async def _surroundings(self) -> Surroundings | None:
        mention = self.row.run.mention
        audience = await self.audience_of(mention)
        if audience is None:
            return None
        caller = Caller(
            mention.team, mention.channel, mention.user, mention.thread_ts, mention.place
        )
        return Surroundings(caller, audience, self._sealed().get("action_token", ""))

    def _sealed(self) -> dict[str, str]:
        data = json.loads(self.seal.open(self.job.sealed)) if self.job.sealed else {}
        return {str(key): str(value) for key, value in data.items()}

    async def _question(self) -> Question:
        found = await read_question(
            self.client, self.row.run.mention, bot_user_id=await self.bot_user_id()
        )
        request = agent_request(found.text)
        return found if request is None else replace(found, text=request)

    async def _card_shown(self, run: Run) -> Run:
        """Show what is proposed; the card of a dead worker, on which somebody may decide, stays."""
        asked = [one.approval for one in run.open_calls if one.state is CallState.ASKED]
        proposal = await self.parts.approvals.proposal(asked)
        if proposal is None:
            return run
        ts = await self.voice.thread.ask(proposal)
        run = await self.voice.keep(replace(run, card_ts=ts))
        await self.diary.note(AuditEvent.SHOWN, details={"message": ts})
        return run

    async def _wait(self, run: Run) -> Run:
        """Leave the run to whoever comes after the decision."""
        await Waiting(self.store).add(self.job, run.expires_at)
        await self.voice.thread.settle()
        await self.voice.thread.session("suspended")
        return await self.voice.keep(run.tried(0, self.job.round))

    async def _card_settled(self, run: Run) -> Run:
        """Have the card show what was decided, whoever showed what before."""
        shown = await decided(self.parts, run)
        if shown is not None:
            await self.voice.thread.show(run.card_ts, shown)
        await Waiting(self.store).remove(run.id)
        return await self.voice.keep(replace(run, card_ts=""))

    async def _tell(self, run: Run) -> Run:
        """Say in the thread what became of each call that acts, once each."""
        for call in run.calls:
            if call.state is not CallState.ENDED or call.told or not call.acts:
                continue
            run = await self.voice.keep(
                run.with_call(replace(call, told=await self._say(run, call)))
            )
        return run

    async def _tell_all(self) -> None:
        """Say what became of each call, also of one that nobody goes on with any more."""
        run = self.row.run
        for call in run.open_calls:
            if call.state is CallState.RUNNING:
                run = await self.voice.keep(interrupted(run, call))
        await self._tell(run)

    async def _say(self, run: Run, call: RunCall) -> str:
        thread, title = self.voice.thread, call.title
        if call.fate is Fate.WORKED:
            text = messages.done(title, call.url)
            if call.undo is not None:
                return await thread.say_undo(text, run.id, call.id)
            return await thread.say(text)
        sentence = _TOLD.get(call.fate)
        # Nothing was shown of a call whose arguments did not fit; the model mends it.
        if sentence is None or not call.bound:
            return "-"
        return await thread.say(sentence(title))

    async def _conclude(self, run: Run, around: Surroundings) -> Run:
        """Say the last words: what was found and checked, what was done, why it went no further."""
        model = self.parts.model.name
        answer = await asyncio.to_thread(
            partial(concluded, run, around, model=model, entailment=self.entailment)
        )
        thread = self.voice.thread
        limit = messages.LIMITS[run.limit.value] if run.limit else ""
        says = bool(answer.sentences) or answer.verdict is Verdict.UNCLEAR
        acted = any(one.acts and one.told not in ("", "-") for one in run.calls)
        await self.voice.plan(replace(run, phase=Phase.ENDED, ended="answered"))
        if limit:
            await thread.say(limit if says or acted else f"{limit} {messages.NOTHING_AT_LIMIT}")
        if says or not (acted or limit):
            await keep_answer(self.store, run.id, footnotes_to_keep(run, answer))
            await self.voice.answer(answer, run.id)
        elif acted and not limit:
            await thread.say(messages.NOTHING_MORE)
        await thread.settle()
        await thread.session("active")
        return await self._end("answered", answer.verdict.value)

    async def _decline(self, reason: str, sentence: str) -> Run:
        await self.voice.thread.say(sentence)
        await self.voice.thread.session("active")
        return await self._end(reason)

    async def _last_words(self, sentence: str) -> None:
        run, thread = self.row.run, self.voice.thread
        try:
            await thread.say(sentence)
            if run.card_ts:
                await thread.rewrite(run.card_ts, messages.STOPPED_CARD)
        except MessageGone:
            pass
        except SlackConversationError as error:
            # Where Slack refuses the bot, an apology may be refused as well.
            if error.retryable:
                raise
        await self.voice.plan(replace(run, phase=Phase.ENDED, ended="stopped"))
        await thread.settle()
        await thread.session("active")

    async def _end(self, word: str, verdict: str = "") -> Run:
        """Save the run at its end: from here on it has been said."""
        if self.row.run.phase is Phase.ENDED:
            return await self.voice.keep(self.row.run)
        await Waiting(self.store).remove(self.row.run.id)
        await self.diary.note(AuditEvent.ENDED, details={"how": word})
        return await self.voice.keep(self.row.run.over(word, verdict))
