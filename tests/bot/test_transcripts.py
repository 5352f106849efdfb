"""bot.transcripts: what counts of a channel, and how it reads."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.transcripts import Said, people, pieces, readable, said

NAMES = {"U1": "Ada", "C1": "general", "U2": "x|<@U1> & \n# y"}
TS = "1800000000.000100"


def heard(bots: bool = False, **message: Any) -> Said | None:
    whole = {"type": "message", "ts": TS, "user": "U1", "text": "words", **message}
    return said(whole, bot_user="UBOT", bot_id="BBOT", bots=bots)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("hi <@U1>, <@U9>, <@U1|old name>", "hi @Ada, @someone, @old name"),
        ("in <#C1> and <#C2> and <#C2|secret>", "in #general and #channel and #secret"),
        ("<!here> <!channel> <!everyone>", "@here @channel @everyone"),
        ("<!subteam^S1> <!subteam^S1|@admins>", "@group @admins"),
        ("<!date^1392734382^{date}|18 Feb 2014>", "18 Feb 2014"),
        ("<https://a.example/x?a=1&amp;b=2>", "https://a.example/x?a=1&b=2"),
        ("<https://a.example/x|the page>", "the page (https://a.example/x)"),
        ("<https://a.example|https://a.example>", "https://a.example"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("1 &lt; 2 &amp;&amp; <b>", "1 < 2 && b"),
    ],
)
def test_markup_becomes_words(written: str, shown: str) -> None:
    assert readable(written, NAMES) == shown


def test_code_keeps_its_lines_and_spaces() -> None:
    text = "try ```if  a &lt; b:\n    f(<https://a.example|a.example>)``` or `x`"
    assert [(one.text.strip("\n"), one.code) for one in pieces(text, NAMES)] == [
        ("try", False),
        ("if  a < b:\n    f(https://a.example)", True),
        ("or `x`", False),
    ]


def test_a_name_is_only_a_name() -> None:
    assert readable("<@U2> says", NAMES).splitlines() == ["@x @U1 &", "# y says"]


@pytest.mark.parametrize(
    "message",
    [
        {"subtype": "channel_join"},
        {"subtype": "channel_leave"},
        {"subtype": "channel_topic"},
        {"subtype": "tombstone", "hidden": True, "user": "USLACKBOT"},
        {"subtype": "pinned_item"},
        {"user": "UBOT"},
        {"user": "U7", "bot_id": "BBOT"},
        {"user": "USLACKBOT"},
        {"user": ""},
        {"user": None},
        {"text": " \n "},
        {"text": None},
        {"text": ["a"]},
        {"text": "<@UBOT> when?"},
        {"text": "hey <@UBOT|footnote> when?"},
        {"ts": "yesterday"},
        {"ts": None},
        {"bot_id": "BELSE"},
        {"subtype": "bot_message", "user": ""},
    ],
)
def test_what_does_not_count(message: dict[str, Any]) -> None:
    assert heard(**message) is None


@pytest.mark.parametrize("subtype", [None, "file_share", "thread_broadcast", "me_message"])
def test_what_counts(subtype: str | None) -> None:
    assert heard(subtype=subtype) == Said(TS, "U1", "words")


def test_other_bots_count_when_they_are_wanted_the_own_one_never() -> None:
    found = heard(bots=True, bot_id="B2", bot_profile={"name": "Deploy\n# Bot"})
    assert found == Said(TS, "Deploy # Bot", "words")
    assert heard(bots=True, subtype="bot_message", user="", username="ci") is not None
    assert heard(bots=True, bot_id="BBOT") is None


def test_files_are_named_and_deleted_ones_are_not() -> None:
    files = [{"title": "Plan\n2026", "name": "p.pdf"}, {"name": "n.txt"}]
    gone = [{"name": "gone.txt", "mode": "tombstone"}, "odd", {"name": 3}]
    found = heard(text="", files=[*files, *gone])
    assert found is not None and found.files == ("Plan 2026", "n.txt")


def test_what_other_places_show_is_left_out() -> None:
    found = heard(attachments=[{"text": "forwarded", "is_share": True}])
    assert found == Said(TS, "U1", "words")


def test_an_edit_is_remembered_by_its_time() -> None:
    found = heard(edited={"user": "U1", "ts": "1800000009.000000"})
    assert found is not None and found.last_touched == 1_800_000_009.0


def test_people_are_called_as_they_wish_and_their_address_is_not_looked_at() -> None:
    rows = [
        {"id": "U1", "name": "a", "profile": {"display_name": "Ada", "email": "a@b.example"}},
        {"id": "U2", "name": "b", "profile": {"display_name": "", "real_name": "Bob B"}},
        {"id": "U3", "name": "c"},
        {"id": "U4", "name": "", "profile": None},
        {"name": "nobody"},
        {"id": 5, "name": "odd"},
    ]
    assert people(rows) == {"U1": "Ada", "U2": "Bob B", "U3": "c"}


@given(st.text(alphabet="<>@#!|`&;UC1^ \nx", max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    shown = "".join(one.text for one in pieces(text, NAMES))
    assert "<@U1>" not in shown
    found = heard(text=text)
    assert found is None or found.mentions
