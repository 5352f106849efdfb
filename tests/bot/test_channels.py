"""bot.channels: which channels may be read, as Slack's documentation describes them."""

from typing import Any

import pytest

from bot.channels import Channel, Closed, channel_named, is_id, judged

# https://docs.slack.dev/reference/objects/conversation-object
PUBLIC = {
    "id": "C012AB3CD",
    "name": "general",
    "is_channel": True,
    "is_group": False,
    "is_im": False,
    "is_mpim": False,
    "is_private": False,
    "is_archived": False,
    "is_shared": False,
    "is_ext_shared": False,
    "is_org_shared": False,
    "is_pending_ext_shared": False,
    "is_member": True,
}


def test_what_the_bot_was_invited_to_may_be_read() -> None:
    assert judged(PUBLIC, "x") == Channel("C012AB3CD", "general", private=False)
    private = PUBLIC | {"is_channel": False, "is_group": True, "is_private": True}
    assert judged(private, "x") == Channel("C012AB3CD", "general", private=True)
    # Shared between the workspaces of one company.
    inside = PUBLIC | {"is_shared": True, "is_org_shared": True}
    assert judged(inside, "x") == Channel("C012AB3CD", "general", private=False)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"is_im": True, "id": "D024BE91L"}, "between persons"),
        ({"is_mpim": True, "is_group": True, "is_private": True}, "between persons"),
        ({"id": "D024BE91L"}, "between persons"),
        ({"is_shared": True, "is_ext_shared": True}, "another company"),
        ({"is_shared": True}, "another company"),
        ({"is_shared": True, "is_ext_shared": True, "is_org_shared": True}, "another company"),
        ({"is_pending_ext_shared": True}, "another company"),
        ({"is_archived": True}, "archived"),
        ({"is_member": False}, "/invite @Footnote"),
        ({"is_member": None}, "/invite @Footnote"),
        ({"is_private": True, "is_member": False}, "/invite @Footnote"),
    ],
)
def test_everything_else_is_refused_with_a_sentence(change: dict[str, Any], reason: str) -> None:
    found = judged(PUBLIC | change, "#general")
    assert isinstance(found, Closed)
    assert reason in found.reason and "#general" in found.reason and found.reason.endswith(".")


def test_a_description_that_says_nothing_opens_nothing() -> None:
    assert isinstance(judged({}, "x"), Closed)
    silent = {key: value for key, value in PUBLIC.items() if key != "is_private"}
    assert judged(silent, "x") == Channel("C012AB3CD", "general", private=True)


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("C012AB3CD", "C012AB3CD"),
        (" #Help-Desk ", "help-desk"),
        ("hilfe-für-alle", "hilfe-für-alle"),
        ("général", "général"),
    ],
)
def test_a_channel_is_named_by_id_or_name(written: str, named: str) -> None:
    assert channel_named(written) == named
    assert is_id(named) == (named == "C012AB3CD")


@pytest.mark.parametrize(
    "written", ["", "#", "*", "a*", "a b", "a/b", "<#C1|x>", "@ada", "D024BE91L", "U024BE7LH"]
)
def test_what_names_no_channel_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"name each channel|never read"):
        channel_named(written)
