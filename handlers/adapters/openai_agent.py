"""Any OpenAI-compatible endpoint as a ToolModel.

A turn is asked for in one piece: what servers stream of a call differs, and nobody reads along.
Servers that do not read the calls out of a model's text are helped (``text_calls.py``); a server
or a model that refuses tools is ToolsUnsupported. Where an operator knows that, the tools are told
as text instead, and each turn is held to a JSON Schema (``schema_turns.py``).
"""

import asyncio
import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

from handlers.adapters.breaker import Breaker
from handlers.adapters.openai_calls import (
    NOT_A_COMPLETION,
    NOT_IN_TIME,
    Endpoint,
    Failed,
    Failure,
    judged,
    until,
)
from handlers.adapters.text_calls import calls_in
from handlers.answering.errors import ModelUnavailable, ToolsUnsupported
from handlers.answering.ports import Usage
from handlers.tools.ports import AgentMessage, ModelTurn, Tool, ToolCall
from handlers.tools.schema_turns import plain_messages, read_turn, response_schema

if TYPE_CHECKING:
    from openai import OpenAIError

_REFUSING = frozenset({400, 404, 405, 422, 500, 501})
_TOOLS = re.compile(r"\btools?\b|function[ _-]?call|tool[ _-]use", re.I)
_SCHEMA = re.compile(r"schema|parameters|\btools?[.\[]\s*\d", re.I)
_NO_TOOLS = (
    "The language model that is configured cannot call tools: set OPENAI_MODEL, or the model of the"
    " agent, to one that can."
)
_ALWAYS: dict[str, object] = {"temperature": 0.0}
_CONCLUDING: dict[str, object] = {**_ALWAYS, "tool_choice": "none"}
"""Asked for, and left out from then on where a server rejects it."""

_MOST, _MOST_WITH_THOUGHTS = "max_tokens", "max_completion_tokens"
"""How a server is told where a turn is cut: nearly all know the first, those that refuse it the
second (https://platform.openai.com/docs/api-reference/chat/create).
"""


class ToolsAs(StrEnum):
    """How the model is told of tools: as the API has it, or as text with a schema for replies."""

    NATIVE = "native"
    SCHEMA = "schema"


