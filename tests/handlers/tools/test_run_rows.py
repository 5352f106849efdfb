"""Runs in the store: whole again when they are read, sealed, and fenced by their revision."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.conversation import Mention, Place, Question, Turn
from handlers.adapters.sqlite_store import SqliteStore
from handlers.tools.errors import RunTooLarge
from handlers.tools.limits import Bound, Spent
from handlers.tools.ports import AgentMessage, ToolCall
from handlers.tools.run_rows import Runs
from handlers.tools.runs import CallState, Fate, Phase, Run, RunCall, call_id
from handlers.work.errors import ClaimLost
from handlers.work.seal import Seal
from index.documents import Chunk, Passage

MENTION = Mention("T1", "C1", "U1", "1.2", "1.1", Place.CHANNEL, "")
SECRET = "The salary is 4711 \ud800 euros."
PASSAGE = Passage(
    Chunk("c", "d", 3, ("Pay",), SECRET, 5, 40, 2, "pay"),
    *("handbook", "Pay", "https://x.example", 0.5, 0.4, frozenset({"b", "a"})),
    datetime(2026, 3, 1, tzinfo=UTC),
)
RUN = Run(
    "T1:C1:1.2",
    MENTION,
    phase=Phase.WAITING,
    question=Question(SECRET, (Turn("1.1", "U1", "hi"),)),
    messages=(
        AgentMessage("user", SECRET),
        AgentMessage("assistant", "", (ToolCall("t0001c000", "open_issue", "{}"),)),
        AgentMessage("tool", SECRET, call_id="t0001c000"),
    ),
    calls=(
        RunCall(
            "t0001c000",
            "open_issue",
            "{}",
            state=CallState.ASKED,
            fate=Fate.WORKED,
            undo={"number": 7},
        ),
    ),
    passages=(PASSAGE,),
    spent=Spent(1, 2, 3.0, 4.0),
    limit=Bound.COST,
    posted=("1.3", "1.4"),
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "state.sqlite")
    yield opened
    await opened.close()


async def test_a_run_is_the_same_when_it_is_read_again(store: SqliteStore) -> None:
    runs = Runs(store, Seal("s"))
    await runs.begin(RUN)
    row = await runs.load(RUN.id)
    assert row is not None
    assert row.run == RUN
    assert await runs.load("T1:C1:9.9") is None


async def test_nothing_that_was_said_can_be_read_in_the_row(
    store: SqliteStore, tmp_path: Path
) -> None:
    await Runs(store, Seal("s")).begin(RUN)
    item = await store.get(f"agent-run:{RUN.id}")
    assert item is not None
    assert set(item.value) == {"version", "sealed"}
    assert "4711" not in str(item.value)
    assert "open_issue" not in str(item.value)


async def test_whoever_was_slower_cannot_write(store: SqliteStore) -> None:
    runs = Runs(store, Seal("s"))
    first = await runs.begin(RUN)
    second = await runs.begin(RUN)
    await second.save(replace(RUN, tries=1))
    with pytest.raises(ClaimLost):
        await first.save(replace(RUN, tries=2))


async def test_a_run_that_the_store_does_not_take_is_too_large(store: SqliteStore) -> None:
    runs = Runs(store, Seal("s"))
    row = await runs.begin(RUN)
    with pytest.raises(RunTooLarge):
        await row.save(replace(RUN, text=secrets.token_hex(200_000)))
    assert row.run == RUN


def test_a_run_that_is_over_keeps_nothing_that_was_said() -> None:
    over = RUN.over("answered")
    assert SECRET not in repr((over.question, over.messages, over.passages, over.text))
    assert over.messages == ()
    assert over.calls[0].undo == {"number": 7}


def test_ids_of_calls_fit_every_endpoint() -> None:
    ids = {call_id(turn, number) for turn in range(30) for number in range(10)}
    assert len(ids) == 300
    assert all(len(one) == 9 and one.isalnum() for one in ids)
