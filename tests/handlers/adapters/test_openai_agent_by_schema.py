"""A model whose server hands tools back as text: told of them in words, held to a schema."""

import asyncio
import json

from handlers.adapters.openai_agent import OpenAIToolModel, ToolsAs
from handlers.tools.ports import AgentMessage, ModelTurn
from tests.doubles.agent_office import CountingTool
from tests.doubles.scripted_agent import Asked, ScriptedAgent, Turn

SEARCH = CountingTool("search")
REQUEST = AgentMessage("user", "How long are backups kept?")


async def turn_of(
    server: ScriptedAgent, *messages: AgentMessage, conclude: bool = False
) -> ModelTurn:
    model = OpenAIToolModel(
        model="small", api_key="", base_url=server.base_url, tools_as=ToolsAs.SCHEMA
    )
    deadline = asyncio.get_running_loop().time() + 10
    try:
        return await model.turn(
            messages, [SEARCH], deadline=deadline, most_tokens=500, conclude=conclude
        )
    finally:
        await model.aclose()


async def test_a_call_comes_as_text_that_fits_the_schema_and_no_tools_are_sent() -> None:
    call = json.dumps({"tool": "search", "arguments": {"query": "backups"}})
    async with ScriptedAgent(lambda asked: Turn(call)) as server:
        turn = await turn_of(server, AgentMessage("system", "Be brief."), REQUEST)
    (asked,) = server.asked
    assert [(one.name, json.loads(one.arguments)) for one in turn.calls] == [
        ("search", {"query": "backups"})
    ]
    assert turn.text == ""
    assert not asked.tools
    assert "search: Looks something up." in asked.messages[0]["content"]
    assert asked.body["response_format"]["json_schema"]["schema"]["anyOf"]


async def test_the_result_of_a_call_is_told_in_words_and_what_is_said_comes_plain() -> None:
    def decide(asked: Asked) -> Turn:
        assert "Result of search:\n[1] 35 days." in asked.messages[-1]["content"]
        return Turn('{"say": "Backups are kept for 35 days. [1]"}')

    async with ScriptedAgent(lambda asked: Turn('{"tool": "search", "arguments": {}}')) as server:
        first = await turn_of(server, REQUEST)
        server.decide = decide
        turn = await turn_of(
            server,
            REQUEST,
            AgentMessage("assistant", "", first.calls),
            AgentMessage("tool", "[1] 35 days.", call_id=first.calls[0].id),
        )
    assert turn.text == "Backups are kept for 35 days. [1]"
    assert not turn.calls


async def test_a_call_in_the_last_turn_is_not_heard() -> None:
    async with ScriptedAgent(lambda asked: Turn('{"tool": "search", "arguments": {}}')) as server:
        turn = await turn_of(server, REQUEST, conclude=True)
    assert not turn.calls
    assert server.asked[0].body["response_format"]["json_schema"]["schema"]["required"] == ["say"]