class OpenAIToolModel:
    """Calls tools by chat completions: OpenAI, Azure, Ollama, vLLM, llama.cpp and others."""

    def __init__(
        self,
        *,
        model: str,
        api_key: str,
        base_url: str,
        tools_as: ToolsAs = ToolsAs.NATIVE,
        turn_timeout: float = 90.0,
        connect_timeout: float = 5.0,
        retry_wait: float = 0.5,
        breaker: Breaker | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Keep the settings; connects at the first call. All times are in seconds.

        ``turn_timeout`` bounds one try of a turn; the rest is as for ``OpenAIModel``.
        """
        self._tools_as = tools_as
        self._turn_timeout = turn_timeout
        self._endpoint = Endpoint(
            model=model,
            api_key=api_key,
            base_url=base_url,
            read_timeout=turn_timeout,
            connect_timeout=connect_timeout,
            retry_wait=retry_wait,
            breaker=breaker,
            jitter=jitter,
        )

    @property
    def name(self) -> str:
        """The name of the model."""
        return self._endpoint.model

    async def aclose(self) -> None:
        """Close the connections."""
        await self._endpoint.aclose()

    async def turn(
        self,
        messages: Sequence[AgentMessage],
        tools: Sequence[Tool],
        *,
        deadline: float,
        most_tokens: int,
        conclude: bool = False,
    ) -> ModelTurn:
        """Return the next turn. Raises ModelUnavailable, ModelRefused, ToolsUnsupported."""
        await self._endpoint.ready()
        by_schema = self._tools_as is ToolsAs.SCHEMA
        optional = _CONCLUDING if conclude and tools and not by_schema else _ALWAYS
        body = (_by_schema if by_schema else _natively)(messages, tools, conclude)
        left_out = self._endpoint.rejected
        attempt = 1
        while True:
            most = _MOST_WITH_THOUGHTS if _MOST in left_out else _MOST
            bounded = {**optional, most: most_tokens}
            asked = {name: value for name, value in bounded.items() if name not in left_out}
            failure: Failure | None = None
            try:
                turn = await self._attempt(body | asked, deadline, frozenset(asked))
            except Failed as failed:
                failure = failed.failure
            if failure is None:
                self._endpoint.worked(left_out)
                if by_schema:
                    return _read_by_schema(turn, conclude)
                return turn if turn.calls or conclude else _read_as_calls(turn, tools)
            before = left_out
            left_out = await self._endpoint.mended(failure, attempt, deadline, left_out, last=False)
            # Learning what a server does not know is no try.
            attempt += left_out == before

    async def _attempt(
        self, body: Mapping[str, Any], deadline: float, optional: frozenset[str]
    ) -> ModelTurn:
        """Ask once. Raises Failed, without a trace of the original error, which may quote."""
        import openai

        failure: Failure
        try:
            async with asyncio.timeout_at(until(deadline, self._turn_timeout)):
                completion = await self._endpoint.client().chat.completions.create(
                    model=self.name,
                    messages=cast("Any", body["messages"]),
                    extra_body={name: value for name, value in body.items() if name != "messages"},
                )
            turn = _turn(completion)
            if turn is not None:
                return turn
            failure = Failure(ModelUnavailable(NOT_A_COMPLETION), again=True)
        except TimeoutError:
            failure = Failure(ModelUnavailable(NOT_IN_TIME))
        except openai.OpenAIError as error:
            failure = judged(error, self.name, optional)
            if len(optional) > 1 and failure.rejects == optional:
                # It did not say which of them, so no other name for one of them is tried.
                failure = replace(failure, rejects=optional | {_MOST_WITH_THOUGHTS})
            if "tools" in body and _refuses_tools(error, optional):
                failure = Failure(ToolsUnsupported(_NO_TOOLS))
        except (ValueError, TypeError, AttributeError, KeyError):
            failure = Failure(ModelUnavailable(NOT_A_COMPLETION), again=True)
        raise Failed(failure) from None


def _refuses_tools(error: "OpenAIError", optional: frozenset[str]) -> bool:
    """Tell whether the endpoint said that it, or its model, takes no tools at all."""
    import openai

    if not isinstance(error, openai.APIStatusError) or error.status_code not in _REFUSING:
        return False
    said = f"{error.message} {error.body}"
    if any(name in said for name in optional):
        return False
    return bool(_TOOLS.search(said)) and not _SCHEMA.search(f"{said} {error.param or ''}")


def _natively(
    messages: Sequence[AgentMessage], tools: Sequence[Tool], conclude: bool
) -> dict[str, Any]:
    offered = {"tools": [_tool(one) for one in tools]} if tools else {}
    return {"messages": [_message(one) for one in messages], **offered}


def _by_schema(
    messages: Sequence[AgentMessage], tools: Sequence[Tool], conclude: bool
) -> dict[str, Any]:
    schema = {"name": "turn", "schema": response_schema(tools, conclude=conclude)}
    told = plain_messages(messages, tools, conclude=conclude)
    return {
        "messages": [{"role": one.role, "content": one.content} for one in told],
        "response_format": {"type": "json_schema", "json_schema": schema},
    }


def _read_by_schema(turn: ModelTurn, conclude: bool) -> ModelTurn:
    text, calls = read_turn(turn.text)
    return ModelTurn(text, () if conclude else calls, turn.usage, turn.truncated)


def _message(message: AgentMessage) -> dict[str, Any]:
    data: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.calls:
        data["content"] = message.content or None
        data["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": _object(call.arguments)},
            }
            for call in message.calls
        ]
    if message.role == "tool":
        data["tool_call_id"] = message.call_id
    return data


def _object(arguments: str) -> str:
    """Return the arguments, or an empty object: some servers fail at what is not one."""
    try:
        return arguments if isinstance(json.loads(arguments), dict) else "{}"
    except (ValueError, RecursionError):
        return "{}"


def _tool(tool: Tool) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": dict(tool.parameters),
        },
    }


def _turn(completion: object) -> ModelTurn | None:
    """Read any shape of completion, or return None for what is none: compatible servers differ."""
    choices = getattr(completion, "choices", None)
    if not isinstance(choices, list) or not choices:
        return None
    message = getattr(choices[0], "message", None)
    content = getattr(message, "content", None)
    text = content if isinstance(content, str) else ""
    calls = tuple(
        call
        for number, one in enumerate(getattr(message, "tool_calls", None) or [])
        if (call := _call(one, number)) is not None
    )
    truncated = getattr(choices[0], "finish_reason", None) == "length"
    # One that thought until its end says nothing, and asked again it would think as long again.
    if not text.strip() and not calls and not truncated:
        return None
    return ModelTurn(text, calls, _usage(getattr(completion, "usage", None)), truncated)


def _usage(usage: object) -> Usage:
    prompt, said = (getattr(usage, name, None) for name in ("prompt_tokens", "completion_tokens"))
    return Usage(prompt, said) if isinstance(prompt, int) and isinstance(said, int) else Usage()


def _call(data: object, number: int) -> ToolCall | None:
    function = getattr(data, "function", None)
    name, arguments = getattr(function, "name", None), getattr(function, "arguments", None)
    if not isinstance(name, str) or not name:
        return None
    if isinstance(arguments, dict):
        arguments = json.dumps(arguments)
    given = getattr(data, "id", None)
    return ToolCall(
        given if isinstance(given, str) and given else f"call{number}",
        name,
        arguments if isinstance(arguments, str) else "",
    )


def _read_as_calls(turn: ModelTurn, tools: Sequence[Tool]) -> ModelTurn:
    found = calls_in(turn.text, {tool.name for tool in tools})
    if not found:
        return turn
    calls = (ToolCall(f"call{n}", name, text) for n, (name, text) in enumerate(found))
    return ModelTurn("", tuple(calls), turn.usage, turn.truncated)
