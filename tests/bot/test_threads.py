"""What the bot reads back from Slack before it answers."""

from dataclasses import replace

import pytest

from bot.client import SlackClient, bot_user_id
from bot.conversation import Mention, Place, Turn
from bot.errors import ConversationUnreadable, MessageGone, SlackUnreachable
from bot.threads import HISTORY_CHARACTERS, HISTORY_TURNS, read_question
from tests.doubles.slack_recorder import BOT_ID, BOT_USER, Failure, SlackRecorder

C = "C0LAN2Q65"
ROOT = "1700000000.000200"


def ts(number: int) -> str:
    return f"{1_700_000_000 + number}.000200"


async def test_a_question_that_starts_a_thread_has_no_history(
    slack: SlackRecorder, client: SlackClient, mention: Mention
) -> None:
    slack.say(C, "U1", f"<@{BOT_USER}> what is &lt;this&gt;?", ROOT)
    slack.say(C, "U1", "said later", ts(5), thread_ts=ROOT)
    question = await read_question(client, mention, bot_user_id=BOT_USER)
    assert question.text == "what is <this>?"
    assert question.history == ()


async def test_a_follow_up_comes_with_what_was_said_before_it(
    slack: SlackRecorder, client: SlackClient, mention: Mention
) -> None:
    slack.say(C, "U1", f"<@{BOT_USER}> how much leave?", ROOT)
    slack.say(C, BOT_USER, "You get 30 days. [1] [2]", ts(1), thread_ts=ROOT, bot_id=BOT_ID)
    slack.say(C, "UOTHERBOT", "noise", ts(2), thread_ts=ROOT, bot_id="B0OTHER")
    slack.say(C, "U2", "joined", ts(3), thread_ts=ROOT, subtype="channel_join")
    slack.say(C, "U2", f"<@{BOT_USER}> and part-time?", ts(4), thread_ts=ROOT)
    slack.say(C, "U1", "later", ts(5), thread_ts=ROOT)
    asked = replace(mention, ts=ts(4))
    question = await read_question(client, asked, bot_user_id=BOT_USER)
    assert question.text == "and part-time?"
    assert question.history == (
        Turn(ROOT, "U1", "how much leave?"),
        Turn(ts(1), "", "You get 30 days."),
    )
    assert [turn.by_bot for turn in question.history] == [False, True]


async def test_a_thread_of_many_pages_is_read_to_the_mention(
    slack: SlackRecorder, client: SlackClient, mention: Mention
) -> None:
    slack.page_size = 10
    slack.say(C, "U1", "root", ROOT)
    for number in range(1, 60):
        slack.say(C, "U1", f"turn {number}", ts(number), thread_ts=ROOT)
    question = await read_question(client, replace(mention, ts=ts(55)), bot_user_id=BOT_USER)
    assert question.text == "turn 55"
    assert [turn.text for turn in question.history] == [
        f"turn {number}" for number in range(55 - HISTORY_TURNS, 55)
    ]


async def test_a_mention_behind_the_last_page_that_is_read_is_found_alone(
    slack: SlackRecorder, client: SlackClient, mention: Mention
) -> None:
    slack.page_size = 2
    slack.say(C, "U1", "root", ROOT)
    for number in range(1, 40):
        slack.say(C, "U1", f"turn {number}", ts(number), thread_ts=ROOT)
    question = await read_question(client, replace(mention, ts=ts(39)), bot_user_id=BOT_USER)
    assert question.text == "turn 39"


async def test_history_is_bounded(
    slack: SlackRecorder, client: SlackClient, mention: Mention
) -> None:
    slack.say(C, "U1", "root", ROOT)
    for number in range(1, 20):
        slack.say(C, "U1", str(number) * 9_000, ts(number), thread_ts=ROOT)
    question = await read_question(client, replace(mention, ts=ts(19)), bot_user_id=BOT_USER)
    assert len(question.text) <= 8_000
    assert sum(len(turn.text) for turn in question.history) <= HISTORY_CHARACTERS
    assert question.history[-1].text.startswith("1818")


async def test_a_direct_message_outside_any_thread_is_found(
    slack: SlackRecorder, client: SlackClient, mention: Mention
) -> None:
    slack.say("D1", "U1", "where is it?", ROOT)
    slack.fail("conversations.replies", Failure("thread_not_found"))
    direct = replace(mention, channel="D1", place=Place.DIRECT)
    question = await read_question(client, direct, bot_user_id=BOT_USER)
    assert question.text == "where is it?"


async def test_a_deleted_message_is_told_apart(
    slack: SlackRecorder, client: SlackClient, mention: Mention
) -> None:
    with pytest.raises(MessageGone):
        await read_question(client, mention, bot_user_id=BOT_USER)
    slack.say(C, "USLACKBOT", "This message was deleted.", ROOT, subtype="tombstone")
    with pytest.raises(MessageGone):
        await read_question(client, mention, bot_user_id=BOT_USER)


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (Failure("not_in_channel"), ConversationUnreadable),
        (Failure("missing_scope"), ConversationUnreadable),
        (Failure("fatal_error"), SlackUnreachable),
        (Failure(status=502), SlackUnreachable),
    ],
)
async def test_what_slack_refuses_is_told_apart_from_what_may_pass(
    slack: SlackRecorder,
    client: SlackClient,
    mention: Mention,
    failure: Failure,
    error: type[Exception],
) -> None:
    slack.fail("conversations.replies", failure)
    with pytest.raises(error):
        await read_question(client, mention, bot_user_id=BOT_USER)


async def test_reading_waits_for_slack_when_asked_to(
    slack: SlackRecorder, client: SlackClient, mention: Mention
) -> None:
    slack.say(C, "U1", "hello", ROOT)
    slack.fail("conversations.replies", Failure("ratelimited", 429, {"Retry-After": "0"}))
    question = await read_question(client, mention, bot_user_id=BOT_USER)
    assert question.text == "hello"


async def test_who_the_bot_is_is_asked_once_and_again_after_a_failure(
    slack: SlackRecorder, client: SlackClient
) -> None:
    slack.fail("auth.test", Failure("internal_error"))
    with pytest.raises(SlackUnreachable):
        await bot_user_id(client)
    assert [await bot_user_id(client), await bot_user_id(client)] == [BOT_USER, BOT_USER]
    assert len(slack.of("auth.test")) == 2
