"""Webhooks: the operator's list is all there is, and each is signed."""

import asyncio

import pytest
from jsonschema import Draft202012Validator

from bot.conversation import Place
from handlers.adapters.webhooks import Hook, HooksInvalid, SendWebhook, read_hooks
from handlers.tools.errors import ToolRefused, ToolUnavailable
from handlers.tools.ports import Caller, Effect, ToolContext, Undoable
from index.audience import Audience
from tests.doubles.hooks import Hooks
from tests.doubles.stand_in import Trouble


def context(call: str = "c1") -> ToolContext:
    caller = Caller("T1", "C1", "U1", "1.1", Place.CHANNEL)
    deadline = asyncio.get_running_loop().time() + 5
    return ToolContext(caller, Audience.everyone(), call, deadline)


def tool(server: Hooks, **changed: str) -> SendWebhook:
    secrets = {**server.secrets, **changed}
    hooks = [
        Hook(name, f"{server.url}/{name}?key=k%20y", f"about {name}", secret)
        for name, secret in secrets.items()
    ]
    return SendWebhook({one.name: one for one in hooks}, seconds=0.5)


async def test_a_hook_is_sent_signed_and_once_a_call() -> None:
    async with Hooks({"deploys": "s3cret", "open": ""}) as server:
        send = tool(server)
        server.trouble(Trouble(after=True, cut=True))
        with pytest.raises(ToolUnavailable):
            await send.run({"hook": "deploys", "text": "Go"}, context())
        done = await send.run({"hook": "deploys", "text": "Go"}, context())
        await send.run({"hook": "open", "text": "Änderung"}, context("c2"))
        assert server.received == {"deploys": ["Go"], "open": ["Änderung"]}
        assert done.text == 'The webhook deploys took it. It answered: {"accepted": true}'
        assert done.url == "" and done.undo is None
        assert {one.query["key"] for one in server.asked} == {"k y"}
        assert send.effect is Effect.FETCH and not isinstance(send, Undoable)


async def test_the_model_can_name_a_hook_and_nothing_else() -> None:
    async with Hooks({"deploys": ""}) as server:
        send = tool(server)
        schema = Draft202012Validator(dict(send.parameters))
        assert schema.is_valid({"hook": "deploys", "text": "x"})
        for wrong in (
            {"hook": "https://evil.example", "text": "x"},
            {"hook": "deploys", "text": "x", "url": "https://evil.example"},
            {"hook": "deploys", "text": " "},
            {"hook": "deploys", "text": "x" * 3_001},
        ):
            assert not schema.is_valid(wrong)
        with pytest.raises(ToolRefused):
            await send.run({"hook": "../deploys", "text": "x"}, context())
        assert server.asked == []
        assert "about deploys" in send.description and server.url not in str(send.parameters)


async def test_a_wrong_secret_and_a_redirect_are_refused() -> None:
    async with Hooks({"deploys": "right"}) as server:
        with pytest.raises(ToolRefused, match=r"403.*bad signature"):
            await tool(server, deploys="wrong").run({"hook": "deploys", "text": "x"}, context())
        server.trouble(Trouble(status=307, headers={"Location": f"{server.url}/deploys"}))
        with pytest.raises(ToolRefused, match="another address"):
            await tool(server).run({"hook": "deploys", "text": "x"}, context())
        assert server.received["deploys"] == []


async def test_an_answer_is_shown_on_one_short_line() -> None:
    async with Hooks({"open": ""}) as server:
        server.trouble(Trouble(status=200, content=b'["' + b"x\\n" * 5_000 + b'"]'))
        done = await tool(server).run({"hook": "open", "text": "x"}, context())
        assert len(done.text) < 1_100 and "\n" not in done.text
        server.trouble(Trouble(status=200, content=b"ok, thanks"))
        done = await tool(server).run({"hook": "open", "text": "x"}, context())
        assert done.text == "The webhook open took it."


GOOD = """
[[hook]]
name = "deploys"
address = "https://ci.acme.example/hooks?key=1"
about = "tells the team"
secret = "ci"

[[hook]]
name = "plain"
address = "https://ci.acme.example/plain"
"""


def test_the_file_of_hooks_names_secrets_and_holds_none() -> None:
    hooks = read_hooks(GOOD, {"ci": "s3cret"}.__getitem__)
    assert list(hooks) == ["deploys", "plain"]
    assert hooks["deploys"].secret == "s3cret" and hooks["plain"].secret == ""
    assert "s3cret" not in repr(hooks) and "key=1" not in repr(hooks)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[[hook]",
        "[hook]",
        "[[hooks]]",
        '[[hook]]\nname = "a b"\naddress = "https://x.example"',
        '[[hook]]\naddress = "https://x.example"',
        '[[hook]]\nname = "a"',
        '[[hook]]\nname = "a"\naddress = "http://x.example"',
        '[[hook]]\nname = "a"\naddress = "https://x.example"\nmethod = "GET"',
        '[[hook]]\nname = "a"\naddress = "https://x.example"\nabout = 3',
        '[[hook]]\nname = "a"\naddress = "https://x.example"\n' * 2,
    ],
)
def test_a_file_of_hooks_that_means_nothing_is_refused_whole(text: str) -> None:
    with pytest.raises(HooksInvalid):
        read_hooks(text, lambda name: "")
