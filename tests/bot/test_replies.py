"""An answer on its way into Slack: whatever fails, it stands there whole and once."""

import asyncio
import logging
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import messages
from bot.blocks import answer_markdown, sentence_markdown
from bot.client import SlackClient, make_client
from bot.conversation import Answer, Mention, Place, Sentence, Verdict
from bot.errors import MessageGone, ReplyRefused, SlackUnreachable
from bot.replies import PrivateReply, Reply, discard
from bot.streams import STREAM_SECONDS, StreamBudget
from tests.bot.conftest import NOW
from tests.doubles.slack_recorder import TEAM, Failure, SlackRecorder

KEY = "T0FOOT:C0LAN2Q65:1700000000.000200"
BELOW = ["section", "section", "context_actions"]


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds

    async def pause(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reply(client: SlackClient, mention: Mention, clock: Clock) -> Reply:
    return Reply(client, mention, clock=clock, pause=clock.pause, now=lambda: NOW)


async def run(reply: Reply, answer: Answer, clock: Clock) -> None:
    """Append sentence by sentence, one a second, and finish."""
    for sentence in answer.sentences:
        await reply.append(sentence_markdown(sentence))
        clock.seconds += 1
    await reply.finish(answer, KEY)


def shown(slack: SlackRecorder) -> str:
    return " ".join(slack.visible())


def long_answer(sentences: int, words: int = 60) -> Answer:
    texts = (f"S{number} " + "word " * words + "end." for number in range(sentences))
    return Answer(Verdict.ANSWERED, tuple(Sentence(t, (1,)) for t in texts), model="m")


async def test_an_answer_streams_and_ends_with_its_footnotes(
    slack: SlackRecorder, reply: Reply, answer: Answer, clock: Clock
) -> None:
    await reply.status(messages.SEARCHING)
    await run(reply, answer, clock)
    assert slack.visible() == [answer_markdown(answer)]
    assert [block["type"] for block in slack.rows()[0]] == BELOW
    methods = [call.method for call in slack.calls]
    assert methods == [
        "agents.sessions.setStatus",
        "chat.startStream",
        "chat.appendStream",
        "chat.appendStream",
        "chat.stopStream",
        "agents.sessions.setStatus",
    ]
    statuses = [call["status"] for call in slack.of("agents.sessions.setStatus")]
    assert statuses == ["processing", "active"]


async def test_a_stream_in_a_channel_names_its_recipient_and_one_in_a_dm_does_not(
    slack: SlackRecorder, client: SlackClient, mention: Mention, answer: Answer, clock: Clock
) -> None:
    await run(Reply(client, mention, clock=clock), answer, clock)
    direct = replace(mention, channel="D1", place=Place.DIRECT)
    await run(Reply(client, direct, clock=clock), answer, clock)
    channel, dm = slack.of("chat.startStream")
    assert (channel["recipient_user_id"], channel["recipient_team_id"]) == ("U061F7AUR", TEAM)
    assert "recipient_user_id" not in dm
    assert channel["thread_ts"] == mention.thread_ts


async def test_text_is_flushed_by_time_and_not_by_sentence(
    slack: SlackRecorder, reply: Reply, clock: Clock
) -> None:
    answer = long_answer(20, words=3)
    for sentence in answer.sentences:
        await reply.append(sentence_markdown(sentence))
        clock.seconds += 0.1
    await reply.finish(answer, KEY)
    assert len(slack.of("chat.appendStream")) <= 4
    assert slack.visible() == [answer_markdown(answer)]


async def test_the_ts_is_reported_before_any_text_is_shown(
    slack: SlackRecorder, client: SlackClient, mention: Mention, answer: Answer, clock: Clock
) -> None:
    seen: list[tuple[str, int]] = []

    async def started(ts: str) -> None:
        seen.append((ts, len(slack.of("chat.appendStream"))))

    reply = Reply(client, mention, clock=clock, on_started=started)
    await run(reply, answer, clock)
    assert seen == [(reply.message_ts[0], 0)]


FAILURES = [
    Failure("msg_too_long"),
    Failure("message_not_in_streaming_state"),
    Failure("streaming_state_conflict"),
    Failure("ratelimited", 429, {"Retry-After": "1"}),
    Failure("internal_error"),
    Failure("internal_error", applied=True),
    Failure(status=503),
    Failure(status=503, applied=True),
    Failure(dropped=True),
    Failure(dropped=True, applied=True),
    Failure("something_new"),
]
START_FAILURES = [
    Failure("missing_recipient_user_id"),
    Failure("channel_type_not_supported"),
    Failure("unknown_method"),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda f: f"{f.error or f.status}-{f.applied}")
@pytest.mark.parametrize("method", ["chat.appendStream", "chat.stopStream"])
async def test_a_stream_that_fails_loses_nothing_and_doubles_nothing(
    slack: SlackRecorder,
    reply: Reply,
    answer: Answer,
    clock: Clock,
    method: str,
    failure: Failure,
) -> None:
    slack.fail(method, failure)
    await run(reply, answer, clock)
    assert slack.visible() == [answer_markdown(answer)]
    assert [block["type"] for block in slack.rows()[0]] == BELOW


@pytest.mark.parametrize(
    "failure", FAILURES + START_FAILURES, ids=lambda f: f"{f.error or f.status}-{f.applied}"
)
async def test_where_nothing_streams_the_answer_is_posted(
    slack: SlackRecorder, reply: Reply, answer: Answer, clock: Clock, failure: Failure
) -> None:
    slack.fail("chat.startStream", failure)
    await run(reply, answer, clock)
    assert slack.visible() == [answer_markdown(answer)]
    for call in slack.of("chat.postMessage") + slack.of("chat.update"):
        assert (call["unfurl_links"], call["unfurl_media"]) in ((False, False), ("0", "0"))


@pytest.mark.parametrize("applied", [True, False])
async def test_a_post_whose_answer_got_lost_is_looked_for_before_it_is_repeated(
    slack: SlackRecorder, reply: Reply, answer: Answer, applied: bool
) -> None:
    slack.say("C0LAN2Q65", "U1", "question", "1700000000.000200")
    slack.fail("chat.postMessage", Failure(dropped=True, applied=applied))
    await reply.finish(answer, KEY)
    assert slack.visible() == [answer_markdown(answer)]
    assert len(reply.message_ts) == 1


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
async def test_no_sequence_of_failures_loses_or_doubles_a_sentence(
    data: st.DataObject, mention: Mention
) -> None:
    quick = [f for f in FAILURES if f.error != "ratelimited"]
    answer = long_answer(data.draw(st.integers(1, 5)), words=data.draw(st.sampled_from([3, 900])))
    clock = Clock()
    async with SlackRecorder() as slack:
        slack.say("C0LAN2Q65", "U1", "question", "1700000000.000200")
        for method in ("chat.startStream", "chat.appendStream", "chat.stopStream"):
            slack.fail(method, *data.draw(st.lists(st.none() | st.sampled_from(quick), max_size=3)))
        reply = Reply(
            make_client("xoxb", slack.api_url),
            mention,
            clock=clock,
            pause=clock.pause,
            now=lambda: NOW,
        )
        await run(reply, answer, clock)
        words = shown(slack).replace("[1]", "").split()
    assert words == answer_markdown(answer).replace("[1]", "").split()


async def test_a_long_answer_rolls_over_before_a_stream_dies_of_its_size(
    slack: SlackRecorder, reply: Reply, clock: Clock
) -> None:
    answer = long_answer(50)
    await run(reply, answer, clock)
    parts = slack.visible()
    assert len(parts) == 3
    assert all(len(part.encode()) <= 7_000 for part in parts)
    assert " ".join(parts).split() == answer_markdown(answer).split()
    assert reply.message_ts == sorted(slack.messages)
    asked = ["context_actions" in [block["type"] for block in rows] for rows in slack.rows()]
    assert asked == [False, False, True]


async def test_a_part_that_slack_refused_for_a_while_is_made_whole_at_the_end(
    slack: SlackRecorder, reply: Reply, clock: Clock
) -> None:
    answer = long_answer(50)
    for number, sentence in enumerate(answer.sentences):
        if number == 15:
            slack.fail("chat.appendStream", *[Failure(status=503)] * 3)
            slack.fail("chat.stopStream", *[Failure(status=503)] * 3)
            slack.fail("chat.update", *[Failure(status=503)] * 20)
        if number == 40:
            slack.mend()
        await reply.append(sentence_markdown(sentence))
        clock.seconds += 1
    await reply.finish(answer, KEY)
    assert shown(slack).split() == answer_markdown(answer).split()


async def test_nothing_of_an_answer_reaches_the_log(
    slack: SlackRecorder,
    mention: Mention,
    answer: Answer,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("bot.slack").setLevel(logging.NOTSET)
    client = make_client("xoxb-secret", slack.api_url)
    slack.fail("chat.appendStream", Failure("msg_too_long"))
    await run(Reply(client, mention, clock=clock), answer, clock)
    command = replace(mention, place=Place.COMMAND)
    await PrivateReply(client, command, slack.response_url).finish(answer, KEY)
    assert len(slack.responses) == 1
    assert "30 days" not in caplog.text
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith("aiohttp.")]
    assert slack.response_url not in "\n".join(ours)
    assert "xoxb-secret" not in caplog.text


async def test_an_answer_rolls_over_before_a_stream_dies_of_its_age(
    slack: SlackRecorder, reply: Reply, answer: Answer, clock: Clock
) -> None:
    await reply.append(sentence_markdown(answer.sentences[0]))
    clock.seconds += STREAM_SECONDS + 1
    await reply.append(sentence_markdown(answer.sentences[1]))
    await reply.finish(answer, KEY)
    assert slack.visible() == [
        "Everybody gets 30 days of leave a year. [1]",
        "Ask your manager two weeks before. [1] [2]",
    ]


async def test_code_that_is_cut_in_two_stays_code_in_both_parts(
    slack: SlackRecorder, reply: Reply, clock: Clock
) -> None:
    code = "```py\n" + "print('x')\n" * 1_000 + "```"
    answer = Answer(Verdict.ANSWERED, (Sentence(code, (1,), "\n"),), model="m")
    await run(reply, answer, clock)
    for part in slack.visible():
        assert part.startswith("```py\n")
        assert part.count("```") == 2


async def test_when_somebody_presses_stop_the_rest_is_not_shown_but_the_footnotes_are(
    slack: SlackRecorder, reply: Reply, answer: Answer, clock: Clock
) -> None:
    slack.fail("chat.appendStream", None, Failure("stopped_by_user"))
    await run(reply, answer, clock)
    assert reply.stopped
    assert slack.visible() == [f"Everybody gets 30 days of leave a year. [1]\n\n{messages.STOPPED}"]
    assert [block["type"] for block in slack.rows()[0]] == ["section"]


async def test_an_answer_that_differs_from_what_was_appended_replaces_it(
    slack: SlackRecorder, reply: Reply, answer: Answer, clock: Clock
) -> None:
    for sentence in long_answer(50).sentences:
        await reply.append(sentence_markdown(sentence))
        clock.seconds += 1
    assert len(slack.visible()) == 3
    await reply.finish(answer, KEY)
    assert slack.visible() == [answer_markdown(answer)]


async def test_an_answer_without_a_stream_is_posted_in_one_call(
    slack: SlackRecorder, reply: Reply
) -> None:
    await reply.finish(Answer(Verdict.NOT_FOUND), KEY)
    assert slack.visible() == [messages.NOT_FOUND]
    assert slack.of("chat.startStream") == []
    (call,) = slack.of("chat.postMessage")
    assert call["thread_ts"] == "1700000000.000200"
    assert [block["type"] for block in call["blocks"]] == ["markdown", "context_actions"]


async def test_an_apology_takes_half_an_answer_back(
    slack: SlackRecorder, reply: Reply, answer: Answer
) -> None:
    await reply.append(sentence_markdown(answer.sentences[0]))
    await reply.apologise(messages.APOLOGY)
    assert slack.visible() == [messages.APOLOGY]
    assert slack.rows() == [[]], "nobody is asked whether an apology helped"


async def test_a_failed_status_never_fails_an_answer(
    slack: SlackRecorder, reply: Reply, answer: Answer, clock: Clock
) -> None:
    slack.fail("agents.sessions.setStatus", Failure("unknown_method"))
    slack.fail("assistant.threads.setStatus", Failure(dropped=True))
    await reply.status(messages.SEARCHING)
    await run(reply, answer, clock)
    assert slack.visible() == [answer_markdown(answer)]
    assert len(slack.of("assistant.threads.setStatus")) == 1


async def test_where_sessions_are_unknown_the_older_status_is_set(
    slack: SlackRecorder, reply: Reply
) -> None:
    slack.fail("agents.sessions.setStatus", Failure("unknown_method"))
    await reply.status(messages.SEARCHING)
    (call,) = slack.of("assistant.threads.setStatus")
    assert call["status"] == messages.SEARCHING


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (Failure("is_archived"), ReplyRefused),
        (Failure("not_in_channel"), ReplyRefused),
        (Failure("message_not_found"), MessageGone),
    ],
)
async def test_what_slack_refuses_for_good_is_said_at_the_end(
    slack: SlackRecorder,
    reply: Reply,
    answer: Answer,
    clock: Clock,
    failure: Failure,
    error: type[Exception],
) -> None:
    slack.fail("chat.startStream", failure)
    slack.fail("chat.postMessage", *[failure] * 9)
    with pytest.raises(error):
        await run(reply, answer, clock)
    assert slack.visible() == []


