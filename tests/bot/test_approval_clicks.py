"""Deciding in Slack: signed clicks over HTTP, through the real app, on the strict local Slack."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import rfc8785

from bot import approval_messages as messages
from bot.agent_thread import AgentThread
from bot.app import create_app, make_client
from bot.approval_parts import APPROVE, EDIT, PAGE, PAGE_BACK, REJECT, SHOW, UNDO
from bot.approval_values import asked_value
from bot.client import SlackClient
from bot.conversation import Citation, Mention, Place, Vote
from bot.playground import Playground, PlaygroundMisuse
from bot.proposals import Decided, Decision, Proposal, Ruling, Verb
from tests.bot.test_approval_cards import buttons, long, preformatted, text_of
from tests.bot.test_on_the_playground import over_http
from tests.conftest import Emitted
from tests.doubles.proposal_desk import UNTIL, ScriptedDesk, call, proposal
from tests.doubles.slack_signing import SECRET, click_request, event_request

NOW = UNTIL - timedelta(hours=1)


class Program(ScriptedDesk):
    """A desk for an app in which nobody asks anything else."""

    async def mentioned(self, mention: Mention, *, response_url: str = "") -> None:
        """Take no notice."""

    async def footnote(self, key: str, number: int, user: str) -> Citation | None:
        return None

    async def voted(self, vote: Vote) -> None:
        """Take no notice."""


@pytest.fixture
def program() -> Program:
    return Program(proposal())


@pytest.fixture
async def slack(program: Program, emitted: Emitted) -> AsyncIterator[Playground]:
    """A playground whose app is ours, over signed HTTP."""
    async with (
        Playground(signing_secret=SECRET, retry_delays=(0.1, 0.1, 0.1)) as playground,
        AsyncExitStack() as stack,
    ):
        client = make_client("xoxb-playground", playground.api_url)
        app = create_app(
            program,
            signing_secret=SECRET,
            token="xoxb-playground",
            client=client,
            now=lambda: NOW,
        )
        playground.events_url = await over_http(app, stack)
        yield playground
    for _, arguments, response in playground.calls:
        assert response["ok"], response
        for name, kind in (("blocks", "message"), ("view", "modal")):
            if arguments.get(name):
                emitted(kind, arguments[name])


@pytest.fixture
def client(slack: Playground) -> SlackClient:
    return make_client("xoxb-playground", slack.api_url)


class Card:
    """The card of a proposal in a thread that Alice began in #general."""

    def __init__(self, slack: Playground, root: str, ts: str) -> None:
        self.slack, self.root, self.ts = slack, root, ts

    @property
    def blocks(self) -> list[dict[str, Any]]:
        thread = self.slack.messages("general", self.root)
        return next(m["blocks"] for m in thread if m["ts"] == self.ts)

    async def press(self, user: str, action: str, value: str | None = None) -> None:
        await self.slack.click(user, "general", self.ts, action, value)


async def carded(slack: Playground, client: SlackClient, shown: Proposal) -> Card:
    root = await slack.say("alice", "general", "@Footnote agent: open an issue")
    mention = Mention(slack.team, "CGENERAL", "UALICE", root, root, Place.CHANNEL, "")
    thread = AgentThread(client, mention, posted=_nobody, now=lambda: NOW)
    return Card(slack, root, await thread.ask(shown))


async def _nobody(ts: str) -> None:
    """Take no notice of a message that was posted."""


@pytest.mark.parametrize(
    ("action", "verb", "said"),
    [(APPROVE, Verb.APPROVE, "Approved by <@UBOB>"), (REJECT, Verb.REJECT, "Rejected by <@UBOB>")],
)
async def test_a_click_decides_and_the_card_says_who_did(
    slack: Playground, client: SlackClient, program: Program, action: str, verb: Verb, said: str
) -> None:
    card = await carded(slack, client, proposal())
    await card.press("bob", action)
    (decision,) = program.decisions
    assert decision == Decision(
        slack.team, "CGENERAL", card.ts, "UBOB", verb, ((call().approval, call().nonce),)
    )
    assert said in text_of(card.blocks) and buttons(card.blocks) == []
    assert slack.ephemerals("bob") == []


