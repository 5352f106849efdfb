"""The app over signed HTTP: who gets in, what is accepted, what Slack is told."""

import asyncio
import io
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_bolt.request.async_request import AsyncBoltRequest

from bot import messages
from bot.app import FootnoteApp, create_app
from bot.conversation import Citation, Mention, Place, Vote
from bot.errors import FootnoteWithheld
from bot.screening import ReplayCache, screen_request
from tests.bot.conftest import NOW
from tests.doubles.proposal_desk import ScriptedDesk
from tests.doubles.slack_recorder import Failure, SlackRecorder
from tests.doubles.slack_signing import (
    SECRET,
    click_request,
    event_request,
    form_request,
    signature,
    signed,
)

Payload = Callable[[str], dict[str, Any]]
Request = tuple[bytes | io.BytesIO, dict[str, str]]


@dataclass
class Program(ScriptedDesk):
    """The rest of the program: it keeps what was accepted, and can be out of order."""

    accepted: list[tuple[Mention, str]] = field(default_factory=list)
    footnotes: dict[tuple[str, int], Citation] = field(default_factory=dict)
    strangers: set[str] = field(default_factory=set)
    votes: list[Vote] = field(default_factory=list)

    async def mentioned(self, mention: Mention, *, response_url: str = "") -> None:
        if self.broken:
            raise ConnectionError("the queue does not answer")
        self.accepted.append((mention, response_url))

    async def footnote(self, key: str, number: int, user: str) -> Citation | None:
        if self.broken:
            raise ConnectionError("the table does not answer")
        if user in self.strangers:
            raise FootnoteWithheld
        return self.footnotes.get((key, number))

    async def voted(self, vote: Vote) -> None:
        if self.broken:
            raise ConnectionError("the table does not answer")
        self.votes.append(vote)


@pytest.fixture
def program() -> Program:
    return Program()


@pytest.fixture
def app(program: Program, slack: SlackRecorder) -> FootnoteApp:
    return create_app(
        program,
        signing_secret=SECRET,
        token="xoxb-test",
        base_url=slack.api_url,
        now=lambda: NOW,
    )


@pytest.fixture
async def post(app: FootnoteApp) -> AsyncIterator[Callable[[Request], Any]]:
    """Deliver a request over real HTTP; return (status, body)."""

    async def handle(request: web.Request) -> web.Response:
        answer = await app.receive(dict(request.headers), await request.read())
        return web.Response(status=answer.status, text=answer.body, headers=answer.first_headers())

    server = web.Application(client_max_size=4_000_000)
    server.router.add_post("/slack/events", handle)
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    async with aiohttp.ClientSession() as session:

        async def send(request: Request) -> tuple[int, str]:
            body, headers = request
            url = f"http://{host}:{port}/slack/events"
            async with session.post(url, data=body, headers=headers) as response:
                return response.status, await response.text()

        yield send
    await runner.cleanup()


async def test_a_signed_mention_is_accepted(post: Any, program: Program, payload: Payload) -> None:
    status, _ = await post(event_request(payload("app_mention")))
    assert status == 200
    ((mention, response_url),) = program.accepted
    assert (mention.place, mention.user, response_url) == (Place.CHANNEL, "U061F7AUR", "")


async def test_accepting_a_mention_calls_nothing_of_slack(
    post: Any, slack: SlackRecorder, payload: Payload
) -> None:
    for name in ("app_mention", "message_twin", "message_im"):
        await post(event_request(payload(name)))
    assert slack.calls == []


def tampered(change: Callable[[dict[str, str]], None]) -> Request:
    body, headers = event_request({"type": "event_callback"})
    change(headers)
    return body, headers


def with_timestamp(timestamp: str) -> Request:
    body = b'{"type":"event_callback"}'
    return body, {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature(body, timestamp),
    }


