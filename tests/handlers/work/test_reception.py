"""Which queue takes a mention, and what becomes of clicks while agent mode is off."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from bot.conversation import Mention, Place
from bot.proposals import Decided, Decision, Proposal, Ruling, Verb
from handlers.adapters.sqlite_queue import SqliteQueue
from handlers.adapters.sqlite_store import SqliteStore
from handlers.work.agents import Agents, Desk
from handlers.work.jobs import AgentJob, AnswerJob, encode
from handlers.work.reception import Reception
from handlers.work.seal import Seal

DECISION = Decision("T1", "C1", "2.0", "UBOB", Verb.APPROVE, (("a1", "n1"),))


def asked(text: str) -> str | None:
    return text.removeprefix("agent:") if text.startswith("agent:") else None


def mention(text: str, place: Place = Place.CHANNEL) -> Mention:
    return Mention("T1", "C1", "UALICE", "1.1", "1.0", place, text)


class Parts:
    def __init__(self, folder: Path) -> None:
        self.answers = SqliteQueue(folder / "answers.sqlite")
        self.agents = SqliteQueue(folder / "agents.sqlite")
        self.store = SqliteStore(folder / "state.sqlite")

    def reception(self, *, agents: bool, desk: Desk | None = None) -> Reception:
        return Reception(
            queue=self.answers,
            store=self.store,
            seal=Seal("secret"),
            agents=Agents(self.agents, asked) if agents else None,
            desk=desk,
        )

    async def waiting(self) -> list[type]:
        found = [await queue.receive() for queue in (self.answers, self.agents)]
        return [type(delivery.job) for delivery in found if delivery]


@pytest_asyncio.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    made = Parts(tmp_path)
    yield made
    for part in (made.answers, made.agents, made.store):
        await part.close()


@pytest.mark.parametrize(
    ("said", "agents", "taken_by"),
    [
        (mention("agent: open an issue"), True, AgentJob),
        (mention("What is open?"), True, AnswerJob),
        (mention("agent: open an issue"), False, AnswerJob),
        (mention("agent: open an issue", Place.DIRECT), True, AgentJob),
        # A command leaves no thread in which something could be proposed.
        (mention("agent: open an issue", Place.COMMAND), True, AnswerJob),
    ],
)
async def test_only_what_is_said_to_the_agent_in_a_thread_is_put_on_its_queue(
    parts: Parts, said: Mention, agents: bool, taken_by: type
) -> None:
    await parts.reception(agents=agents).mentioned(said)
    assert await parts.waiting() == [taken_by]


async def test_a_mention_that_slack_delivers_twice_begins_one_run(parts: Parts) -> None:
    reception = parts.reception(agents=True)
    for _ in range(2):
        await reception.mentioned(mention("agent: open an issue"))
    assert (await parts.agents.counts()).waiting == 1


async def test_leave_to_search_travels_sealed_to_the_agent_and_to_nobody_else(
    parts: Parts,
) -> None:
    told = replace(mention("agent: search"), action_token="xoxe-leave")
    await parts.reception(agents=True).mentioned(told)
    await parts.reception(agents=True).mentioned(replace(told, text="a question", ts="1.2"))
    taken, question = await parts.agents.receive(), await parts.answers.receive()
    assert taken is not None
    assert question is not None
    assert isinstance(taken.job, AgentJob)
    assert isinstance(question.job, AnswerJob)
    assert "xoxe-leave" not in encode(taken.job)
    assert json.loads(Seal("secret").open(taken.job.sealed)) == {"action_token": "xoxe-leave"}
    assert question.job.sealed == ""


async def test_while_agent_mode_is_off_no_click_decides_anything(parts: Parts) -> None:
    reception = parts.reception(agents=False)
    decided = await reception.decided(DECISION)
    assert (decided.ruling, decided.proposal) == (Ruling.GONE, None)
    assert "off" in decided.reason
    assert await reception.proposal(["a1"]) is None
    assert "off" in await reception.undo("T1", "C1", "run", "call", "UBOB")
    await reception.stopped("T1", "C1", "1.0", "UBOB")
    assert await parts.waiting() == []


class WrittenDown:
    """A desk that writes down what it is asked."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    async def decided(self, decision: Decision) -> Decided:
        self.asked.append(decision)
        return Decided(Ruling.APPROVED)

    async def proposal(self, approval_ids: Sequence[str]) -> Proposal | None:
        self.asked.append(approval_ids)
        return Proposal("UALICE", (), datetime(2030, 1, 1, tzinfo=UTC), ())

    async def undo(self, team: str, channel: str, run: str, call: str, user: str) -> str:
        self.asked.append((team, channel, run, call, user))
        return "It is being taken back."

    async def stopped(self, team: str, channel: str, thread_ts: str, user: str) -> None:
        self.asked.append((team, channel, thread_ts, user))


async def test_every_click_reaches_the_desk_as_it_was(parts: Parts) -> None:
    desk = WrittenDown()
    reception = parts.reception(agents=True, desk=desk)
    assert (await reception.decided(DECISION)).ruling is Ruling.APPROVED
    assert (await reception.proposal(["a1", "a2"])) is not None
    assert await reception.undo("T1", "C1", "run", "call", "UBOB") == "It is being taken back."
    await reception.stopped("T1", "C1", "1.0", "UBOB")
    assert desk.asked == [
        DECISION,
        ["a1", "a2"],
        ("T1", "C1", "run", "call", "UBOB"),
        ("T1", "C1", "1.0", "UBOB"),
    ]
