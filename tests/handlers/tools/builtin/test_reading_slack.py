"""summarise and search_slack: only what the asker is in, and only for those who may read it."""

import pytest

from bot.conversation import Place
from bot.playground.methods_search import grant
from handlers.tools.builtin.search_slack import SearchSlack
from handlers.tools.builtin.summarise import MOST_CHARACTERS, MOST_MESSAGES, Summarise
from handlers.tools.errors import ToolRefused, ToolUnavailable
from index.audience import Audience, Principal
from tests.handlers.tools.builtin.conftest import NOW, Office, call, context, members_of


def summarise(office: Office) -> Summarise:
    return Summarise(office.client, clock=lambda: NOW)


async def test_a_thread_is_read_with_names_and_without_the_bot(office: Office) -> None:
    root = office.say("CGENERAL", "UALICE", "Shall we move to <https://x.example|the new house>?")
    office.say("CGENERAL", "UBOB", "Yes, <@UALICE>. On <!here> Monday.", root)
    office.say("CGENERAL", "UBOB", f"<@{office.slack.workspace.bot.id}> agent sum it up", root)
    office.say("CGENERAL", "UBOB", "outside of it")
    read = await call(summarise(office), context(thread_ts=root), channel="this thread")
    lines = read.text.splitlines()
    assert lines[1].endswith("alice: Shall we move to the new house (https://x.example)?")
    assert lines[2].endswith("bob: Yes, @alice. On @here Monday.")
    assert len(lines) == 3
    assert read.passages == ()


async def test_a_channel_is_read_as_far_back_as_wanted(office: Office) -> None:
    office.say("CGENERAL", "UBOB", "Old news")
    old = next(iter(office.slack.workspace._messages["CGENERAL"].values()))
    office.slack.workspace._messages["CGENERAL"] = {}
    old["ts"] = f"{NOW - 48 * 3600:.6f}"
    office.slack.workspace._messages["CGENERAL"][old["ts"]] = old
    office.say("CGENERAL", "UALICE", "Fresh news")
    day = await call(summarise(office), context(), channel="#general")
    assert "Fresh" in day.text and "Old" not in day.text
    week = await call(summarise(office), context(), channel="#general", hours=168)
    assert week.text.index("Old") < week.text.index("Fresh")


async def test_a_long_channel_is_cut_to_its_newest_and_says_so(office: Office) -> None:
    for number in range(MOST_MESSAGES + 60):
        office.say("CGENERAL", "UBOB", f"message {number:04} {'x' * 100}")
    read = await call(summarise(office), context(), channel="general")
    assert len(read.text) <= MOST_CHARACTERS + 200
    assert f"message {MOST_MESSAGES + 59:04}" in read.text
    assert "message 0000" not in read.text
    assert "Earlier messages are left out" in read.text


@pytest.fixture
def private(office: Office) -> Office:
    office.add("GDEAL", "private", "UALICE", "UBOB")
    office.say("GDEAL", "UBOB", "We buy the company for nine millions.")
    return office


async def test_what_is_said_in_a_private_channel_goes_to_no_other_room(private: Office) -> None:
    office = private
    other = [
        context(),  # a public channel, as everyone
        context("GOTHER", audience=members_of("GOTHER", "UALICE", "UCAROL")),
        # Even where each of them could read it but one.
        context("GOTHER", audience=Audience.of({Principal("slack-channel", "GDEAL")}, set())),
    ]
    for about in other:
        for named in ("gdeal", "#gdeal", "GDEAL"):
            with pytest.raises(ToolRefused) as refused:
                await call(summarise(office), about, channel=named)
            assert "millions" not in str(refused.value)
    assert not office.called("conversations.history")


async def test_it_is_read_for_its_own_members_and_for_a_member_alone(private: Office) -> None:
    office = private
    inside = context("GDEAL", audience=members_of("GDEAL", "UALICE", "UBOB"))
    assert "millions" in (await call(summarise(office), inside, channel="gdeal")).text
    alone = context("DALICE", place=Place.DIRECT, audience=Audience.of({Principal("u", "UALICE")}))
    assert "millions" in (await call(summarise(office), alone, channel="gdeal")).text
    # A room whose people are all in it.
    same = Audience.of(*({Principal("slack-channel", "GDEAL")} for _ in range(2)))
    there = context("GTWO", audience=same)
    assert "millions" in (await call(summarise(office), there, channel="gdeal")).text


async def test_it_is_not_read_for_somebody_who_is_not_in_it(private: Office) -> None:
    office = private
    about = context("DCAROL", user="UCAROL", place=Place.DIRECT)
    if "UCAROL" not in office.slack.workspace.users:
        about = context("DGUEST", user="UGUEST", place=Place.DIRECT)
    for named in ("gdeal", "GDEAL"):
        with pytest.raises(ToolRefused, match="in no channel called"):
            await call(summarise(office), about, channel=named)
    # Whoever left it reads it no more, wherever they ask.
    office.slack.workspace.conversations["GDEAL"].members.remove("UALICE")
    left = context("DALICE", place=Place.DIRECT)
    with pytest.raises(ToolRefused, match="in no channel called"):
        await call(summarise(office), left, channel="gdeal")


async def test_a_room_with_a_guest_is_shown_no_other_public_channel(office: Office) -> None:
    office.say("CGENERAL", "UBOB", "For colleagues only")
    guest = Audience.of({Principal("slack-user", "UGUEST")}, {Principal("slack-user", "UALICE")})
    with pytest.raises(ToolRefused):
        await call(summarise(office), context("GMIXED", audience=guest), channel="general")


async def test_nothing_said_is_told_and_slack_being_slow_is_unavailable(office: Office) -> None:
    office.add("CQUIET", "channel", "UALICE")
    quiet = await call(summarise(office), context(), channel="cquiet")
    assert "Nobody said anything" in quiet.text
    office.slack.fail_next("conversations.history", delay=5)
    with pytest.raises(ToolUnavailable):
        await call(summarise(office), context(seconds=0.3), channel="general")


def token(office: Office, user: str = "UALICE") -> str:
    return grant(office.slack._slack, user)


async def test_slack_is_searched_as_the_asker_in_public_channels_only(office: Office) -> None:
    office.say("CGENERAL", "UBOB", "The printer is on the <@UALICE> second floor")
    office.add("GDEAL", "private", "UALICE", "UBOB")
    office.say("GDEAL", "UBOB", "The printer costs nine millions")
    about = context(action_token=token(office))
    found = await call(SearchSlack(office.client), about, query="where is the <printer>?")
    where = "Bob Okafor in #general on 2027-01-15"
    assert found.text == f"{where}: The printer is on the @someone second floor"
    assert found.passages == () and found.undo is None
    [asked] = office.called("assistant.search.context")
    assert asked["channel_types"] == ["public_channel"]
    assert "<" not in asked["query"]
    nothing = await call(SearchSlack(office.client), about, query="zebras")
    assert nothing.text == "Nothing was found in Slack."


async def test_without_leave_or_for_a_guest_slack_is_not_searched(office: Office) -> None:
    tool = SearchSlack(office.client)
    with pytest.raises(ToolRefused, match="no leave"):
        await call(tool, context(), query="printer")
    guest = Audience.of({Principal("slack-user", "UGUEST")})
    with pytest.raises(ToolRefused, match="Not everybody"):
        about = context(action_token=token(office), audience=guest)
        await call(tool, about, query="printer")
    assert not office.slack.calls
    with pytest.raises(ToolRefused):
        await call(tool, context(action_token="stale"), query="printer")


def test_the_run_is_told_to_keep_nothing_of_a_search() -> None:
    assert SearchSlack.fleeting
