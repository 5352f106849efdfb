"""One caller can neither spend the model's tokens without end, nor what another may spend."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mcp_types import CallToolResult, TextContent

from handlers.adapters.mcp_callers import (
    McpCaller,
    McpCallers,
    audience_as,
    caller_as,
    hash_of,
    new_token,
)
from handlers.adapters.mcp_limits import CallLimits, Limit, TooManyCalls
from handlers.adapters.mcp_server import serving_http
from handlers.adapters.sqlite_store import SqliteStore
from handlers.runtime.commands import sync_sources
from handlers.runtime.mcp_commands import documents
from handlers.runtime.settings import Settings
from handlers.tools.errors import ToolUnavailable
from handlers.work.rates import HOUR
from tests.doubles.clocks import ManualClock
from tests.doubles.mcp_assistant import over_http
from tests.doubles.scripted_model import ScriptedModel, Streams

ROOT = Path(__file__).resolve().parents[3]
QUESTION = {"question": "What may a hotel cost a night?"}
QUERY = {"query": "What may a hotel cost?"}
LIMITS = {"FOOTNOTE_MCP_ASKS_HOUR": "3", "FOOTNOTE_MCP_LOOKS_HOUR": "5"}

ADA, BEN = new_token(), new_token()
CALLERS = McpCallers(
    McpCaller(name, hash_of(token), audience_as(["everyone"]))
    for name, token in (("ada", ADA), ("ben", BEN))
)


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    home = tmp_path_factory.mktemp("limits")
    (home / "docs").mkdir()
    (home / "docs" / "travel.md").write_text("# Hotels\n\nA hotel may cost 140 euros a night.\n")
    environment = {
        "FOOTNOTE_HOME": str(home / "home"),
        "FOOTNOTE_DOCS": str(home / "docs"),
        "FOOTNOTE_MODELS": str(ROOT / "build" / "models"),
    }
    asyncio.run(sync_sources(Settings.load(environment), quiet=True))
    yield {**environment, "FOOTNOTE_INDEX": str(home / "home" / "index")}


@pytest.fixture
def environment(synced: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Nobody has called yet, as the state of each test is its own."""
    return {**synced, **LIMITS, "FOOTNOTE_HOME": str(tmp_path)}


@asynccontextmanager
async def served(environment: dict[str, str]) -> AsyncIterator[str]:
    async with (
        documents(Settings.load(environment)) as offered,
        serving_http(offered, CALLERS) as address,
    ):
        yield address


async def calls(address: str, token: str, tool: str, many: int) -> list[CallToolResult]:
    """Call a tool so often at the same time, as one caller."""
    given = QUESTION if tool == "ask" else QUERY
    async with over_http(address, token) as client:
        return await asyncio.gather(*(client.call_tool(tool, given) for _ in range(many)))


def kinds(came: list[CallToolResult]) -> Counter[str]:
    return Counter(error(one)["kind"] if one.is_error else "answered" for one in came)


def error(came: CallToolResult) -> dict[str, Any]:
    assert came.is_error and isinstance(came.structured_content, dict)
    found = came.structured_content["error"]
    assert isinstance(found, dict)
    return found


async def test_the_model_is_asked_no_more_than_a_caller_may_and_others_are_not_limited(
    environment: dict[str, str],
) -> None:
    said = Streams(["A hotel may cost 140 euros a night [1]."])
    # A seventh request to the model would fail the test.
    async with ScriptedModel(*[said] * 6) as model:
        environment |= {
            "OPENAI_BASE_URL": model.base_url,
            "OPENAI_API_KEY": "sk-test",
            "OPENAI_MODEL": "scripted",
        }
        async with served(environment) as address:
            ada = await calls(address, ADA, "ask", 12)
            assert kinds(ada) == {"answered": 3, "TooManyCalls": 9}
            assert kinds(await calls(address, BEN, "ask", 4)) == {"answered": 3, "TooManyCalls": 1}
        assert len(model.requests) == 6


