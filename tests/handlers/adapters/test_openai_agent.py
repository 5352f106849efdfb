"""OpenAIToolModel against a scripted server over real HTTP."""

import asyncio
import logging
from collections.abc import Sequence

import pytest

from handlers.adapters.openai_agent import OpenAIToolModel
from handlers.adapters.text_calls import calls_in
from handlers.answering.errors import ModelRefused, ModelUnavailable, ToolsUnsupported
from handlers.answering.ports import Usage
from handlers.tools.ports import AgentMessage, ModelTurn, ToolCall
from tests.doubles.agent_office import CountingTool
from tests.doubles.scripted_agent import Asked, ScriptedAgent, Turn

KEY = "sk-very-secret-0123456789"
TOOLS = (CountingTool("search"), CountingTool("open_issue"))
MOST = 700
ASKED = (AgentMessage("system", "Be brief."), AgentMessage("user", "Find it."))


async def ask(
    server: ScriptedAgent,
    messages: Sequence[AgentMessage] = ASKED,
    *,
    conclude: bool = False,
    seconds: float = 10.0,
    times: int = 1,
) -> ModelTurn:
    model = OpenAIToolModel(
        model="scripted",
        api_key=KEY,
        base_url=server.base_url,
        turn_timeout=seconds,
        retry_wait=0.01,
    )
    try:
        for _ in range(times):
            deadline = asyncio.get_running_loop().time() + 20
            turn = await model.turn(
                messages, TOOLS, deadline=deadline, most_tokens=MOST, conclude=conclude
            )
    finally:
        await model.aclose()
    return turn


async def test_calls_text_and_usage_are_read() -> None:
    calls = [("search", {"query": "a"}), ("open_issue", "{not json")]
    async with ScriptedAgent(lambda asked: Turn("Let me see.", calls)) as server:
        turn = await ask(server)
    assert turn == ModelTurn(
        "Let me see.",
        (
            ToolCall("call_0", "search", '{"query": "a"}'),
            ToolCall("call_1", "open_issue", "{not json"),
        ),
        Usage(11, 7),
    )
    (asked,) = server.asked
    assert asked.tools == ["search", "open_issue"]
    assert not asked.concluding


async def test_a_conversation_with_calls_and_results_is_sent_as_one() -> None:
    said = (
        *ASKED,
        AgentMessage(
            "assistant",
            "",
            (ToolCall("t1", "search", '{"query":"a"}'), ToolCall("t2", "search", "{broken")),
        ),
        AgentMessage("tool", "Found.", call_id="t1"),
        AgentMessage("tool", "No.", call_id="t2"),
    )
    async with ScriptedAgent(lambda asked: Turn("Done.")) as server:
        await ask(server, said)
    sent = server.asked[0].messages
    assert sent[2]["content"] is None
    assert [call["function"]["arguments"] for call in sent[2]["tool_calls"]] == [
        '{"query":"a"}',
        "{}",
    ]
    assert sent[3] == {"role": "tool", "content": "Found.", "tool_call_id": "t1"}


async def test_a_last_turn_may_call_nothing() -> None:
    async with ScriptedAgent(lambda asked: Turn("Done.")) as server:
        assert (await ask(server, conclude=True)).text == "Done."
    assert server.asked[0].concluding


async def test_a_server_that_does_not_know_tool_choice_is_asked_without_it() -> None:
    def decide(asked: Asked) -> Turn:
        if asked.concluding:
            return Turn(status=400, message="Unknown argument: tool_choice")
        return Turn("Done.")

    async with ScriptedAgent(decide) as server:
        assert (await ask(server, conclude=True, times=2)).text == "Done."
    assert [asked.concluding for asked in server.asked] == [True, False, False]


async def test_a_turn_has_an_end_also_where_the_model_finds_none() -> None:
    async with ScriptedAgent(lambda asked: Turn("Done.")) as server:
        await ask(server)
        await ask(server, conclude=True)
    assert [asked.body["max_tokens"] for asked in server.asked] == [MOST, MOST]


async def test_a_model_that_counts_its_thoughts_is_told_the_end_by_their_name() -> None:
    def decide(asked: Asked) -> Turn:
        if "max_tokens" in asked.body:
            return Turn(
                status=400,
                message="Unsupported parameter: 'max_tokens' is not supported with this model. "
                "Use 'max_completion_tokens' instead.",
            )
        return Turn("Done.")

    async with ScriptedAgent(decide) as server:
        assert (await ask(server, times=2)).text == "Done."
    assert [asked.body.get("max_completion_tokens") for asked in server.asked] == [
        *(None, MOST, MOST)
    ]
    assert all("temperature" in asked.body for asked in server.asked)