@pytest.mark.parametrize(
    "request_",
    [
        tampered(lambda h: h.update({"X-Slack-Signature": "v0=" + "0" * 64})),
        tampered(lambda h: h.update({"X-Slack-Signature": ""})),
        tampered(lambda h: h.update({"X-Slack-Signature": "v0=ünïcode"})),
        tampered(lambda h: h.pop("X-Slack-Signature") and None),
        tampered(lambda h: h.pop("X-Slack-Request-Timestamp") and None),
        with_timestamp(str(int(time.time()) - 301)),
        with_timestamp(str(int(time.time()) + 4000)),
        with_timestamp("9" * 400),
        with_timestamp("-" + str(int(time.time()))),
        with_timestamp("12.5"),
        with_timestamp("1e9"),
        with_timestamp("now"),
        with_timestamp("٣"),
        with_timestamp(" "),
        (b"not json, not signed", {"Content-Type": "application/json"}),
        (b"\xff\xfe", {"Content-Type": "application/x-www-form-urlencoded"}),
    ],
)
async def test_what_is_not_from_slack_now_is_refused_with_401(
    post: Any, program: Program, request_: Request
) -> None:
    status, _ = await post(request_)
    assert status == 401
    assert program.accepted == []


@given(st.text(max_size=40), st.text(max_size=80))
def test_no_header_can_make_the_check_raise_or_pass(timestamp: str, given_signature: str) -> None:
    headers = {"x-slack-request-timestamp": timestamp, "X-Slack-Signature": given_signature}
    assert screen_request(headers, b"{}", SECRET, 1_700_000_000.0) is not None


async def test_a_request_that_reaches_bolt_by_another_door_is_checked_all_the_same(
    app: FootnoteApp, program: Program, payload: Payload
) -> None:
    body, headers = event_request(payload("app_mention"))
    headers["X-Slack-Request-Timestamp"] = "9" * 400
    response = await app.async_dispatch(AsyncBoltRequest(body=body.decode(), headers=headers))
    assert response.status == 401
    assert program.accepted == []


@pytest.mark.parametrize("body", [b"[1]", b"{", b"5", b'{"event": 5}', b'{"team": 5}', b"\xff"])
async def test_signed_nonsense_is_answered_with_400(post: Any, body: bytes) -> None:
    status, _ = await post((body, signed(body, "application/json")))
    assert status == 400


_ODD = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
_ODDER = _ODD | st.lists(_ODD, max_size=2) | st.dictionaries(st.text(max_size=5), _ODD, max_size=2)
_NAMES = st.sampled_from(
    "type event actions view command callback_id team user channel action_id block_id name".split()
)
_KINDS = st.sampled_from(
    "event_callback block_actions view_submission view_closed shortcut message_action"
    " block_suggestion url_verification".split()
)


@settings(max_examples=150, deadline=None)
@given(_KINDS, st.dictionaries(_NAMES, _ODDER | st.dictionaries(_NAMES, _ODDER, max_size=4)))
def test_no_signed_payload_is_odd_enough_for_a_500(kind: str, given_: dict[str, Any]) -> None:
    async def answer() -> int:
        program = Program()
        app = create_app(program, signing_secret=SECRET, token="xoxb-test")
        body = json.dumps({"type": kind, **given_}).encode()
        response = await app.receive(signed(body, "application/json"), body)
        return response.status

    assert asyncio.run(answer()) in (200, 400, 404)


async def test_a_body_that_slack_would_never_send_is_too_large(post: Any) -> None:
    body = b"x" * 1_100_000
    status, _ = await post((io.BytesIO(body), signed(body, "application/json")))
    assert status == 413


async def test_headers_cannot_choose_which_function_runs(
    post: Any, program: Program, payload: Payload
) -> None:
    more = {"x-slack-bolt-lazy-only": "1", "x-slack-bolt-lazy-function-name": "on_event"}
    status, _ = await post(event_request(payload("app_mention"), **more))
    assert status == 200
    assert len(program.accepted) == 1


