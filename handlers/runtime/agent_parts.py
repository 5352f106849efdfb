"""What all runs of a process share: the model, the tools, what may run unasked, and the bounds."""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from handlers.runtime import agent_files, agent_tools
from handlers.runtime.answerers import cost_of
from handlers.runtime.settings import Settings, SettingsError

if TYPE_CHECKING:
    from bot.client import SlackClient
    from handlers.adapters.mcp_connected import ConnectedTools
    from handlers.adapters.openai_agent import OpenAIToolModel
    from handlers.tools.audit import AuditLog
    from handlers.tools.limits import Limits
    from handlers.tools.offered import Offered
    from handlers.tools.parts import Parts
    from handlers.tools.ports import Tool
    from handlers.work.ports import StateStore
    from index.ports import Embedder, VectorIndex
    from index.retrieval import Retriever

log = logging.getLogger(__name__)


@asynccontextmanager
async def opened_parts(
    settings: Settings,
    client: SlackClient,
    store: StateStore,
    audit: AuditLog,
    index: VectorIndex,
    embedder: Embedder,
    retriever: Retriever,
) -> AsyncIterator[Callable[[], Awaitable[Parts]]]:
    """Yield what returns the parts as they are now; model and servers are closed with the block.

    Raises SettingsError, as what is yielded does.
    """
    from handlers.tools.approvals import Approvals
    from handlers.tools.parts import Parts

    own = agent_tools.built_in(settings, client, index, embedder, retriever)
    async with AsyncExitStack() as stack:
        names = [tool.name for tool in own]
        connected = await stack.enter_async_context(servers(settings, store, taken=names))
        model = tool_model(settings)
        stack.push_async_callback(model.aclose)
        bare = Parts(
            model=model,
            tools=(),
            approvals=Approvals(store),
            audit=audit,
            policy=agent_files.policy(settings),
            limits=limits(settings),
            approvers=tuple(settings.agent_approvers.split()),
            approval_seconds=settings.agent_approval_hours * 3600,
            window_tokens=settings.model_window,
            cost_of=cost_of(settings),
        )

        async def now() -> Parts:
            return replace(bare, tools=all_tools(own, await connected.tools() if connected else ()))

        yield now


def all_tools(own: Sequence[Tool], of_servers: Sequence[Tool]) -> tuple[Tool, ...]:
    """Return all tools, those of installed distributions too. Raises SettingsError."""
    found = with_installed(own, of_servers)
    for sentence in found.left_out:
        log.warning("%s", sentence)
    return found.tools


def with_installed(*parts: Sequence[Tool]) -> Offered:
    """Return these tools and those of installed distributions. Raises SettingsError."""
    from handlers.tools.offered import ToolsInvalid, offered

    try:
        return offered(*parts)
    except ToolsInvalid as error:
        raise SettingsError(list(error.problems)) from None


@asynccontextmanager
async def servers(
    settings: Settings, store: StateStore, *, taken: Collection[str] = ()
) -> AsyncIterator[ConnectedTools | None]:
    """Yield the MCP servers that are set up, None without any; ``taken`` are names of other tools.

    Raises SettingsError.
    """
    known = agent_files.mcp_servers(settings)
    if not known:
        # The SDK and what it brings take most of a second to load.
        yield None
        return
    from handlers.adapters.mcp_connected import connected_tools
    from handlers.tools.pins import Pins

    async with connected_tools(known, Pins(store), taken=taken) as connected:
        yield connected


def tool_model(settings: Settings) -> OpenAIToolModel:
    """Return the configured model as one that calls tools."""
    from handlers.adapters.openai_agent import OpenAIToolModel, ToolsAs

    key = settings.openai_api_key
    return OpenAIToolModel(
        model=settings.openai_model,
        api_key=key.get_secret_value() if key else "",
        base_url=settings.openai_base_url,
        tools_as=ToolsAs(settings.agent_tools.lower()),
    )


def limits(settings: Settings) -> Limits:
    """Return the bounds of one run."""
    from handlers.tools.limits import Limits

    return Limits(
        turns=settings.agent_turns,
        tokens=settings.agent_tokens,
        seconds=settings.agent_seconds,
        cost=settings.agent_cost or math.inf,
    )
