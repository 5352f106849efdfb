"""A question in a room and alone: what is said there, what to its author, what a footnote shows."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from bot import messages
from bot.client import bot_user_id, make_client
from bot.conversation import Answer, Citation, Question, Sentence, Verdict
from bot.errors import FootnoteWithheld
from bot.playground.server import Playground
from bot.wording import GERMAN
from handlers.adapters.sqlite_queue import SqliteQueue
from handlers.adapters.sqlite_store import SqliteStore
from handlers.answering.pages import nearby
from handlers.answering.ports import AnswerEvent, Finished, SentenceReady
from handlers.answering.quotes import cite
from handlers.answering.room import may_read
from handlers.answering.worker import AnswerWorker, Handled
from handlers.work.answers import MOST_READERS, keep_answer, kept_citation
from handlers.work.claims import Claims
from handlers.work.jobs import AnswerJob
from handlers.work.reception import Reception
from handlers.work.seal import Seal
from index.audience import EVERYONE, Principal
from index.documents import Passage
from index.lance import LanceIndex
from index.retrieval import Retriever
from tests.doubles.entries import entry
from tests.doubles.hashing_embedder import HashingEmbedder

TEA = "Tea is served in the kitchen."
MERGER = "The merger is called Bluebird."
PEOPLE = Principal("slack-channel", "GPEOPLE")


class WordAnswerer:
    """Quotes the first passage that shares a long word with the question, or finds nothing."""

    language = "en"

    async def answer(
        self, question: Question, passages: Sequence[Passage], *, related: Sequence[Passage] = ()
    ) -> AsyncGenerator[AnswerEvent]:
        words = {word for word in re.findall(r"\w+", question.text.lower()) if len(word) > 4}
        for passage in passages:
            text = passage.chunk.text
            if words & set(re.findall(r"\w+", text.lower())):
                sentence = Sentence(text, (1,))
                yield SentenceReady(sentence)
                cited = (cite(passage, 0, len(text), 1),)
                yield Finished(Answer(Verdict.ANSWERED, (sentence,), cited))
                return
        pages = nearby([*passages, *related])
        yield Finished(Answer(Verdict.NOT_FOUND, nearby=pages, language=self.language))


@dataclass
class Desk:
    """A local Slack with Alice, Bob and #people-team, which Alice alone is in; and a worker."""

    slack: Playground
    worker: AnswerWorker
    answerer: WordAnswerer
    reception: Reception
    index: LanceIndex

    async def ask(self, user: str, channel: str, text: str) -> str:
        """Ask, and return all that was said in answer."""
        ts = await self.slack.say(user, channel, f"@Footnote {text}")
        place = self.slack.channel_id(channel, user)
        self.key = f"{self.slack.team}:{place}:{ts}"
        kind = "direct" if channel == "dm" else "channel"
        who = self.slack.workspace.user(user).id
        job = AnswerJob(self.slack.team, place, who, ts, ts, place=kind)
        assert isinstance(await self.worker.handle(job), Handled)
        return str(self.slack.messages(channel, ts, user=user)[1:])

    def hints(self, user: str) -> list[str]:
        """Return what was whispered to somebody."""
        return [str(message["text"]) for message in self.slack.ephemerals(user)]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    embedder, answerer = HashingEmbedder(), WordAnswerer()
    index = LanceIndex(str(tmp_path / "i"), embedder=embedder.name, dimensions=embedder.dimensions)
    closed = entry(embedder, "merger", MERGER, title="Bluebird", readers=frozenset({PEOPLE.id}))
    await index.stage([entry(embedder, "tea", TEA, title="Kitchen"), closed])
    await index.commit()
    store = SqliteStore(tmp_path / "s.sqlite")
    queue = SqliteQueue(tmp_path / "q.sqlite", lease_seconds=1, max_attempts=1)
    async with Playground(signing_secret="s") as slack:
        client = make_client("xoxb-playground", slack.api_url)
        worker = AnswerWorker(
            client=client,
            bot_user_id=lambda: bot_user_id(client),
            retriever=Retriever(index, embedder),
            answerer=answerer,
            store=store,
            claims=Claims(store, lease_seconds=30),
            seal=Seal("s"),
        )
        reception = Reception(
            queue=queue, store=store, seal=Seal("s"), may_read=partial(may_read, client)
        )
        yield Desk(slack, worker, answerer, reception, index)
    await index.close()
    await queue.close()
    await store.close()


async def test_what_a_private_channel_may_read_is_told_there_and_to_its_members(desk: Desk) -> None:
    assert MERGER in await desk.ask("alice", "people-team", "What is the merger called?")
    assert MERGER in await desk.ask("alice", "dm", "What is the merger called?")
    assert "Bluebird" not in await desk.ask("bob", "dm", "What is the merger called?")
    assert desk.hints("alice") == desk.hints("bob") == []


async def test_what_a_room_may_not_read_is_hinted_at_to_its_reader_alone(desk: Desk) -> None:
    said = await desk.ask("alice", "general", "What is the merger called?")
    assert messages.NOT_FOUND in said
    assert "Bluebird" not in said
    assert desk.hints("alice") == [messages.ONLY_ALONE]
    assert desk.hints("bob") == []
    (hint,) = desk.slack.ephemerals("alice")
    assert "Bluebird" not in str(hint)
    assert (hint["channel"], hint["thread_ts"]) == ("CGENERAL", desk.key.split(":")[2])