async def test_what_was_not_accepted_is_not_acknowledged(
    post: Any, program: Program, payload: Payload
) -> None:
    program.broken = True
    status, _ = await post(event_request(payload("app_mention")))
    assert status == 500
    program.broken = False
    again = event_request(payload("app_mention"), X_Slack_Retry_Num="1")
    assert (await post(again))[0] == 200
    assert len(program.accepted) == 1


async def test_a_delivery_is_never_dropped_for_its_retry_header(
    post: Any, program: Program, payload: Payload
) -> None:
    more = {"X_Slack_Retry_Num": "3", "X_Slack_Retry_Reason": "http_timeout"}
    assert (await post(event_request(payload("message_im"), **more)))[0] == 200
    assert len(program.accepted) == 1


@pytest.mark.parametrize(
    "kind",
    [
        "agent_session_stopped",
        "app_context_changed",
        "reaction_added",
        "tokens_revoked",
        "app_uninstalled",
        "message",
        "something_new",
    ],
)
async def test_every_event_is_acknowledged(
    post: Any, program: Program, payload: Payload, kind: str
) -> None:
    envelope = payload("app_home_opened")
    envelope["event"] = {"type": kind, "tokens": {}}
    assert (await post(event_request(envelope)))[0] == 200
    assert program.accepted == []


async def test_the_address_is_verified_as_slack_asks(post: Any) -> None:
    challenge = {"type": "url_verification", "token": "x", "challenge": "3eZbrw1aB"}
    status, body = await post(event_request(challenge))
    assert (status, "3eZbrw1aB" in body) == (200, True)
    status, _ = await post((b"ssl_check=1&token=x", {"Content-Type": "application/x-www-form"}))
    assert status == 200


async def test_opening_home_shows_what_the_bot_is(
    post: Any, slack: SlackRecorder, payload: Payload
) -> None:
    assert (await post(event_request(payload("app_home_opened"))))[0] == 200
    (call,) = slack.of("views.publish")
    assert call["user_id"] == "U061F7AUR"
    assert call["view"]["type"] == "home"


async def test_home_names_the_agent_where_there_is_one(
    program: Program, slack: SlackRecorder, payload: Payload
) -> None:
    for agents in (True, False):
        app = create_app(
            program, signing_secret=SECRET, token="x", base_url=slack.api_url, agents=agents
        )
        body, headers = event_request(payload("app_home_opened"))
        assert (await app.receive(headers, body)).status == 200
    assert ["agent:" in str(call["view"]) for call in slack.of("views.publish")] == [True, False]


async def test_a_home_that_cannot_be_shown_is_no_reason_to_deliver_again(
    post: Any, slack: SlackRecorder, payload: Payload
) -> None:
    slack.fail("views.publish", Failure("not_enabled"))
    assert (await post(event_request(payload("app_home_opened"))))[0] == 200


async def test_a_command_is_accepted_with_its_response_url_and_acknowledged_privately(
    post: Any, program: Program, payload: Payload
) -> None:
    status, body = await post(form_request(payload("slash_command")))
    ((mention, response_url),) = program.accepted
    assert mention.place is Place.COMMAND
    assert response_url == payload("slash_command")["response_url"]
    assert status == 200
    assert json.loads(body)["text"] == messages.SEARCHING
    assert json.loads(body)["response_type"] == "ephemeral"


async def test_a_command_without_a_question_explains_itself(
    post: Any, program: Program, payload: Payload
) -> None:
    _, body = await post(form_request(payload("slash_command") | {"text": ""}))
    assert json.loads(body)["text"] == messages.USAGE
    assert program.accepted == []


async def test_the_author_of_a_command_hears_that_it_was_not_taken(
    post: Any, program: Program, payload: Payload
) -> None:
    program.broken = True
    status, body = await post(form_request(payload("slash_command")))
    assert (status, json.loads(body)["text"]) == (200, messages.COULD_NOT_TAKE)


