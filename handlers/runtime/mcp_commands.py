"""`footnote mcp`, which offers the documents to other assistants, and `footnote tools`."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bot.visible import made_visible
from handlers.runtime import agent_files, terminal, wiring
from handlers.runtime.settings import Settings, SettingsError
from handlers.runtime.stage import open_stage

if TYPE_CHECKING:
    from handlers.adapters.mcp_callers import McpCaller, McpCallers
    from handlers.adapters.mcp_connected import Listing
    from handlers.adapters.mcp_documents import Documents
    from handlers.tools.pins import Standing

OK, FAILED = 0, 1

_LOOPBACK = ("127.0.0.1", "localhost", "::1")

APPROVE, WITHDRAW = "approve", "withdraw"

_OPERATOR = "the operator"
_DIGITS = 12
"""Of a digest, as it is shown; enough that nobody finds two definitions that share them by then."""


async def run_mcp(settings: Settings, *, reader: Sequence[str]) -> int:
    """`footnote mcp --as WHO`: serve whoever started it over stdio. Raises SettingsError."""
    caller = _caller(reader)
    from handlers.adapters.mcp_server import serve_stdio

    async with documents(settings) as offered:
        await serve_stdio(offered, caller)
    return OK


async def run_mcp_http(settings: Settings, *, host: str, port: int, callers: Path | None) -> int:
    """`footnote mcp --port N --callers FILE`: serve over HTTP until stopped.

    Raises SettingsError, OSError.
    """
    known = _callers(callers)
    from handlers.adapters.mcp_server import serving_http

    task = asyncio.current_task()
    if task is not None:
        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with (
        documents(settings) as offered,
        serving_http(offered, known, host=host, port=port) as address,
    ):
        terminal.tell(f"Footnote answers assistants at {address}. Ctrl-C stops it.")
        if host not in _LOOPBACK:
            terminal.tell("Tokens travel unencrypted: put a proxy that speaks TLS before it.")
        await asyncio.Event().wait()
    return OK


def run_new_token(*, as_json: bool) -> int:
    """`footnote mcp --new-token`: print a token, once, and what stands for it in the file."""
    from handlers.adapters.mcp_callers import hash_of, new_token

    token = new_token()
    if as_json:
        terminal.print_json({"token": token, "hash": hash_of(token)})
        return OK
    terminal.tell("Give this to the caller; it is shown once and kept nowhere:")
    print(token)
    terminal.tell("And write this into the file of callers:")
    # As it is: a line that was broken at the edge of the window would be no TOML.
    entry = f'[[caller]]\nname = "..."\ntoken = "{hash_of(token)}"\nas = ["..."]'
    print(entry, file=sys.stderr)
    return OK


async def run_tools(
    settings: Settings,
    *,
    action: str = "",
    name: str = "",
    digest: str = "",
    stage: str = "",
    region: str = "",
    as_json: bool = False,
) -> int:
    """`footnote tools [approve | withdraw NAME]`: the tools of MCP servers, and how they stand.

    ``digest`` are the first digits of the definition that was looked at: another one is then not
    approved. ``stage`` is where the approvals are kept. Raises SettingsError, WorkError.
    """
    from handlers.adapters.mcp_connected import connected_tools
    from handlers.tools.pins import Pins

    known = agent_files.mcp_servers(settings)
    kept = (await open_stage(settings, stage, region=region)).settings if stage else settings
    async with wiring.opened_store(kept) as store:
        pins = Pins(store)
        if action == WITHDRAW:
            gone = await pins.withdraw(name)
            print(f"{name} is off." if gone else f"{name} was not approved.")
            return OK if gone else FAILED
        async with connected_tools(known, pins) as connected:
            listing = await connected.listing()
        if action != APPROVE:
            _show(listing, as_json=as_json)
            return OK
        standing = listing.named(name)
        if standing is None:
            terminal.tell("\n".join([f"No server lists a tool called {name}.", *listing.left_out]))
            return FAILED
        if digest and not standing.digest.startswith(digest):
            terminal.tell(f"{name} is not what you looked at. Look at it again: footnote tools")
            return FAILED
        if not await pins.approve(standing, _OPERATOR):
            terminal.tell(f"Somebody decided about {name} at the same time. Look at it again.")
            return FAILED
    if as_json:
        terminal.print_json(_as_json(standing))
    else:
        print("\n".join([*_definition(standing), "This is approved."]))
    return OK


@asynccontextmanager
async def documents(settings: Settings) -> AsyncIterator[Documents]:
    """Yield what is offered, with a warm index and the bot's own answerer."""
    from handlers.adapters.mcp_documents import AT_ONCE, Documents
    from handlers.adapters.mcp_limits import CallLimits, Limit
    from handlers.answering.finding import Finder
    from handlers.runtime.answerers import answering
    from handlers.tools.builtin.open_section import OpenSection
    from handlers.work.syncs import last_sync

    async with (
        wiring.opened_store(settings) as store,
        wiring.warm_index(settings) as (embedder, index),
        answering(settings, embedder) as parts,
    ):

        async def was_synced() -> bool:
            return await last_sync(store, settings.index) is not None

        retriever = wiring.retriever(settings, index, embedder)
        yield Documents(
            Finder(retriever, parts.rewriter, was_synced),
            OpenSection(index, embedder),
            parts.answerer,
            CallLimits(
                store,
                Limit(settings.mcp_asks_hour, settings.mcp_asks_day),
                Limit(settings.mcp_looks_hour, settings.mcp_looks_day),
            ),
            asyncio.Semaphore(AT_ONCE),
        )