async def test_several_calls_are_decided_one_by_one_or_together(
    slack: Playground, client: SlackClient, program: Program
) -> None:
    calls = [call(n) for n in (1, 2, 3)]
    program.known = proposal(*calls)
    card = await carded(slack, client, program.known)
    await card.press("bob", REJECT, asked_value([(calls[1].approval, calls[1].nonce)]))
    assert "Rejected by <@UBOB>" in text_of(card.blocks)
    assert buttons(card.blocks)[-2:] == [messages.APPROVE_ALL, messages.REJECT_ALL]
    rest = [(c.approval, c.nonce) for c in (calls[0], calls[2])]
    await card.press("bob", APPROVE, asked_value(rest))
    assert program.decisions[-1].calls == tuple(rest)
    assert text_of(card.blocks).count("Approved by <@UBOB>") == 2 and buttons(card.blocks) == []


@pytest.mark.parametrize(
    "ruling",
    [
        Ruling.DECIDED_BEFORE,
        Ruling.EXPIRED,
        Ruling.NOT_AN_APPROVER,
        Ruling.ELSEWHERE,
        Ruling.SHOWN_OTHERWISE,
        Ruling.TOOL_CHANGED,
        Ruling.GONE,
    ],
)
async def test_whoever_is_refused_is_told_and_nobody_else(
    slack: Playground, client: SlackClient, program: Program, ruling: Ruling
) -> None:
    card = await carded(slack, client, proposal())
    before = card.blocks
    program.answers = [Decided(ruling)]
    await card.press("alice", APPROVE)
    (told,) = slack.ephemerals("alice")
    assert (told["text"], told["thread_ts"]) == (messages.REFUSED[ruling], card.root)
    assert slack.ephemerals("bob") == [] and card.blocks == before
    assert slack.messages("general", card.root)[-1]["ts"] == card.ts


async def test_a_card_that_shows_old_arguments_is_drawn_anew_with_those_that_hold(
    slack: Playground, client: SlackClient, program: Program
) -> None:
    card = await carded(slack, client, proposal())
    program.known = proposal(call(1, '{"title":"Scanner"}', nonce="f" * 32))
    program.answers = [program.standing(Ruling.SHOWN_OTHERWISE)]
    await card.press("bob", APPROVE)
    assert "Scanner" in preformatted(card.blocks)
    assert messages.APPROVE in buttons(card.blocks)
    assert [m["text"] for m in slack.ephemerals("bob")] == [
        messages.REFUSED[Ruling.SHOWN_OTHERWISE]
    ]


async def test_a_decision_that_was_not_taken_is_asked_for_again(
    slack: Playground, client: SlackClient, program: Program
) -> None:
    card = await carded(slack, client, proposal())
    program.broken = True
    await card.press("bob", APPROVE)
    assert [m["text"] for m in slack.ephemerals("bob")] == [messages.COULD_NOT_DECIDE]
    assert messages.APPROVE in buttons(card.blocks)


async def test_a_card_that_slack_does_not_draw_is_no_reason_to_lose_the_decision(
    slack: Playground, client: SlackClient, program: Program
) -> None:
    card = await carded(slack, client, proposal())
    slack.fail_next("chat.update", delay=2.0)
    await card.press("bob", APPROVE)
    assert len(program.decisions) == 1
    assert slack.deliveries[-1].acknowledged


async def test_editing_opens_the_arguments_and_approves_what_was_submitted(
    slack: Playground, client: SlackClient, program: Program
) -> None:
    card = await carded(slack, client, proposal())
    await card.press("bob", EDIT)
    (view,) = slack.views("bob")
    (field,) = [b for b in view["blocks"] if b["type"] == "input"]
    assert json.loads(field["element"]["initial_value"]) == {"title": "Printer"}
    edited = '{"title": "Printer on\nfloor 2"}'
    await slack.submit("bob", {field["block_id"]: {"json": {"value": edited}}})
    (decision,) = program.decisions
    assert (decision.verb, decision.user, decision.message_ts) == (Verb.APPROVE, "UBOB", card.ts)
    assert decision.arguments == '{"title": "Printer on\\nfloor 2"}'
    assert slack.views("bob") == []
    assert "floor 2" in preformatted(card.blocks) and buttons(card.blocks) == []