async def test_a_replayed_command_or_click_is_refused(
    post: Any, program: Program, payload: Payload, slack: SlackRecorder
) -> None:
    for request in (
        form_request(payload("slash_command")),
        click_request(payload("footnote_click")),
    ):
        assert (await post(request))[0] == 200
        assert (await post(request))[0] == 401
    assert len(program.accepted) == 1
    assert len(slack.of("views.open")) == 1


def test_the_replay_cache_is_bounded_and_forgets_in_time() -> None:
    cache = ReplayCache(limit=2)
    assert cache.is_new("a", 0.0)
    assert not cache.is_new("a", 300.0)
    assert cache.is_new("a", 601.0)
    assert cache.is_new("b", 601.0)
    assert cache.is_new("c", 601.0)
    assert not cache.is_new("c", 601.0)
    assert cache.is_new("a", 601.0)


async def test_a_click_opens_the_footnote(
    post: Any, program: Program, payload: Payload, slack: SlackRecorder
) -> None:
    key = "T0FOOT:C0LAN2Q65:1700000000.000200"
    program.footnotes[key, 1] = Citation(1, "Leave policy", "https://a.example/l", "30 days.")
    assert (await post(click_request(payload("footnote_click"))))[0] == 200
    (call,) = slack.of("views.open")
    assert call["trigger_id"] == "12466734323.1395872398"
    assert "30 days." in json.dumps(call["view"])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('{"key":"T0FOOT:C0LAN2Q65:1.1","number":1}', messages.FOOTNOTE_GONE),
        ('{"key":"T0FOOT:C0OTHER:1.1","number":1}', messages.FOOTNOTE_ELSEWHERE),
        ('{"key":"T0OTHER:C0LAN2Q65:1.1","number":1}', messages.FOOTNOTE_ELSEWHERE),
        ("nonsense", messages.FOOTNOTE_GONE),
        (None, messages.FOOTNOTE_GONE),
    ],
)
async def test_a_click_on_what_cannot_be_shown_says_so(
    post: Any, payload: Payload, slack: SlackRecorder, program: Program, value: Any, said: str
) -> None:
    for key in ("T0FOOT:C0OTHER:1.1", "T0OTHER:C0LAN2Q65:1.1"):
        program.footnotes[key, 1] = Citation(1, "Secret", "", "secret")
    click = payload("footnote_click")
    click["actions"][0]["value"] = value
    assert (await post(click_request(click)))[0] == 200
    (call,) = slack.of("views.open")
    assert call["view"]["blocks"][0]["text"]["text"] == said


async def test_a_click_while_the_table_is_away_says_so(
    post: Any, payload: Payload, slack: SlackRecorder, program: Program
) -> None:
    program.broken = True
    assert (await post(click_request(payload("footnote_click"))))[0] == 200
    (call,) = slack.of("views.open")
    assert call["view"]["blocks"][0]["text"]["text"] == messages.FOOTNOTE_FAILED


async def test_a_footnote_stays_closed_to_whoever_may_not_read_its_document(
    post: Any, program: Program, payload: Payload, slack: SlackRecorder
) -> None:
    click = payload("footnote_click")
    program.footnotes["T0FOOT:C0LAN2Q65:1700000000.000200", 1] = Citation(1, "Plan", "", "Secret.")
    program.strangers.add(click["user"]["id"])
    assert (await post(click_request(click)))[0] == 200
    (call,) = slack.of("views.open")
    assert messages.FOOTNOTE_WITHHELD in json.dumps(call["view"])
    assert "Secret." not in json.dumps(call["view"])


async def test_a_footnote_that_slack_does_not_open_is_explained_privately(
    post: Any, payload: Payload, slack: SlackRecorder
) -> None:
    slack.fail("views.open", Failure("expired_trigger_id"))
    click = payload("footnote_click") | {"response_url": slack.response_url}
    assert (await post(click_request(click)))[0] == 200
    (said,) = slack.responses
    assert said["text"] == messages.FOOTNOTE_FAILED
    assert said["response_type"] == "ephemeral"


