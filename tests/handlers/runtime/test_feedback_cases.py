"""A thumbs-down becomes the draft of a case, with words that Slack is asked for again."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.client import make_client
from bot.conversation import Answer, Citation, Verdict, Vote
from bot.playground import Playground
from handlers.adapters.sqlite_store import SqliteStore
from handlers.runtime.feedback_cases import Drafted, draft
from handlers.work.answers import keep_answer
from handlers.work.feedback import keep_vote

CITED = (
    Citation(1, "Holidays", "https://a.example/holidays#:~:text=27%20days", "27 days"),
    Citation(2, "Holidays", "https://a.example/holidays#more", "and more"),
    Citation(3, "Leave", "", "a day", document_id="ab" * 16),
)


@dataclass
class Desk:
    """Answers that were given in a local Slack, and votes on them."""

    slack: Playground
    store: SqliteStore
    folder: Path
    clicks: int = field(default=0)

    async def answered(self, channel: str, text: str, thread_ts: str = "") -> str:
        """Say something; an answer to it is kept. Return the key of the mention."""
        ts = await self.slack.say("alice", channel, text, thread_ts)
        place = self.slack.channel_id(channel, "alice")
        key = f"{self.slack.team}:{place}:{ts}"
        await keep_answer(self.store, key, Answer(Verdict.ANSWERED, citations=CITED))
        return key

    async def vote(self, key: str, *, helpful: bool = False, user: str = "UBOB") -> None:
        self.clicks += 1
        await keep_vote(self.store, Vote(key, user, helpful, f"{1_800_000_000 + self.clicks}.0"))

    async def drafted(self) -> Drafted:
        client = make_client("xoxb-1", self.slack.api_url)
        return await draft(client, self.store, self.folder)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    store = SqliteStore(tmp_path / "state.sqlite")
    async with Playground(signing_secret="s", bot_token="xoxb-1") as slack:
        yield Desk(slack, store, tmp_path / "cases")
    await store.close()


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


async def test_it_holds_the_question_and_the_pages_that_were_cited(desk: Desk) -> None:
    await desk.vote(await desk.answered("general", "@Footnote How many days of holiday?"))
    (path,) = (await desk.drafted()).drafts
    assert read(path) == {
        "draft": True,
        "question": "How many days of holiday?",
        "expects": ["https://a.example/holidays", "ab" * 16],
        "notes": ["https://a.example/holidays is Holidays", f"{'ab' * 16} is Leave"],
    }


async def test_a_question_in_a_thread_is_read_by_itself(desk: Desk) -> None:
    root = await desk.slack.say("bob", "general", "We talk of holidays.")
    await desk.vote(await desk.answered("general", "@Footnote And of leave?", root))
    (path,) = (await desk.drafted()).drafts
    assert read(path)["question"] == "And of leave?"


async def test_each_answer_is_drafted_once_whoever_voted_and_however_often(desk: Desk) -> None:
    key = await desk.answered("general", "@Footnote How many days?")
    for user in ("UALICE", "UBOB"):
        await desk.vote(key, user=user)
    assert len((await desk.drafted()).drafts) == 1
    again = await desk.drafted()
    assert (again.drafts, again.known) == ([], 1)


async def test_an_answer_that_helped_is_none_and_a_changed_mind_counts(desk: Desk) -> None:
    await desk.vote(await desk.answered("general", "@Footnote One?"), helpful=True)
    changed = await desk.answered("general", "@Footnote Two?")
    await desk.vote(changed)
    await desk.vote(changed, helpful=True)
    assert await desk.drafted() == Drafted()


@pytest.mark.parametrize("channel", ["dm", "people-team"])
async def test_what_not_everybody_can_read_stays_in_slack(desk: Desk, channel: str) -> None:
    await desk.vote(await desk.answered(channel, "@Footnote Who is ill?"))
    drafted = await desk.drafted()
    assert (drafted.drafts, drafted.private) == ([], 1)
    assert not desk.folder.exists()


async def test_a_question_that_was_deleted_is_left_out(desk: Desk) -> None:
    gone = await desk.answered("general", "@Footnote Gone?")
    await desk.vote(gone)
    await desk.vote(await desk.answered("general", "@Footnote Still there?"))
    desk.slack.workspace.delete("CGENERAL", gone.rpartition(":")[2])
    drafted = await desk.drafted()
    assert (len(drafted.drafts), drafted.gone) == (1, 1)