async def test_what_is_wrong_with_edited_arguments_stands_at_the_field(
    slack: Playground, client: SlackClient, program: Program
) -> None:
    card = await carded(slack, client, proposal())
    await card.press("bob", EDIT)
    broken = {"arguments-0": {"json": {"value": '{"title": '}}}
    assert "not JSON" in (await slack.submit("bob", broken))["errors"]["arguments-0"]
    assert program.decisions == []
    program.answers = [Decided(Ruling.BAD_ARGUMENTS, reason="The title is too long.")]
    answer = await slack.submit("bob")
    assert answer["errors"] == {"arguments-0": "The title is too long."}
    assert len(slack.views("bob")) == 1
    assert messages.APPROVE in buttons(card.blocks)


async def test_whoever_may_not_decide_is_told_so_in_the_dialog(
    slack: Playground, client: SlackClient, program: Program
) -> None:
    card = await carded(slack, client, proposal())
    await card.press("alice", EDIT)
    program.answers = [Decided(Ruling.NOT_AN_APPROVER)]
    await slack.submit("alice")
    (view,) = slack.views("alice")
    assert messages.REFUSED[Ruling.NOT_AN_APPROVER] in text_of(view)
    assert "submit" not in view or view["submit"] is None
    assert messages.APPROVE in buttons(card.blocks)


async def test_long_arguments_are_read_page_by_page_and_approved_on_the_last(
    slack: Playground, client: SlackClient, program: Program
) -> None:
    program.known = proposal(call(1, long(2_000)))
    card = await carded(slack, client, program.known)
    assert messages.APPROVE not in buttons(card.blocks)
    await card.press("bob", SHOW)
    with pytest.raises(PlaygroundMisuse):
        await slack.click_view("bob", PAGE_BACK)
    seen = []
    while True:
        (view,) = slack.views("bob")
        seen.append(preformatted(view["blocks"]))
        if view["submit"]:
            break
        await slack.click_view("bob", PAGE)
    assert len(seen) > 1 and "line 1999" in seen[-1]
    await slack.click_view("bob", PAGE_BACK)
    await slack.click_view("bob", PAGE)
    await slack.submit("bob")
    (decision,) = program.decisions
    assert decision.calls == ((call().approval, call().nonce),) and decision.arguments is None
    assert decision.message_ts == card.ts and slack.views("bob") == []
    assert "Approved by <@UBOB>" in text_of(card.blocks)


async def test_what_changes_while_it_is_read_is_read_from_the_start(
    slack: Playground, client: SlackClient, program: Program
) -> None:
    program.known = proposal(call(1, long(2_000)))
    card = await carded(slack, client, program.known)
    await card.press("bob", SHOW)
    changed = rfc8785.dumps({"body": "other\n" * 3_000}).decode()
    program.known = proposal(call(1, changed, nonce="f" * 32))
    await slack.click_view("bob", PAGE)
    (view,) = slack.views("bob")
    assert messages.CHANGED_MEANWHILE in text_of(view) and "submit" in view
    assert view["title"]["text"].startswith("Page 1 of") and view["submit"] is None
    while not slack.views("bob")[0]["submit"]:
        await slack.click_view("bob", PAGE)
    await slack.submit("bob")
    assert program.decisions[0].calls == ((call().approval, "f" * 32),)


@pytest.mark.parametrize("action", [SHOW, EDIT])
async def test_a_dialog_about_what_is_gone_says_so(
    slack: Playground, client: SlackClient, program: Program, action: str
) -> None:
    card = await carded(slack, client, proposal(call(1, long(900), origins=("o" * 999,))))
    program.known = None
    await card.press("bob", action)
    (view,) = slack.views("bob")
    assert messages.REFUSED[Ruling.GONE] in text_of(view)


async def test_a_dialog_that_does_not_open_is_explained_privately(
    slack: Playground, client: SlackClient, program: Program
) -> None:
    card = await carded(slack, client, proposal())
    program.broken = True
    await card.press("bob", EDIT)
    assert messages.COULD_NOT_SHOW in text_of(slack.views("bob"))
    await slack.close_view("bob")
    program.broken = False
    slack.fail_next("views.open", delay=2.7)
    await card.press("bob", EDIT)
    assert slack.ephemerals("bob")[-1]["text"] == messages.COULD_NOT_SHOW


