"""The bot on the strict local Slack: every payload passes, over HTTP and over Socket Mode."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler

from bot import messages
from bot.app import FootnoteApp, create_app, make_client
from bot.blocks import answer_markdown, sentence_markdown
from bot.client import SlackClient, bot_user_id
from bot.conversation import Answer, Citation, Mention, Place, Question, Vote
from bot.playground import Playground
from bot.replies import PrivateReply, Reply, discard
from bot.threads import read_question
from tests.bot.conftest import NOW, Emitted
from tests.doubles.proposal_desk import ScriptedDesk
from tests.doubles.slack_signing import SECRET

APP_TOKEN = "xapp-playground"


class Program(ScriptedDesk):
    """Answers every mention with the same answer, in a task, as a worker would."""

    def __init__(self, client: SlackClient, answer: Answer) -> None:
        super().__init__()
        self.questions: list[Question] = []
        self.votes: list[Vote] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self._client = client
        self._answer = answer

    async def mentioned(self, mention: Mention, *, response_url: str = "") -> None:
        self.tasks.add(asyncio.create_task(self._work(mention, response_url)))

    async def footnote(self, key: str, number: int, user: str) -> Citation | None:
        return next((c for c in self._answer.citations if c.number == number), None)

    async def voted(self, vote: Vote) -> None:
        self.votes.append(vote)

    async def _work(self, mention: Mention, response_url: str) -> None:
        bot = await bot_user_id(self._client)
        if mention.place is Place.COMMAND:
            question = Question(mention.text)
        else:
            question = await read_question(self._client, mention, bot_user_id=bot)
        self.questions.append(question)
        key = f"{mention.team}:{mention.channel}:{mention.ts}"
        if mention.place is Place.COMMAND:
            await PrivateReply(self._client, mention, response_url, now=lambda: NOW).finish(
                self._answer, key
            )
            return
        reply = Reply(self._client, mention, now=lambda: NOW)
        await reply.status(messages.SEARCHING)
        for sentence in self._answer.sentences:
            await reply.append(sentence_markdown(sentence))
        await reply.finish(self._answer, key)


@pytest.fixture
async def playground(emitted: Emitted) -> AsyncIterator[Playground]:
    async with Playground(signing_secret=SECRET) as playground:
        yield playground
    for _, arguments, _ in playground.calls:
        if arguments.get("blocks"):
            emitted("message", arguments["blocks"])
        if arguments.get("view"):
            emitted(arguments["view"]["type"], arguments["view"])


@pytest.fixture
def client(playground: Playground) -> SlackClient:
    return make_client("xoxb-playground", playground.api_url)


@pytest.fixture
def program(client: SlackClient, answer: Answer) -> Program:
    return Program(client, answer)


@pytest.fixture(params=["http", "socket"])
async def connected(
    request: pytest.FixtureRequest, playground: Playground, client: SlackClient, program: Program
) -> AsyncIterator[Playground]:
    app = create_app(
        program,
        signing_secret=SECRET,
        token="xoxb-playground",
        base_url=playground.api_url,
        client=client,
        now=lambda: NOW,
    )
    async with AsyncExitStack() as stack:
        if request.param == "http":
            playground.events_url = await over_http(app, stack)
        else:
            handler = AsyncSocketModeHandler(app, APP_TOKEN)
            stack.push_async_callback(handler.close_async)
            await handler.connect_async()
            await playground.wait_until(lambda: playground.connected)
        yield playground
        await asyncio.gather(*program.tasks)


async def over_http(app: FootnoteApp, stack: AsyncExitStack) -> str:
    async def handle(request: web.Request) -> web.Response:
        answer = await app.receive(dict(request.headers), await request.read())
        return web.Response(status=answer.status, text=answer.body, headers=answer.first_headers())

    server = web.Application()
    server.router.add_post("/slack/events", handle)
    runner = web.AppRunner(server)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}/slack/events"


async def test_a_mention_is_answered_once_in_its_thread_and_its_footnote_opens(
    connected: Playground, program: Program, answer: Answer
) -> None:
    ts = await connected.say("alice", "general", "@Footnote how many days & when?")
    await connected.wait_until(lambda: program.tasks and all(t.done() for t in program.tasks))
    await connected.idle()
    assert [question.text for question in program.questions] == ["how many days & when?"]
    _, reply = connected.messages("general", ts)
    assert reply["text"] == answer_markdown(answer)
    assert reply["streaming_state"] == "completed"
    assert [b["type"] for b in reply["blocks"]] == [
        *("markdown", "section", "section", "context_actions")
    ]
    value = reply["blocks"][1]["accessory"]["value"]
    await connected.click("alice", "general", reply["ts"], "footnote.open", value)
    (view,) = await connected.wait_until(lambda: connected.views("alice"))
    assert view["title"]["text"] == "Footnote 1"
    await connected.click_view("alice", "footnote.document")


async def test_a_reader_says_whether_the_answer_helped_and_changes_their_mind(
    connected: Playground, program: Program
) -> None:
    ts = await connected.say("alice", "general", "@Footnote how many days?")
    await connected.wait_until(lambda: program.tasks and all(t.done() for t in program.tasks))
    reply = connected.messages("general", ts)[1]
    (buttons,) = reply["blocks"][-1]["elements"]
    for chosen in ("positive_button", "negative_button"):
        value = buttons[chosen]["value"]
        await connected.click("bob", "general", reply["ts"], buttons["action_id"], value)
    await connected.idle()
    key = f"{connected.team}:CGENERAL:{ts}"
    assert [(v.key, v.user, v.helpful) for v in program.votes] == [
        (key, "UBOB", True),
        (key, "UBOB", False),
    ]
    assert program.votes[0].clicked_at < program.votes[1].clicked_at
    assert connected.ephemerals("bob") == []


async def test_a_follow_up_in_the_thread_knows_what_was_said(
    connected: Playground, program: Program
) -> None:
    ts = await connected.say("alice", "general", "@Footnote how many days?")
    await connected.wait_until(lambda: program.tasks and all(t.done() for t in program.tasks))
    await connected.say("alice", "general", "thanks", ts)
    await connected.say("bob", "general", "@Footnote and part-time?", ts)
    await connected.wait_until(lambda: len(program.questions) == 2)
    await connected.idle()
    question = program.questions[1]
    assert question.text == "and part-time?"
    assert [(turn.by_bot, turn.text) for turn in question.history] == [
        (False, "how many days?"),
        (True, "Everybody gets 30 days of leave a year. Ask your manager two weeks before."),
        (False, "thanks"),
    ]


async def test_a_direct_message_is_answered_without_a_mention(
    connected: Playground, program: Program, answer: Answer
) -> None:
    ts = await connected.say("alice", "dm", "where is the form?")
    await connected.wait_until(lambda: program.tasks and all(t.done() for t in program.tasks))
    await connected.idle()
    assert len(program.questions) == 1
    assert connected.messages("dm", ts, user="alice")[1]["text"] == answer_markdown(answer)


async def test_a_command_is_answered_privately(connected: Playground, program: Program) -> None:
    acknowledged = await connected.command("bob", "general", "/ask", "how many days?")
    assert acknowledged["text"] == messages.SEARCHING
    await connected.wait_until(lambda: program.tasks and all(t.done() for t in program.tasks))
    said = connected.ephemerals("bob")[-1]
    assert [block["type"] for block in said["blocks"]] == ["markdown", "section", "section"]
    assert connected.messages("general") == []


async def test_where_a_command_can_be_answered_no_more_its_author_alone_sees_the_answer(
    playground: Playground, client: SlackClient, mention: Mention, answer: Answer
) -> None:
    command = replace(mention, place=Place.COMMAND)
    reply = PrivateReply(client, command, f"{playground.url}used-up", now=lambda: NOW)
    await reply.finish(answer, "key")
    (said,) = playground.ephemerals("alice")
    assert [block["type"] for block in said["blocks"]] == ["markdown", "section", "section"]
    assert len(playground.messages("general")) == 1


async def test_home_opens(connected: Playground) -> None:
    await connected.open_home("alice")
    home = await connected.wait_until(lambda: connected.home("alice"))
    assert home["type"] == "home"
    await connected.idle()


@pytest.fixture
async def mention(playground: Playground) -> Mention:
    ts = await playground.say("alice", "general", "@Footnote how many days?")
    return Mention(playground.team, "CGENERAL", "UALICE", ts, ts, Place.CHANNEL, "how many days?")


@pytest.mark.parametrize("method", ["chat.startStream", "chat.appendStream", "chat.stopStream"])
@pytest.mark.parametrize("after", [False, True])
async def test_a_cut_connection_leaves_one_whole_answer(
    playground: Playground,
    client: SlackClient,
    mention: Mention,
    answer: Answer,
    method: str,
    after: bool,
) -> None:
    playground.fail_next(method, cut=True, after=after)
    reply = Reply(client, mention, now=lambda: NOW)
    for sentence in answer.sentences:
        await reply.append(sentence_markdown(sentence))
    await reply.finish(answer, f"{mention.team}:{mention.channel}:{mention.ts}")
    (said,) = playground.messages("general", mention.ts)[1:]
    assert said["text"] == said["blocks"][0]["text"] == answer_markdown(answer)
    assert len(said["blocks"]) == 4


async def test_what_a_dead_worker_left_is_removed_even_while_it_streams(
    playground: Playground, client: SlackClient, mention: Mention, answer: Answer
) -> None:
    reply = Reply(client, mention, now=lambda: NOW)
    await reply.append(sentence_markdown(answer.sentences[0]))
    await discard(client, mention.channel, reply.message_ts)
    assert len(playground.messages("general", mention.ts)) == 1