async def test_a_server_that_knows_no_end_of_a_turn_is_asked_without() -> None:
    unknown = ("temperature", "max_tokens", "max_completion_tokens")

    def decide(asked: Asked) -> Turn:
        named = next((one for one in unknown if one in asked.body), "")
        return Turn(status=422, message=f"Extra inputs: {named}") if named else Turn("Done.")

    async with ScriptedAgent(decide) as server:
        # What it does not know it says one by one, which is no reason to give up.
        assert (await ask(server)).text == "Done."
    assert len(server.asked) == 4


async def test_a_server_that_does_not_say_what_it_rejects_is_asked_once_more_without_all() -> None:
    def decide(asked: Asked) -> Turn:
        return Turn(status=400, message="Bad.") if "max_tokens" in asked.body else Turn("Done.")

    async with ScriptedAgent(decide) as server:
        assert (await ask(server)).text == "Done."
    assert len(server.asked) == 2
    assert not {"temperature", "max_completion_tokens"} & server.asked[1].body.keys()


async def test_a_model_that_thought_until_its_end_is_paid_for_once() -> None:
    async with ScriptedAgent(lambda asked: Turn("", finish_reason="length")) as server:
        turn = await ask(server)
    assert turn == ModelTurn("", (), Usage(11, 7), truncated=True)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "registry.ollama.ai/library/gemma does not support tools"),
        (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser'),
        (500, "tools param requires --jinja flag"),
        (404, "No endpoints found that support tool use."),
        (422, "Extra inputs are not permitted: tools"),
    ],
)
async def test_a_refusal_of_tools_is_told_from_every_other(status: int, message: str) -> None:
    async with ScriptedAgent(lambda asked: Turn(status=status, message=message)) as server:
        with pytest.raises(ToolsUnsupported):
            await ask(server)


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (400, "Invalid schema for function 'search': tools[0].function.parameters", ModelRefused),
        (401, f"Incorrect API key provided: {KEY}", ModelRefused),
        (413, "too long", ModelRefused),
        (503, "overloaded", ModelUnavailable),
    ],
)
async def test_other_refusals_keep_their_meaning_and_no_secret(
    status: int, message: str, error: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with ScriptedAgent(lambda asked: Turn(status=status, message=message)) as server:
        with pytest.raises(error) as raised:
            await ask(server)
    assert not isinstance(raised.value, ToolsUnsupported)
    assert KEY not in f"{raised.value!r}{caplog.text}"
    assert raised.value.__cause__ is None


async def test_a_busy_server_is_tried_again() -> None:
    def decide(asked: Asked) -> Turn:
        return Turn(status=500) if len(server.asked) < 3 else Turn("Done.")

    async with ScriptedAgent(decide) as server:
        assert (await ask(server)).text == "Done."


async def test_a_silent_server_is_given_up_in_time() -> None:
    async with ScriptedAgent(lambda asked: Turn("late", delay=30)) as server:
        with pytest.raises(ModelUnavailable, match="in time"):
            await ask(server, seconds=0.2)


async def test_a_reply_of_nothing_is_no_turn() -> None:
    async with ScriptedAgent(lambda asked: Turn("")) as server:
        with pytest.raises(ModelUnavailable):
            await ask(server)
    assert len(server.asked) == 3


async def test_a_turn_that_was_cut_short_says_so() -> None:
    async with ScriptedAgent(lambda asked: Turn("Half a", finish_reason="length")) as server:
        assert (await ask(server)).truncated


async def test_calls_that_come_as_text_are_read() -> None:
    text = '<tool_call>\n{"name": "search", "arguments": {"query": "a"}}\n</tool_call>'
    async with ScriptedAgent(lambda asked: Turn(text)) as server:
        turn = await ask(server)
    assert turn.text == ""
    assert turn.calls == (ToolCall("call0", "search", '{"query": "a"}'),)


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "search", "arguments": {"query": "a"}}',
        '```json\n{"name": "search", "parameters": {"query": "a"}}\n```',
        '[TOOL_CALLS] [{"name": "search", "arguments": {"query": "a"}}]',
        '[{"function": {"name": "search", "arguments": "{\\"query\\": \\"a\\"}"}}]',
    ],
)
def test_every_form_of_a_call_as_text_is_known(text: str) -> None:
    assert calls_in(text, ["search"]) == [("search", '{"query": "a"}')]


@pytest.mark.parametrize(
    "text",
    [
        'The page says {"name": "search", "arguments": {}}',
        '<tool_call>{"name": "other", "arguments": {}}</tool_call>',
        '<tool_call>{"name": "search", "arguments": {}}</tool_call> and more',
        '{"name": "search"}',
        "[]",
        "",
        "{" * 5000,
    ],
)
def test_what_is_not_all_calls_calls_nothing(text: str) -> None:
    assert calls_in(text, ["search"]) == []