async def test_undo_goes_to_the_desk_and_its_answer_to_whoever_clicked(
    slack: Playground, client: SlackClient, program: Program
) -> None:
    root = await slack.say("alice", "general", "@Footnote agent: open an issue")
    mention = Mention(slack.team, "CGENERAL", "UALICE", root, root, Place.CHANNEL, "")
    thread = AgentThread(client, mention, posted=_nobody)
    run = f"{slack.team}:CGENERAL:{root}"
    ts = await thread.say_undo("I opened the issue.", run, "call-1")
    await slack.click("bob", "general", ts, UNDO)
    assert program.undone == [(slack.team, "CGENERAL", run, "call-1", "UBOB")]
    program.broken = True
    await slack.click("bob", "general", ts, UNDO)
    said = [m["text"] for m in slack.ephemerals("bob")]
    assert said == ["I'm taking it back.", messages.COULD_NOT_UNDO]
    await thread.rewrite(ts, "I took it back.")
    assert buttons(slack.messages("general", root)[-1]["blocks"]) == []


async def test_stop_reaches_the_desk_and_is_told_again_until_it_was_heard(
    slack: Playground, client: SlackClient, program: Program
) -> None:
    root = await slack.say("alice", "general", "@Footnote agent: open an issue")
    mention = Mention(slack.team, "CGENERAL", "UALICE", root, root, Place.CHANNEL, "")
    thread = AgentThread(client, mention, posted=_nobody)
    with pytest.raises(PlaygroundMisuse):
        await slack.stop_session("bob", "general", root)
    await thread.session("processing")
    program.broken = True
    await slack.stop_session("bob", "general", root)
    await slack.wait_until(lambda: slack.deliveries[-1].tries)
    program.broken = False
    await slack.wait_until(lambda: program.stops or None)
    assert program.stops == [(slack.team, "CGENERAL", root, "UBOB")]
    await thread.session("suspended")
    assert slack.status("general", root).session == "suspended"


ODD = [None, "", "nonsense", 5, ["x"], {"calls": 1}, '{"calls":[["a"]]}', "[" * 5_000]


@pytest.mark.parametrize("action", [APPROVE, REJECT, SHOW, EDIT, PAGE, PAGE_BACK, UNDO])
@pytest.mark.parametrize("value", ODD)
async def test_odd_clicks_are_acknowledged_and_decide_nothing(
    slack: Playground, program: Program, action: str, value: Any
) -> None:
    app = create_app(program, signing_secret=SECRET, token="x", base_url=slack.api_url)
    odd = {"type": "button", "action_id": action, "block_id": "b", "value": value}
    body, headers = click_request({"type": "block_actions", "actions": [odd], "view": {}})
    assert (await app.receive(headers, body)).status == 200
    assert program.decisions == [] and program.undone == []
    slack.calls.clear()


@pytest.mark.parametrize("callback", ["approval.arguments", "approval.edit"])
@pytest.mark.parametrize("value", ODD)
async def test_odd_submissions_are_acknowledged_and_decide_nothing(
    slack: Playground, program: Program, callback: str, value: Any
) -> None:
    app = create_app(program, signing_secret=SECRET, token="x", base_url=slack.api_url)
    state = {"values": {"arguments-0": value if callback.endswith("edit") else 1}}
    view = {"type": "modal", "callback_id": callback, "private_metadata": value, "state": state}
    body, headers = click_request({"type": "view_submission", "view": view})
    assert (await app.receive(headers, body)).status == 200
    assert program.decisions == []


@pytest.mark.parametrize("event", [{}, {"channel": "C1"}, {"channel": "C1", "thread_ts": 5}])
async def test_a_stop_that_names_no_thread_is_acknowledged(
    slack: Playground, program: Program, event: dict[str, Any]
) -> None:
    app = create_app(program, signing_secret=SECRET, token="x", base_url=slack.api_url)
    event = {"type": "agent_session_stopped", **event}
    body, headers = event_request({"type": "event_callback", "team_id": "T1", "event": event})
    assert (await app.receive(headers, body)).status == 200
    assert program.stops == []


async def test_no_argument_reaches_a_log(
    slack: Playground, client: SlackClient, program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = proposal(call(1, '{"title":"Sesame"}'))
    program.known = secret
    card = await carded(slack, client, secret)
    await card.press("bob", EDIT)
    await slack.submit("bob", {"arguments-0": {"json": {"value": '{"Sesame": '}}})
    program.broken = True
    await slack.submit("bob")
    await card.press("bob", APPROVE)
    ours = [r.getMessage() for r in caplog.records if r.name.startswith("bot")]
    assert not any("Sesame" in line for line in ours)
    assert replace(secret) == secret and "Sesame" not in repr(secret)
