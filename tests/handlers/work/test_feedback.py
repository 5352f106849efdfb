"""A vote is kept once for each reader and answer: the last click counts."""

import asyncio
import json
import logging
import sqlite3
from itertools import permutations
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.app import create_app
from bot.conversation import Answer, Verdict, Vote
from handlers.adapters.sqlite_queue import SqliteQueue
from handlers.adapters.sqlite_store import SqliteStore
from handlers.runtime.http import serve_http
from handlers.work.answers import KEPT_SECONDS, keep_answer
from handlers.work.feedback import keep_vote
from handlers.work.reception import Reception
from handlers.work.seal import Seal
from tests.doubles.clocks import ManualClock
from tests.doubles.slack_signing import SECRET, click_request

KEY = "T1:C1:1700000000.000100"


@pytest.fixture
async def store(store: SqliteStore) -> SqliteStore:
    """A table that holds the answer."""
    await keep_answer(store, KEY, Answer(Verdict.NOT_FOUND))
    return store


def kept(folder: Path) -> list[dict[str, Any]]:
    """Return the votes in the table as it lies on the disk."""
    with sqlite3.connect(folder / "state.sqlite") as db:
        rows = db.execute("SELECT value FROM items WHERE key LIKE 'feedback:%'").fetchall()
    db.close()
    return [json.loads(value) for (value,) in rows]


def vote(
    helpful: bool, clicked_at: str = "1700000100.000100", user: str = "U1", key: str = KEY
) -> Vote:
    return Vote(key, user, helpful, clicked_at)


async def test_the_first_vote_of_each_reader_counts(store: SqliteStore, tmp_path: Path) -> None:
    assert await keep_vote(store, vote(True, user="U1"))
    assert await keep_vote(store, vote(False, user="U2"))
    assert sorted(row["helpful"] for row in kept(tmp_path)) == [False, True]


async def test_a_changed_mind_replaces_the_vote_and_counts_again(
    store: SqliteStore, tmp_path: Path
) -> None:
    assert await keep_vote(store, vote(True, "1700000100.000100"))
    assert await keep_vote(store, vote(False, "1700000101.000100"))
    assert [row["helpful"] for row in kept(tmp_path)] == [False]


async def test_pressing_the_same_button_again_counts_nothing(
    store: SqliteStore, tmp_path: Path
) -> None:
    assert await keep_vote(store, vote(True, "1700000100.000100"))
    assert not await keep_vote(store, vote(True, "1700000101.000100"))
    assert len(kept(tmp_path)) == 1


CLICKS = (
    vote(True, "999999999.9"),
    vote(False, "1700000100.000100"),
    vote(True, "1700000100.00020"),
)


@pytest.mark.parametrize("order", list(permutations(CLICKS)))
async def test_the_last_click_stands_in_whatever_order_clicks_arrive(
    store: SqliteStore, tmp_path: Path, order: tuple[Vote, ...]
) -> None:
    for click in order:
        await keep_vote(store, click)
    for click in order:
        assert not await keep_vote(store, click), "a second delivery counts nothing"
    assert kept(tmp_path) == [{"helpful": True, "clicked_at": "1700000100.00020"}]


async def test_of_many_deliveries_at_once_one_counts(store: SqliteStore) -> None:
    counted = await asyncio.gather(*(keep_vote(store, vote(True)) for _ in range(8)))
    assert counted.count(True) == 1
    later = vote(False, "1700000101.000100")
    changed = await asyncio.gather(*(keep_vote(store, later) for _ in range(8)))
    assert changed.count(True) == 1


@pytest.mark.parametrize("key", ["T1:C1:1700000000.000200", "T1:C2:1700000000.000100"])
async def test_a_vote_on_no_kept_answer_is_ignored(
    store: SqliteStore, tmp_path: Path, caplog: pytest.LogCaptureFixture, key: str
) -> None:
    caplog.set_level(logging.INFO)
    assert not await keep_vote(store, vote(True, key=key))
    assert kept(tmp_path) == []
    assert "no such answer" in caplog.text and "1700000000" not in caplog.text


async def test_votes_are_forgotten_as_their_answers_are(
    store: SqliteStore, tmp_path: Path, clock: ManualClock
) -> None:
    assert await keep_vote(store, vote(True))
    clock.advance(KEPT_SECONDS + 1)
    assert not await keep_vote(store, vote(False, "1700000101.000100"))
    await keep_answer(store, KEY, Answer(Verdict.ANSWERED))
    assert await keep_vote(store, vote(True)), "it is the first again"


async def test_a_row_names_no_reader_and_does_not_join_votes(
    store: SqliteStore, tmp_path: Path
) -> None:
    other = "T1:C1:1700000000.000200"
    await keep_answer(store, other, Answer(Verdict.ANSWERED))
    await keep_vote(store, vote(True, user="U061F7AUR"))
    await keep_vote(store, vote(True, user="U061F7AUR", key=other))
    with sqlite3.connect(tmp_path / "state.sqlite") as db:
        keys = [k for (k,) in db.execute("SELECT key FROM items") if k.startswith("feedback:")]
    db.close()
    assert b"U061F7AUR" not in (tmp_path / "state.sqlite").read_bytes()
    assert len({key.rpartition(":")[2] for key in keys}) == 2
    assert {key.rpartition(":")[0] for key in keys} == {f"feedback:{KEY}", f"feedback:{other}"}


def click(word: str, at: str, key: str = KEY) -> dict[str, Any]:
    buttons = {"type": "feedback_buttons", "action_id": "answer.feedback", "block_id": "b"}
    return {
        "type": "block_actions",
        "user": {"id": "U1", "team_id": "T1"},
        "team": {"id": "T1"},
        "channel": {"id": "C1"},
        "container": {"type": "message", "channel_id": "C1"},
        "actions": [{**buttons, "value": f"{word} {key}", "action_ts": at}],
    }


async def test_a_click_that_two_doors_hear_is_kept_and_counted_once(
    store: SqliteStore, tmp_path: Path
) -> None:
    counted: list[bool] = []
    queue = SqliteQueue(tmp_path / "queue.sqlite", lease_seconds=1, max_attempts=1)

    async def deliver(request: tuple[bytes, dict[str, str]]) -> int:
        # A new app each time, as in another container: it has not seen the request before.
        reception = Reception(queue=queue, store=store, seal=Seal(SECRET), count=counted.append)
        app = create_app(reception, signing_secret=SECRET, token="xoxb-test")
        async with (
            serve_http(app, host="127.0.0.1", port=0) as address,
            aiohttp.ClientSession() as session,
            session.post(f"{address}/slack/events", data=request[0], headers=request[1]) as said,
        ):
            assert await said.text() == ""
            return said.status

    first, second = (click_request(click("no", f"170000010{n}.000100")) for n in (1, 2))
    changed = click_request(click("yes", "1700000103.000100"))
    unknown = click_request(click("yes", "1700000104.000100", "T1:C1:1600000000.000100"))
    for request in (first, first, second, changed, first, unknown):
        assert await deliver(request) == 200
    assert counted == [False, True]
    assert [row["helpful"] for row in kept(tmp_path)] == [True]
    await queue.close()