@pytest.mark.parametrize(("word", "helpful"), [("yes", True), ("no", False)])
async def test_a_vote_is_accepted_and_nothing_is_said(
    post: Any, program: Program, payload: Payload, slack: SlackRecorder, word: str, helpful: bool
) -> None:
    click = payload("feedback_click")
    click["actions"][0]["value"] = f"{word} {VOTED}"
    assert await post(click_request(click)) == (200, "")
    assert program.votes == [Vote(VOTED, "U061F7AUR", helpful, "1700000110.222000")]
    assert slack.calls == [] and slack.responses == []


VOTED = "T0FOOT:C0LAN2Q65:1700000000.000200"


@pytest.mark.parametrize(
    ("place", "odd"),
    [
        ("value", ""),
        ("value", None),
        ("value", 5),
        ("value", VOTED),
        ("value", f"maybe {VOTED}"),
        ("value", f"yes {VOTED}\n"),
        ("value", f"yes {VOTED} words that somebody wrote"),
        ("value", "yes T0FOOT:C0LAN2Q65:command-1"),
        ("value", "yes T0FOOT:C0OTHER:1700000000.000200"),
        ("value", "yes T0OTHER:C0LAN2Q65:1700000000.000200"),
        ("value", f"yes {VOTED}" + "0" * 5_000),
        ("value", "yes T0FOOT:C0LAN2Q65:\ud800"),
        ("action_ts", "now"),
        ("action_ts", "9" * 400),
        ("action_ts", None),
        ("user", None),
        ("user", {"id": "U1:U2"}),
        ("user", {"id": ["U061F7AUR"]}),
        ("channel", {"id": "C0OTHER"}),
        ("team", None),
    ],
)
async def test_a_vote_that_we_did_not_offer_is_acknowledged_and_ignored(
    post: Any,
    program: Program,
    payload: Payload,
    caplog: pytest.LogCaptureFixture,
    place: str,
    odd: Any,
) -> None:
    caplog.set_level(logging.INFO)
    click = payload("feedback_click")
    (click["actions"][0] if place in click["actions"][0] else click)[place] = odd
    assert (await post(click_request(click)))[0] == 200
    assert program.votes == []
    assert "not a vote" in caplog.text
    assert "somebody wrote" not in caplog.text


async def test_a_vote_that_was_not_kept_is_refused_so_that_slack_shows_it(
    post: Any, program: Program, payload: Payload
) -> None:
    program.broken = True
    assert (await post(click_request(payload("feedback_click"))))[0] == 500


async def test_link_buttons_and_unknown_clicks_are_acknowledged(
    post: Any, payload: Payload, slack: SlackRecorder
) -> None:
    for action in ("footnote.document", "from.an.older.version"):
        click = payload("footnote_click")
        click["actions"][0]["action_id"] = action
        assert (await post(click_request(click)))[0] == 200
    assert slack.calls == []


async def test_nothing_that_people_wrote_and_no_token_reaches_the_log(
    post: Any, program: Program, payload: Payload, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said = payload("app_mention")
    said["event"]["text"] = "<@UFOOTNOTE> my secret question"
    await post(event_request(said))
    body, headers = event_request(said)
    await post((body, headers | {"X-Slack-Signature": "v0=bad"}))
    program.broken = True
    await post(event_request(said))
    await post(form_request(payload("slash_command") | {"text": "my secret question"}))
    for odd in (
        {"type": "dialog_submission", "submission": {"note": "my secret question"}},
        {"type": "block_suggestion", "value": "my secret question"},
        {"type": "interactive_message", "actions": [{"value": "my secret question"}]},
    ):
        await post(form_request({"payload": json.dumps(odd)}))
    assert "secret question" not in caplog.text
    assert "xoxb-test" not in caplog.text


async def test_eight_deliveries_at_once_are_all_acknowledged(
    post: Any, program: Program, payload: Payload
) -> None:
    answers = await asyncio.gather(*(post(event_request(payload("message_im"))) for _ in range(8)))
    assert {status for status, _ in answers} == {200}
    assert len({mention.ts for mention, _ in program.accepted}) == 1
