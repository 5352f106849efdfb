"""Who can be named as a reader, and how it is written."""

import pytest

from index.audience import EVERYONE, Audience, Principal


@pytest.mark.parametrize(
    ("text", "principal"),
    [
        ("everyone", EVERYONE),
        ("slack-user:U1", Principal("slack-user", "U1")),
        ("slack-group: S1 ", Principal("slack-group", "S1")),
        ("email:Ann@Example.com", Principal("email", "ann@example.com")),
        ("domain:Example.COM", Principal("domain", "example.com")),
        ("group:Team: A", Principal("group", "Team: A")),
    ],
)
def test_a_reader_is_read_as_it_is_compared(text: str, principal: Principal) -> None:
    assert Principal.written(text) == principal


@pytest.mark.parametrize("text", ["", "Everyone", "group:", "group:  ", "user:U1", "everyone:x"])
def test_what_names_no_reader_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be everyone or one of"):
        Principal.written(text)


def test_an_id_says_nothing_of_its_kind_and_belongs_to_one_alone() -> None:
    names = ["U1", "U1 ", "x" * 10_000, "a\x00b", "') OR true --", "\u202eabc"]
    kinds = ["slack-user", "slack-group", "email"]
    ids = {Principal(kind, name).id for kind in kinds for name in names}
    assert len(ids) == len(kinds) * len(names)
    assert all(len(one) == 32 and set(one) <= set("0123456789abcdef") for one in ids)


def test_a_room_may_read_what_each_of_them_may_and_an_empty_one_nothing() -> None:
    ann, bob = Principal("slack-user", "A"), Principal("slack-user", "B")
    room = Audience.of({EVERYONE, ann}, {EVERYONE, bob})
    assert room.may_read(frozenset({EVERYONE.id}))
    assert room.may_read(frozenset({ann.id, bob.id}))
    assert not room.may_read(frozenset({ann.id}))
    assert not room.may_read(frozenset())
    assert not Audience.of({EVERYONE}, set()).may_read(frozenset({EVERYONE.id}))
    assert not Audience(()).may_read(frozenset({EVERYONE.id}))
