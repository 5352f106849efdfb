"""Other assistants search, open and ask over real stdio and HTTP, each under its own rights."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp_types import CallToolResult, TextContent

from handlers.adapters.mcp_callers import (
    CallersInvalid,
    McpCaller,
    McpCallers,
    audience_as,
    hash_of,
    new_token,
    read_callers,
)
from handlers.adapters.mcp_server import serving_http
from handlers.runtime.commands import sync_sources
from handlers.runtime.mcp_commands import documents
from handlers.runtime.settings import Settings
from index.audience import EVERYONE, Audience, Principal
from tests.doubles.mcp_assistant import over_http

ROOT = Path(__file__).resolve().parents[3]
MODELS = ROOT / "build" / "models"
URL = "https://handbook.acme.example/"

CATALOG = """
[[source]]
name = "handbook"
kind = "folder"
readers = ["everyone"]
path = "handbook"
url = "https://handbook.acme.example/"

[[source]]
name = "board"
kind = "folder"
readers = ["email:ada@acme.example"]
path = "board"
"""

OPEN = """# Travel

## Hotels

A hotel may cost 140 euros a night. Book it through the travel desk.

## Trains

Trips of up to four hours are made by train.
"""
PRIVATE = (
    "# Merger\n\nThe merger with Umbrella closes on the third of March for 40 million euros.\n"
)
PRIVATE_QUESTION = "When does the merger with Umbrella close?"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    home = tmp_path_factory.mktemp("assistants")
    for folder, name, text in (("handbook", "travel.md", OPEN), ("board", "merger.md", PRIVATE)):
        (home / folder).mkdir()
        (home / folder / name).write_text(text)
    (home / "sources.toml").write_text(CATALOG)
    environment = {
        "FOOTNOTE_HOME": str(home / "home"),
        "FOOTNOTE_SOURCES": str(home / "sources.toml"),
        "FOOTNOTE_MODELS": str(MODELS),
    }
    synced = asyncio.run(sync_sources(Settings.load(environment), quiet=True))
    assert [one.report and one.report.added for one in synced] == [1, 1]
    yield environment


ADA, ANYBODY, OLD = new_token(), new_token(), new_token()
LAST_DAY = date(2026, 1, 31)
CALLERS = McpCallers(
    [
        McpCaller("ada", hash_of(ADA), audience_as(["ada@acme.example"])),
        McpCaller("anybody", hash_of(ANYBODY), Audience.everyone()),
        McpCaller("old", hash_of(OLD), Audience.everyone(), LAST_DAY),
    ]
)


@asynccontextmanager
async def over_stdio(environment: dict[str, str], who: str) -> AsyncIterator[Client]:
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "handlers", "mcp", "--as", who],
        env={**environment, "PATH": os.environ["PATH"]},
        cwd=ROOT,
    )
    async with Client(parameters) as client:
        yield client


@pytest.fixture
async def address(environment: dict[str, str]) -> AsyncIterator[str]:
    async with (
        documents(Settings.load(environment)) as offered,
        serving_http(offered, CALLERS, today=lambda: date(2026, 2, 1)) as address,
    ):
        yield address


def data(came: CallToolResult) -> dict[str, Any]:
    assert not came.is_error, came.content
    assert isinstance(came.structured_content, dict)
    return came.structured_content


async def three_ways(client: Client) -> None:
    """Search, open and ask, as anybody may."""
    assert [tool.name for tool in (await client.list_tools()).tools] == ["search", "open", "ask"]
    found = data(await client.call_tool("search", {"query": "What may a hotel cost?"}))
    best = found["passages"][0]
    assert "140 euros a night" in best["quote"]
    assert best["url"].startswith(f"{URL}travel") and best["source"] == "handbook"
    where = {"document": best["document"], "part": best["part"]}
    section = data(await client.call_tool("open", where))
    assert any("140 euros" in one["quote"] for one in section["passages"])
    came = await client.call_tool("ask", {"question": "What may a hotel cost a night?"})
    answer = data(came)
    assert answer["verdict"] == "answered" and "140" in answer["answer"]
    assert any("140 euros a night" in one["quote"] for one in answer["citations"])
    assert all(one["url"].startswith(URL) for one in answer["citations"])
    cited = {number for one in answer["sentences"] for number in one["citations"]}
    assert cited == {one["number"] for one in answer["citations"]}
    (text,) = came.content
    assert isinstance(text, TextContent) and "[1]" in text.text and URL in text.text


async def reads_the_private(client: Client) -> bool:
    """Try all three ways to what only Ada may read."""
    found = await client.call_tool("search", {"query": PRIVATE_QUESTION})
    asked = await client.call_tool("ask", {"question": PRIVATE_QUESTION})
    said = found.model_dump_json() + asked.model_dump_json()
    return "40 million" in said or "third of March" in said


async def test_whoever_starts_it_over_stdio_reads_what_the_operator_says(
    environment: dict[str, str],
) -> None:
    async with over_stdio(environment, "everyone") as client:
        await three_ways(client)
        assert not await reads_the_private(client)
    async with over_stdio(environment, "ada@acme.example") as client:
        assert await reads_the_private(client)


async def test_a_token_over_http_reads_what_its_caller_may(address: str) -> None:
    async with over_http(address, ANYBODY) as client:
        await three_ways(client)
        assert not await reads_the_private(client)
    async with over_http(address, ADA) as client:
        assert await reads_the_private(client)


async def test_callers_at_the_same_time_read_each_their_own(address: str) -> None:
    async with over_http(address, ANYBODY) as anybody, over_http(address, ADA) as ada:
        asked = [reads_the_private(client) for _ in range(4) for client in (anybody, ada)]
        assert await asyncio.gather(*asked) == [False, True] * 4


async def test_the_address_of_a_private_passage_opens_it_for_nobody_else(address: str) -> None:
    async with over_http(address, ADA) as ada:
        found = data(await ada.call_tool("search", {"query": PRIVATE_QUESTION}))
    (private,) = (one for one in found["passages"] if one["source"] == "board")
    where = {"document": private["document"], "part": private["part"]}
    async with over_http(address, ANYBODY) as anybody:
        refused = await anybody.call_tool("open", where)
    assert refused.is_error and "40 million" not in refused.model_dump_json()
    assert isinstance(refused.structured_content, dict)
    assert refused.structured_content["error"]["kind"] == "ToolRefused"


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (None, 401),
        ("", 401),
        ("Bearer", 401),
        ("Bearer fnmcp_wrong", 401),
        (f"Basic {ADA}", 401),
        (f"Bearer {ADA}x", 401),
        (f"Bearer {hash_of(ADA)}", 401),
        (f"Bearer {OLD}", 401),
        (f"Bearer {ANYBODY}", 200),
    ],
)
async def test_without_a_token_that_counts_nothing_is_looked_at(
    address: str, header: str | None, status: int
) -> None:
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "search", "arguments": {"query": "hotel"}},
    }
    headers = {"Accept": "application/json, text/event-stream"}
    if header is not None:
        headers["Authorization"] = header
    async with httpx2.AsyncClient() as http:
        came = await http.post(address, json=call, headers=headers)
        other = await http.get(address.removesuffix("mcp"), headers=headers)
    assert came.status_code == status
    assert ("passages" in came.text) is (status == 200)
    assert other.status_code == (401 if status == 401 else 404)


@pytest.mark.parametrize(
    ("tool", "arguments", "kind"),
    [
        ("search", {}, "BadArguments"),
        ("search", {"query": ""}, "BadArguments"),
        ("search", {"query": "x" * 501}, "BadArguments"),
        ("search", {"query": "hotel", "audience": "ada@acme.example"}, "BadArguments"),
        ("open", {"document": "' OR 1=1", "part": 0}, "BadArguments"),
        ("open", {"document": "0" * 32, "part": 0}, "ToolRefused"),
        ("ask", {"question": 5}, "BadArguments"),
        ("delete", {}, "ToolRefused"),
    ],
)
async def test_every_error_is_a_typed_sentence(
    address: str, tool: str, arguments: dict[str, object], kind: str
) -> None:
    async with over_http(address, ADA) as client:
        # As any client may send it, whatever the listing says.
        came = await client.session.call_tool(tool, arguments)
    assert came.is_error and isinstance(came.structured_content, dict)
    assert came.structured_content["error"]["kind"] == kind
    assert str(came.structured_content["error"]["message"]).endswith((".", "…")) or kind


async def test_a_follow_up_is_understood_by_what_was_asked_before(address: str) -> None:
    given = {"question": "And what may it cost?", "earlier": ["Where do I book a hotel?"]}
    async with over_http(address, ANYBODY) as client:
        answer = data(await client.call_tool("ask", given))
    assert "140" in answer["answer"]


async def test_an_empty_home_says_that_there_are_no_documents(tmp_path: Path) -> None:
    settings = Settings.load(
        {"FOOTNOTE_HOME": str(tmp_path / "home"), "FOOTNOTE_MODELS": str(MODELS)}
    )
    async with (
        documents(settings) as offered,
        serving_http(offered, CALLERS, today=lambda: datetime.now(UTC).date()) as address,
        over_http(address, ADA) as client,
    ):
        came = await client.call_tool("ask", {"question": "What may a hotel cost?"})
    assert came.is_error and isinstance(came.structured_content, dict)
    assert came.structured_content["error"]["message"] == "There are no documents yet."


def test_an_address_stands_for_a_member_and_a_name_for_itself() -> None:
    ada = audience_as(["Ada@Acme.example"])
    held = {EVERYONE, Principal("email", "ada@acme.example"), Principal("domain", "acme.example")}
    assert ada == Audience.of(held)
    assert audience_as(["everyone"]) == Audience.everyone()
    both = audience_as(["slack-user:U1", "slack-group:S1"])
    assert both == Audience.of({Principal("slack-user", "U1"), Principal("slack-group", "S1")})
    for wrong in ([], [""], ["ada"], ["nobody:x"], ["email:"]):
        with pytest.raises(ValueError, match=r"\w"):
            audience_as(wrong)


def test_the_file_of_callers_holds_hashes_and_rights() -> None:
    text = (
        f'[[caller]]\nname = "ada"\ntoken = "{hash_of(ADA)}"\nas = ["ada@acme.example"]\n'
        "until = 2026-01-31\n"
    )
    callers = read_callers(text)
    found = callers.of(ADA, LAST_DAY)
    assert found is not None and found.audience == audience_as(["ada@acme.example"])
    assert callers.of(ADA, date(2026, 2, 1)) is None
    assert callers.of(ANYBODY, LAST_DAY) is None


@pytest.mark.parametrize(
    "entry",
    [
        "name = 'a'",
        f"name = 'a'\ntoken = '{ADA}'\nas = ['everyone']",
        f"name = 'a'\ntoken = '{hash_of(ADA)}'\nas = []",
        f"name = 'a'\ntoken = '{hash_of(ADA)}'\nas = 'everyone'",
        f"name = 'a'\ntoken = '{hash_of(ADA)}'\nas = ['nobody:x']",
        f"name = ''\ntoken = '{hash_of(ADA)}'\nas = ['everyone']",
        f"name = 'a'\ntoken = '{hash_of(ADA)}'\nas = ['everyone']\nuntil = 'soon'",
        f"name = 'a'\ntoken = '{hash_of(ADA)}'\nas = ['everyone']\nadmin = true",
    ],
)
def test_a_file_of_callers_that_is_wrong_is_refused_in_a_sentence(entry: str) -> None:
    with pytest.raises(CallersInvalid) as caught:
        read_callers(f"[[caller]]\n{entry}\n")
    assert caught.value.problems[0].startswith("Caller 1: ")
    assert ADA not in str(caught.value)