async def test_a_slack_that_stays_away_is_worth_another_try_later(
    slack: SlackRecorder, reply: Reply, answer: Answer
) -> None:
    slack.fail("chat.postMessage", *[Failure(status=503)] * 9)
    with pytest.raises(SlackUnreachable):
        await reply.finish(answer, KEY)


async def test_more_answers_than_streams_a_minute_are_posted_instead(
    slack: SlackRecorder, client: SlackClient, mention: Mention, answer: Answer, clock: Clock
) -> None:
    budget = StreamBudget(clock)
    for _ in range(12):
        still = Clock()
        await run(Reply(client, mention, clock=still, budget=budget), answer, still)
    assert len(slack.of("chat.startStream")) == 6
    assert slack.visible() == [answer_markdown(answer)] * 12


def test_a_budget_is_refilled_by_time_and_kept_by_team(clock: Clock) -> None:
    budget = StreamBudget(clock)
    assert sum(budget.take("start", "T1") for _ in range(40)) == 6
    assert budget.take("start", "T2")
    clock.seconds += 10
    assert sum(budget.take("start", "T1") for _ in range(40)) == 2


def test_no_minute_sees_more_streams_than_slack_allows(clock: Clock) -> None:
    budget = StreamBudget(clock)
    started: list[float] = []
    for _ in range(1_200):
        clock.seconds += 0.1
        if budget.take("start", "T1"):
            started.append(clock.seconds)
    assert max(sum(at <= one < at + 60 for one in started) for at in started) <= 18