def _caller(reader: Sequence[str]) -> McpCaller:
    from handlers.adapters.mcp_callers import caller_as

    try:
        return caller_as(reader)
    except ValueError as error:
        raise SettingsError([f"--as: {error}."]) from None


def _callers(path: Path | None) -> McpCallers:
    from handlers.adapters.mcp_callers import CallersInvalid, read_callers

    if path is None:
        raise SettingsError(["--callers is not set. Name the file of those who hold a token."])
    try:
        return read_callers(agent_files.text_of(path, "--callers"))
    except CallersInvalid as error:
        raise SettingsError([f"--callers: {one}" for one in error.problems]) from None


def _show(listing: Listing, *, as_json: bool) -> None:
    if as_json:
        tools = [_as_json(one) for one in listing.standings]
        terminal.print_json({"tools": tools, "left_out": list(listing.left_out)})
        return
    for one in listing.standings:
        print("\n".join(_definition(one)), end="\n\n")
    for sentence in listing.sentences:
        terminal.tell(made_visible(sentence))
    if not listing.standings and not listing.left_out:
        print("No MCP server is set up: FOOTNOTE_MCP names the file of them.")


def _definition(one: Standing) -> list[str]:
    """Return a tool as a person has to see it before they approve it: every character of it."""
    head = f"{one.tool.name}  {one.tool.effect.value}  {one.state.value}  {one.digest[:_DIGITS]}"
    shown = [f"    {made_visible(line)}" for line in one.tool.description.splitlines()]
    shown.append(f"    arguments: {made_visible(_compact(one.tool.parameters))}")
    if one.changes:
        shown.append("    what has changed:")
        shown += [f"      {made_visible(line)}" for line in one.changes]
    return [made_visible(head), *shown]


def _as_json(one: Standing) -> Mapping[str, object]:
    return {
        "name": one.tool.name,
        "description": one.tool.description,
        "parameters": dict(one.tool.parameters),
        "effect": one.tool.effect.value,
        "state": one.state.value,
        "digest": one.digest,
        "changes": list(one.changes),
        "approved_by": one.approved_by,
    }


def _compact(parameters: Mapping[str, object]) -> str:
    return json.dumps(parameters, ensure_ascii=False)
