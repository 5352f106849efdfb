"""A question in Slack and a worker to answer it, whose answering fails when a test wants it to."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.client import bot_user_id, make_client
from bot.conversation import Answer, Question, Sentence, Verdict
from bot.playground import Playground
from handlers.answering.ports import AnswerEvent, Finished, SentenceReady
from handlers.answering.worker import AnswerWorker
from handlers.work.claims import Claims
from handlers.work.deliveries import LEASE_SECONDS
from handlers.work.jobs import AnswerJob
from handlers.work.ports import StateStore
from handlers.work.seal import Seal
from index.documents import Passage
from index.lance import LanceIndex
from index.retrieval import Retriever
from tests.doubles.entries import entry
from tests.doubles.hashing_embedder import HashingEmbedder

SAID = "Backups are kept for 35 days."


@dataclass
class MoodyAnswerer:
    """Answers with one sentence, unless there is something to raise first."""

    troubles: list[BaseException] = field(default_factory=list)
    asked: int = 0

    async def answer(
        self, question: Question, passages: Sequence[Passage], *, related: Sequence[Passage] = ()
    ) -> AsyncGenerator[AnswerEvent]:
        """Say the sentence, then raise the next trouble or finish."""
        self.asked += 1
        sentence = Sentence(SAID)
        yield SentenceReady(sentence)
        if self.troubles:
            raise self.troubles.pop(0)
        yield Finished(Answer(Verdict.ANSWERED, sentences=(sentence,)))


@dataclass
class Desk:
    """A question in a local Slack, its job, and the worker.

    ``fill`` makes the index anew; the worker is told that there was one when ``synced`` is set.
    """

    slack: Playground
    worker: AnswerWorker
    answerer: MoodyAnswerer
    job: AnswerJob
    fill: Callable[[], Awaitable[None]]
    synced: asyncio.Event

    def said(self) -> list[str]:
        """Return what stands below the question."""
        return [str(m.get("text", "")) for m in self.slack.messages("general", self.job.ts)[1:]]


@asynccontextmanager
async def opened_desk(
    folder: Path, store: StateStore, clock: Callable[[], float] = time.time
) -> AsyncIterator[Desk]:
    """Open a desk on ``store``, with an index of one page in ``folder``."""
    embedder, answerer = HashingEmbedder(), MoodyAnswerer()
    index = LanceIndex(
        str(folder / "index"), embedder=embedder.name, dimensions=embedder.dimensions
    )
    synced = asyncio.Event()

    async def fill() -> None:
        await index.stage([entry(embedder, "backups.md", SAID)])
        await index.commit()

    async def was_synced() -> bool:
        return synced.is_set()

    await fill()
    async with Playground(signing_secret="s", bot_token="xoxb-1") as slack:
        client = make_client("xoxb-1", slack.api_url)
        worker = AnswerWorker(
            client=client,
            bot_user_id=lambda: bot_user_id(client),
            retriever=Retriever(index, embedder),
            answerer=answerer,
            store=store,
            claims=Claims(store, lease_seconds=LEASE_SECONDS, clock=clock),
            seal=Seal("s"),
            was_synced=was_synced,
            clock=clock,
        )
        ts = await slack.say("alice", "general", "@Footnote How long are backups kept?")
        channel = slack.channel_id("general")
        job = AnswerJob(slack.team, channel, "UALICE", ts, ts, place="channel", accepted_at=clock())
        yield Desk(slack, worker, answerer, job, fill, synced)
    await index.close()