async def test_what_a_dead_worker_left_is_removed(
    slack: SlackRecorder, client: SlackClient, reply: Reply, answer: Answer
) -> None:
    await reply.append(sentence_markdown(answer.sentences[0]))
    await discard(client, "C0LAN2Q65", [*reply.message_ts, "1.000001"])
    assert slack.visible() == []


@pytest.fixture
def private(client: SlackClient, mention: Mention, slack: SlackRecorder) -> PrivateReply:
    command = replace(mention, place=Place.COMMAND)
    return PrivateReply(client, command, slack.response_url, now=lambda: NOW)


async def test_the_answer_to_a_command_comes_privately_and_at_once(
    slack: SlackRecorder, private: PrivateReply, answer: Answer
) -> None:
    await private.status(messages.SEARCHING)
    await private.append("ignored")
    await private.finish(answer, KEY)
    (body,) = slack.responses
    assert body["response_type"] == "ephemeral"
    assert (body["unfurl_links"], body["unfurl_media"]) == (False, False)
    assert [block["type"] for block in body["blocks"]] == ["markdown", "section", "section"]
    assert slack.calls == []


async def test_a_used_up_response_url_is_replaced_by_an_ephemeral_message(
    slack: SlackRecorder, private: PrivateReply, answer: Answer
) -> None:
    slack.response_status.append(404)
    await private.finish(answer, KEY)
    (call,) = slack.of("chat.postEphemeral")
    assert call["user"] == "U061F7AUR"
    assert slack.responses == []


async def test_a_long_private_answer_keeps_to_the_posts_of_a_response_url(
    slack: SlackRecorder, private: PrivateReply
) -> None:
    await private.finish(long_answer(300), KEY)
    assert len(slack.responses) == 4


async def test_a_private_apology_is_private(slack: SlackRecorder, private: PrivateReply) -> None:
    await private.apologise(messages.APOLOGY)
    assert [body["text"] for body in slack.responses] == [messages.APOLOGY]
    slack.response_status.append(500)
    slack.fail("chat.postEphemeral", Failure("channel_not_found"))
    with pytest.raises(ReplyRefused):
        await private.apologise(messages.APOLOGY)