async def test_a_hint_speaks_the_language_of_the_question(desk: Desk) -> None:
    desk.answerer.language = "de"
    await desk.ask("alice", "general", "Wie heißt the merger called")
    assert desk.hints("alice") == [GERMAN.only_alone]


async def test_who_may_not_read_it_either_hears_of_nothing(desk: Desk) -> None:
    await desk.ask("bob", "general", "What is the merger called?")
    assert desk.hints("bob") == []


async def test_no_hint_is_given_where_the_room_was_answered_or_knows_a_better_page(
    desk: Desk,
) -> None:
    assert TEA in await desk.ask("alice", "general", "Where is tea served?")
    assert messages.NOT_FOUND in await desk.ask("alice", "general", "tea in the")
    assert desk.hints("alice") == []


@pytest.mark.parametrize("method", ["users.conversations", "chat.postEphemeral"])
async def test_a_hint_that_fails_costs_the_answer_nothing(desk: Desk, method: str) -> None:
    desk.slack.fail_next(method, "internal_error", times=5)
    assert messages.NOT_FOUND in await desk.ask("alice", "general", "What is the merger called?")
    assert desk.hints("alice") == []


async def test_where_everything_is_open_a_question_that_finds_nothing_costs_no_look(
    desk: Desk,
) -> None:
    await desk.index.remove([entry(HashingEmbedder(), "merger").document.ref.id])
    await desk.ask("alice", "general", "What is the merger called?")
    called = {call.method for call in desk.slack.calls}
    assert not called & {"users.conversations", "usergroups.list", "chat.postEphemeral"}


async def test_a_footnote_opens_for_those_who_may_read_its_document_now(desk: Desk) -> None:
    people = desk.slack.workspace.conversation("people-team")
    await desk.ask("alice", "people-team", "What is the merger called?")
    found = await desk.reception.footnote(desk.key, 1, "UALICE")
    assert found is not None
    assert found.quote == MERGER
    with pytest.raises(FootnoteWithheld):
        await desk.reception.footnote(desk.key, 1, "UBOB")
    people.members.append("UBOB")
    assert await desk.reception.footnote(desk.key, 1, "UBOB") is not None
    people.members.remove("UALICE")
    with pytest.raises(FootnoteWithheld):
        await desk.reception.footnote(desk.key, 1, "UALICE")
    assert await desk.reception.footnote(desk.key, 2, "UALICE") is None


async def test_a_guest_in_a_channel_does_not_open_the_footnotes_there(desk: Desk) -> None:
    await desk.ask("alice", "general", "Where is tea served?")
    assert await desk.reception.footnote(desk.key, 1, "UBOB") is not None
    desk.slack.workspace.user("bob").guest = True
    with pytest.raises(FootnoteWithheld):
        await desk.reception.footnote(desk.key, 1, "UBOB")


async def test_a_guest_in_a_small_room_hears_nothing_that_is_for_full_members(desk: Desk) -> None:
    desk.slack.workspace.user("bob").guest = True
    assert TEA not in await desk.ask("alice", "general", "Where is tea served?")
    assert desk.hints("alice") == [messages.ONLY_ALONE]
    assert TEA in await desk.ask("alice", "dm", "Where is tea served?")


async def test_readers_of_a_footnote_are_kept_everyone_first_and_not_without_end(
    tmp_path: Path,
) -> None:
    store = SqliteStore(tmp_path / "s.sqlite")
    many = frozenset({f"{number:032x}" for number in range(3 * MOST_READERS)} | {EVERYONE.id})
    for key, readers in (("many", many), ("nobody", frozenset[str]())):
        citation = Citation(1, "T", "", "Q", readers=readers)
        await keep_answer(store, key, Answer(Verdict.ANSWERED, citations=(citation,)))
    kept, closed = await kept_citation(store, "many", 1), await kept_citation(store, "nobody", 1)
    assert kept is not None and closed is not None
    assert len(kept.readers) == MOST_READERS
    assert EVERYONE.id in kept.readers
    assert closed.readers == frozenset()
    old = {"citations": [{"number": 1, "title": "T", "url": "", "quote": "Q"}]}
    await store.put("answer:old", old, 60)
    before = await kept_citation(store, "old", 1)
    assert before is not None
    assert before.readers == {EVERYONE.id}
    await store.close()


async def test_a_door_that_was_not_told_who_may_read_opens_nothing(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "s.sqlite")
    queue = SqliteQueue(tmp_path / "q.sqlite", lease_seconds=1, max_attempts=1)
    citation = Citation(1, "T", "", "Q", readers=frozenset({EVERYONE.id}))
    await keep_answer(store, "key", Answer(Verdict.ANSWERED, citations=(citation,)))
    with pytest.raises(FootnoteWithheld):
        await Reception(queue=queue, store=store, seal=Seal("s")).footnote("key", 1, "UALICE")
    await queue.close()
    await store.close()
