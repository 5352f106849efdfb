import pytest
from slack_sdk.models.messages.chunk import TaskUpdateChunk
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Playground
from tests.bot.playground.refusal import refusal_of
from tests.doubles.clocks import ManualClock

DIVIDER = {"type": "divider"}


async def _stream(slack: Playground, client: AsyncWebClient, **more: str) -> dict[str, str]:
    """Start a stream in Alice's thread and return where it is."""
    root = await slack.say("alice", "general", "@Footnote?")
    started = await client.chat_startStream(
        channel="CGENERAL",
        thread_ts=root,
        recipient_user_id="UALICE",
        recipient_team_id=slack.team,
        **more,
    )
    return {"channel": "CGENERAL", "ts": started["ts"]}


async def test_the_sdks_own_stream_arrives_whole_with_blocks_below(
    slack: Playground, client: AsyncWebClient
) -> None:
    root = await slack.say("alice", "general", "@Footnote?")
    stream = await client.chat_stream(
        channel="CGENERAL",
        thread_ts=root,
        recipient_user_id="UALICE",
        recipient_team_id=slack.team,
        buffer_size=4,
    )
    for piece in ("Twenty", "-eight", " days. [1]"):
        await stream.append(markdown_text=piece)
    streaming = slack.messages("general", root)[1]
    assert streaming["streaming_state"] == "in_progress" and streaming["text"]
    await stream.stop(blocks=[DIVIDER])
    (answer,) = await slack.wait_for_answer("general", root)
    assert answer["text"] == "Twenty-eight days. [1]"
    assert [b["type"] for b in answer["blocks"]] == ["markdown", "divider"]
    assert answer["streaming_state"] == "completed"


@pytest.mark.parametrize("missing", ["recipient_user_id", "recipient_team_id"])
async def test_a_stream_outside_direct_messages_names_its_recipient(
    slack: Playground, client: AsyncWebClient, missing: str
) -> None:
    root = await slack.say("alice", "general", "@Footnote?")
    recipient = {"recipient_user_id": "UALICE", "recipient_team_id": slack.team}
    del recipient[missing]
    call = client.chat_startStream(channel="CGENERAL", thread_ts=root, **recipient)
    assert (await refusal_of(call))["error"] == f"missing_{missing}"


async def test_a_stream_in_direct_messages_needs_no_recipient(
    slack: Playground, client: AsyncWebClient
) -> None:
    root = await slack.say("alice", "dm", "how?")
    started = await client.chat_startStream(channel="DALICE", thread_ts=root)
    await client.chat_stopStream(channel="DALICE", ts=started["ts"], markdown_text="so")
    assert (await slack.wait_for_answer("dm", root, user="alice"))[0]["text"] == "so"


async def test_a_stream_must_stand_in_a_thread(client: AsyncWebClient) -> None:
    call = client.api_call("chat.startStream", json={"channel": "DALICE"})
    assert (await refusal_of(call))["error"] == "invalid_arguments"


async def test_a_streamed_message_ends_at_eleven_thousand_bytes_of_utf8(
    slack: Playground, client: AsyncWebClient
) -> None:
    where = await _stream(slack, client)
    await client.chat_appendStream(**where, markdown_text="é" * 5_500)
    assert (await refusal_of(client.chat_appendStream(**where, markdown_text="a")))[
        "error"
    ] == "msg_too_long"
    await client.chat_stopStream(**where)


async def test_a_stream_dies_after_five_minutes(
    timed: Playground, timed_client: AsyncWebClient, clock: ManualClock
) -> None:
    where = await _stream(timed, timed_client)
    clock.advance(299)
    await timed_client.chat_appendStream(**where, markdown_text="still here")
    clock.advance(2)
    for call in (
        timed_client.chat_appendStream(**where, markdown_text="x"),
        timed_client.chat_stopStream(**where),
    ):
        assert (await refusal_of(call))["error"] == "message_not_in_streaming_state"
    await timed_client.chat_update(**where, text="mended")
    assert timed.workspace.find(**where)["text"] == "mended"


async def test_a_running_stream_is_not_edited_and_a_stopped_one_not_appended_to(
    slack: Playground, client: AsyncWebClient
) -> None:
    where = await _stream(slack, client, markdown_text="a")
    assert (await refusal_of(client.chat_update(**where, text="b")))[
        "error"
    ] == "streaming_state_conflict"
    assert (await refusal_of(client.chat_appendStream(**where)))["error"] == "no_text"
    await client.chat_stopStream(**where)
    assert (await refusal_of(client.chat_stopStream(**where)))[
        "error"
    ] == "message_not_in_streaming_state"


async def test_only_own_messages_are_streamed(slack: Playground, client: AsyncWebClient) -> None:
    theirs = await slack.say("alice", "general", "hello")
    call = client.chat_appendStream(channel="CGENERAL", ts=theirs, markdown_text="x")
    assert (await refusal_of(call))["error"] == "message_not_owned_by_app"


async def test_bad_blocks_leave_the_stream_as_it_was(
    slack: Playground, client: AsyncWebClient
) -> None:
    where = await _stream(slack, client, markdown_text="a")
    bad = [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]
    call = client.chat_stopStream(**where, markdown_text="b", blocks=bad)
    assert (await refusal_of(call))["error"] == "invalid_blocks"
    await client.chat_stopStream(**where, markdown_text="c")
    assert slack.workspace.find(**where)["text"] == "ac"


async def test_task_chunks_update_one_card(slack: Playground, client: AsyncWebClient) -> None:
    where = await _stream(slack, client)
    for status in ("in_progress", "complete"):
        chunk = TaskUpdateChunk(id="search", title="Searching", status=status)
        await client.chat_appendStream(**where, chunks=[chunk])
    await client.chat_stopStream(**where, markdown_text="Found.")
    card, text = slack.workspace.find(**where)["blocks"]
    assert (card["type"], card["status"], text["text"]) == ("task_card", "complete", "Found.")


async def test_a_status_shows_until_the_answer_starts(
    slack: Playground, client: AsyncWebClient
) -> None:
    root = await slack.say("alice", "dm", "how?")
    thread = {"channel_id": "DALICE", "thread_ts": root}
    await client.assistant_threads_setStatus(**thread, status="is searching…")
    await client.agents_sessions_setStatus(**thread, status="processing", title="How")
    assert slack.status("dm", root, user="alice").text == "is searching…"
    started = await client.chat_startStream(channel="DALICE", thread_ts=root)
    status = slack.status("dm", root, user="alice")
    assert (status.text, status.session, status.title) == ("", "processing", "How")
    await client.chat_stopStream(channel="DALICE", ts=started["ts"], session_status="active")
    assert slack.status("dm", root, user="alice").session == "active"