async def test_a_refusal_is_a_tool_error_that_says_when_to_come_back(
    environment: dict[str, str],
) -> None:
    async with served(environment) as address:
        before = datetime.now(UTC).replace(microsecond=0)
        *_, refused = await calls(address, ADA, "ask", 3) + await calls(address, ADA, "ask", 1)
    told = error(refused)
    wait = told["retry_after_seconds"]
    assert told["retryable"] is True and HOUR <= wait <= HOUR * 25 / 24
    (content,) = refused.content
    assert isinstance(content, TextContent) and content.text == told["message"]
    assert content.text.startswith("That was too much: 3 questions in an hour are the most.")
    at = datetime.strptime(content.text[-24:-5], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    assert abs(at - before - timedelta(seconds=wait)) < timedelta(minutes=2)


async def test_looking_has_a_limit_of_its_own(environment: dict[str, str]) -> None:
    async with served(environment) as address:
        assert kinds(await calls(address, ADA, "ask", 4)) == {"answered": 3, "TooManyCalls": 1}
        assert kinds(await calls(address, ADA, "search", 4)) == {"answered": 4}
        async with over_http(address, ADA) as client:
            found = (await client.call_tool("search", QUERY)).structured_content
            assert isinstance(found, dict)
            best = found["passages"][0]
            where = {"document": best["document"], "part": best["part"]}
            refused = await client.call_tool("open", where)
        assert "5 calls of search and open in an hour" in error(refused)["message"]
        assert kinds(await calls(address, BEN, "search", 1)) == {"answered": 1}


async def test_a_restart_does_not_forget(environment: dict[str, str]) -> None:
    async with served(environment) as address:
        assert kinds(await calls(address, ADA, "ask", 2)) == {"answered": 2}
    async with served(environment) as address:
        assert kinds(await calls(address, ADA, "ask", 2)) == {"answered": 1, "TooManyCalls": 1}


async def test_two_servers_of_one_state_share_what_a_caller_may(
    environment: dict[str, str],
) -> None:
    async with AsyncExitStack() as stack:
        addresses = [await stack.enter_async_context(served(environment)) for _ in range(2)]
        came = await asyncio.gather(*(calls(one, ADA, "ask", 4) for one in addresses))
    assert kinds([*came[0], *came[1]]) == {"answered": 3, "TooManyCalls": 5}


async def test_a_call_that_nobody_works_on_is_not_counted(environment: dict[str, str]) -> None:
    async with served(environment) as address:
        async with over_http(address, ADA) as client:
            for wrong in ({}, {"question": ""}, {"question": 5}):
                assert error(await client.session.call_tool("ask", wrong))["kind"] == "BadArguments"
            assert error(await client.session.call_tool("gone", {}))["kind"] == "ToolRefused"
        assert kinds(await calls(address, ADA, "ask", 3)) == {"answered": 3}


async def test_zero_sets_no_limit(environment: dict[str, str]) -> None:
    environment |= {"FOOTNOTE_MCP_ASKS_HOUR": "0", "FOOTNOTE_MCP_ASKS_DAY": "0"}
    async with served(environment) as address:
        assert kinds(await calls(address, ADA, "ask", 5)) == {"answered": 5}


async def test_the_day_counts_too_and_the_wait_is_told_in_words(tmp_path: Path) -> None:
    clock = ManualClock(1_800_000_000.0)
    store = SqliteStore(tmp_path / "state.sqlite", clock=clock)
    limits = CallLimits(store, Limit(hour=2, day=3), Limit(0, 0), clock=clock)
    ada = caller_as(["ada@acme.example"])
    sentences: list[str] = []
    for _ in range(5):
        try:
            await limits.take(ada, ask=True)
        except TooManyCalls as error:
            sentences.append(str(error))
            clock.advance(error.seconds)
    await store.close()
    hour, day = sentences
    assert "2 questions in an hour are the most. Come back in 63 minutes, at 2027-01-15" in hour
    assert "3 questions in a day are the most. Come back in 24 hours, at 2027-01-16" in day


async def test_a_store_that_does_not_answer_lets_nothing_through(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").mkdir()
    limits = CallLimits(SqliteStore(tmp_path / "state.sqlite"), Limit(5, 5), Limit(5, 5))
    with pytest.raises(ToolUnavailable, match="cannot be counted"):
        await limits.take(caller_as(["everyone"]), ask=True)


def test_whoever_is_started_as_the_same_over_stdio_is_one_caller() -> None:
    one = caller_as(["Ada@acme.example", "slack-group:S1"])
    same = caller_as(["slack-group:S1", "ada@acme.example "])
    assert one.key == same.key and one.audience == same.audience
    assert caller_as(["everyone"]).key != one.key
