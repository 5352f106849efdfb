"""What the bot hears, and what it lets pass."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation import Mention, Place
from bot.mentions import Silence, commanded, heard, heard_later

Payload = Callable[[str], dict[str, Any]]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4)
    ),
    max_leaves=20,
)
FIELDS = ("subtype", "user", "channel", "ts", "thread_ts", "text", "bot_id", "channel_type")


def test_a_mention_in_a_channel_is_heard_without_its_markup(payload: Payload) -> None:
    assert heard(payload("app_mention")) == Mention(
        "T0FOOT",
        "C0LAN2Q65",
        "U061F7AUR",
        "1700000000.000200",
        "1700000000.000200",
        Place.CHANNEL,
        "how many days of leave do I get & when?",
    )


def test_the_twin_of_a_mention_is_passed_over(payload: Payload) -> None:
    assert heard(payload("message_twin")) is Silence.TWIN


def test_a_reply_in_a_channel_thread_is_answered_only_if_it_names_the_bot(
    payload: Payload,
) -> None:
    said = payload("message_twin")
    said["event"] |= {"text": "thanks!", "thread_ts": "1699999999.000100"}
    assert heard(said) is Silence.NOT_MENTIONED
    named = payload("app_mention")
    named["event"]["thread_ts"] = "1699999999.000100"
    found = heard(named)
    assert isinstance(found, Mention)
    assert found.thread_ts == "1699999999.000100"


def test_a_direct_message_needs_no_mention_and_starts_its_own_thread(payload: Payload) -> None:
    found = heard(payload("message_im"))
    assert isinstance(found, Mention)
    assert (found.place, found.thread_ts) == (Place.DIRECT, found.ts)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("message_changed", Silence.CHANGED),
        ("bot_message", Silence.FROM_A_BOT),
        ("own_message", Silence.FROM_A_BOT),
        ("app_home_opened", Silence.NOT_A_MESSAGE),
    ],
)
def test_bots_edits_and_other_events_are_not_answered(
    payload: Payload, name: str, reason: Silence
) -> None:
    assert heard(payload(name)) is reason


@pytest.mark.parametrize("subtype", ["message_deleted", "channel_join", "me_message", ""])
def test_only_spoken_messages_are_heard(payload: Payload, subtype: str) -> None:
    said = payload("message_im")
    said["event"]["subtype"] = subtype
    assert heard(said) is Silence.CHANGED


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast"])
def test_words_beside_a_file_or_broadcast_are_heard(payload: Payload, subtype: str) -> None:
    said = payload("message_im")
    said["event"]["subtype"] = subtype
    assert isinstance(heard(said), Mention)


def test_the_bot_does_not_hear_itself_even_without_a_bot_id(payload: Payload) -> None:
    said = payload("message_im")
    said["event"]["user"] = "UFOOTNOTE"
    assert heard(said) is Silence.FROM_A_BOT


def test_conversations_shared_with_other_companies_are_not_answered(payload: Payload) -> None:
    shared, foreign = payload("app_mention"), payload("app_mention")
    shared["is_ext_shared_channel"] = True
    foreign["event"]["user_team"] = "T0OTHER"
    assert heard(shared) is Silence.SHARED_CHANNEL
    assert heard(foreign) is Silence.FOREIGN_USER


def test_a_colleague_of_the_same_organisation_is_answered(payload: Payload) -> None:
    said = payload("app_mention")
    said["event"]["user_team"] = "E0ORG"
    said["authorizations"][0]["enterprise_id"] = "E0ORG"
    assert isinstance(heard(said), Mention)


def test_a_mention_without_a_question_is_heard_as_empty(payload: Payload) -> None:
    said = payload("app_mention")
    said["event"]["text"] = " <@UFOOTNOTE>  "
    found = heard(said)
    assert isinstance(found, Mention)
    assert found.text == ""


@pytest.mark.parametrize(
    "broken",
    [{"ts": "now"}, {"ts": 5}, {"user": "U:1"}, {"channel": None}, {"thread_ts": "x"}],
)
def test_a_delivery_whose_ids_cannot_be_used_in_a_key_is_refused(
    payload: Payload, broken: dict[str, Any]
) -> None:
    said = payload("app_mention")
    said["event"] |= broken
    assert heard(said) is Silence.MALFORMED


def test_a_command_becomes_a_mention_of_its_own(payload: Payload) -> None:
    first = commanded(payload("slash_command"))
    second = commanded(payload("slash_command") | {"trigger_id": "2.2.2"})
    assert isinstance(first, Mention)
    assert isinstance(second, Mention)
    assert first.place is Place.COMMAND
    assert first.text == "How do I claim expenses?"
    assert first.ts == first.thread_ts != second.ts
    assert ":" not in first.ts


def test_a_command_without_a_question_is_told_apart(payload: Payload) -> None:
    assert commanded(payload("slash_command") | {"text": "  "}) is Silence.EMPTY


@given(json_values)
def test_no_json_can_make_it_raise(value: Any) -> None:
    assert isinstance(heard(value), Silence)
    assert isinstance(commanded(value), Silence)


@given(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["message", "app_mention"])},
        optional=dict.fromkeys(FIELDS, json_values | st.just("1.2") | st.just("D1")),
    ),
    json_values | st.lists(st.dictionaries(st.sampled_from(["is_bot", "user_id"]), json_values)),
)
def test_no_odd_event_can_make_it_raise(event: dict[str, Any], grants: Any) -> None:
    envelope = {"team_id": "T0FOOT", "event": event, "authorizations": grants}
    assert isinstance(heard(envelope), Mention | Silence)


WHO = {"team": "T0FOOT", "bot_user": "UFOOTNOTE"}
HISTORY = ("app_mention", "message_im", "message_twin", "bot_message", "own_message")


@pytest.mark.parametrize("name", HISTORY)
def test_a_message_read_from_history_is_judged_as_its_event_was(
    payload: Payload, name: str
) -> None:
    event = payload(name)["event"]
    only_there = ("channel", "channel_type", "event_ts")
    message = {key: value for key, value in event.items() if key not in only_there}
    message["type"] = "message"
    # The twin of a mention is the mention, once it is read from history.
    told = payload("app_mention" if name == "message_twin" else name)
    assert heard_later(message, event["channel"], **WHO) == heard(told)


def test_a_message_in_history_counts_in_a_channel_only_if_it_names_the_bot() -> None:
    message = {"type": "message", "user": "U1", "ts": "1.2", "text": "hello <@UFOOTNOTES>"}
    assert heard_later(message, "C1", **WHO) is Silence.NOT_MENTIONED
    assert isinstance(heard_later(message, "D1", **WHO), Mention)
    for name in ("<@UFOOTNOTE>", "<@UFOOTNOTE|footnote>"):
        assert isinstance(heard_later(message | {"text": f"hey {name}"}, "C1", **WHO), Mention)


def test_a_foreigner_in_history_is_told_from_a_colleague_of_the_organisation() -> None:
    message = {"type": "message", "user": "U1", "ts": "1.2", "text": "hi", "user_team": "E0ORG"}
    assert heard_later(message, "D1", **WHO) is Silence.FOREIGN_USER
    assert isinstance(heard_later(message, "D1", **WHO, enterprise="E0ORG"), Mention)


@given(
    json_values | st.fixed_dictionaries({}, optional=dict.fromkeys(("type", *FIELDS), json_values)),
    st.text(max_size=4),
)
def test_no_odd_message_in_history_can_make_it_raise(message: Any, channel: str) -> None:
    assert isinstance(heard_later(message, channel, **WHO), Mention | Silence)
