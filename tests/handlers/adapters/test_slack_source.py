"""Slack channels as a source: what becomes a document, and that it follows every change."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.playground.workspace import Conversation, User
from handlers.adapters.slack_rooms import SlackOptions
from handlers.adapters.slack_source import YOUNG_SECONDS, SlackSource
from index.audience import EVERYONE, Audience, Principal
from index.documents import DocumentRef
from index.errors import CatalogInvalid, DocumentUnreadable, SourceUnavailable
from index.sources.catalog import Given, read_catalog
from tests.handlers.adapters.slack_workplace import (
    NAME,
    Workplace,
    documents_of,
    refs_of,
)

DAY = 24 * 3_600.0
MEMBER = Audience.of([EVERYONE, Principal("slack-channel", "GPEOPLE")])


def text_of(found: dict[str, object], part: str) -> str:
    (document,) = [one for location, one in found.items() if part in location]
    return str(document.text)  # type: ignore[attr-defined]


async def test_a_thread_is_one_document_and_talk_is_cut_where_it_paused(place: Workplace) -> None:
    root = place.post("general", "alice", "How do I reset my password?")
    place.post("general", "bob", "On the portal.", root)
    place.clock.advance(60)
    first = place.post("general", "alice", "Lunch?")
    place.clock.advance(20 * 60)
    place.post("general", "bob", "At noon.")
    place.clock.advance(31 * 60)
    later = place.post("general", "bob", "Back again.")
    found = await documents_of(place.source())
    assert found.keys() == {
        f"CGENERAL/thread/{root}",
        f"CGENERAL/talk/{first}",
        f"CGENERAL/talk/{later}",
    }
    day = datetime.fromtimestamp(place.clock(), UTC).date().isoformat()
    thread = found[f"CGENERAL/thread/{root}"]
    assert thread.text == (f"{day}\n\nalice: How do I reset my password?\n\nbob: On the portal.")
    assert thread.title == "#general: How do I reset my password?"
    assert thread.url == f"{place.slack.url}archives/CGENERAL/p{root.replace('.', '')}"
    assert text_of(dict(found), first).endswith("alice: Lunch?\n\nbob: At noon.")


async def test_talk_that_never_pauses_is_cut_all_the_same(place: Workplace) -> None:
    for number in range(40):
        place.clock.advance(10 * 60)
        place.post("general", "alice", f"line {number}")
    found = await documents_of(place.source())
    assert [len(one.text.split("alice: ")) - 1 for one in found.values()] == [7, 7, 7, 7, 7, 5]


async def test_no_talk_goes_on_from_one_day_into_the_next(place: Workplace) -> None:
    place.clock.now += DAY - place.clock.now % DAY - 60
    place.post("general", "alice", "before midnight")
    place.clock.advance(120)
    place.post("general", "alice", "after midnight")
    assert len(await documents_of(place.source())) == 2


async def test_it_is_as_new_as_its_last_message_or_edit(place: Workplace) -> None:
    ts = place.post("general", "alice", "one")
    (before,) = (await documents_of(place.source())).values()
    assert before.updated_at == datetime.fromtimestamp(float(ts), UTC)
    place.clock.advance(500)
    place.edit("general", ts, "two")
    (after,) = (await documents_of(place.source())).values()
    assert after.updated_at is not None and before.updated_at is not None
    assert (after.updated_at - before.updated_at).total_seconds() == pytest.approx(500, abs=1)
    place.clock.advance(500)
    refs = await refs_of(place.source())
    place.edit("general", ts, "two")
    assert await refs_of(place.source()) != refs


async def test_only_what_people_said_to_each_other_counts(place: Workplace) -> None:
    place.post("general", "alice", "<@UALICE> has joined", subtype="channel_join")
    place.post("general", "alice", "has renamed the channel", subtype="channel_name")
    place.post("general", "alice", "<@UFOOTNOTE> how many days off?")
    place.post("general", "Footnote", "Thirty days.", bot_id="BFOOTNOTE")
    place.post("general", "bob", "deploy done", bot_id="BDEPLOY", subtype="bot_message")
    place.post("general", "bob", "hidden words", hidden=True)
    assert await documents_of(place.source()) == {}
    place.post("general", "bob", "waves", subtype="me_message")
    forwarded = [{"text": "what a private channel said", "is_share": True}]
    place.post("general", "bob", "look", attachments=forwarded)
    (one,) = (await documents_of(place.source())).values()
    assert one.text.split("\n\n")[1:] == ["bob: waves", "bob: look"]
    (two,) = (await documents_of(place.source(bots=True))).values()
    assert two.text.split("\n\n")[1:] == ["bot: deploy done", "bob: waves", "bob: look"]


async def test_a_thread_of_the_bot_leaves_only_what_people_added(place: Workplace) -> None:
    root = place.post("general", "alice", "<@UFOOTNOTE> how many days off?")
    place.post("general", "Footnote", "Twenty.", root, bot_id="BFOOTNOTE")
    source = place.source()
    assert await documents_of(source) == {}
    assert await documents_of(place.source()) == {}  # nor from memory
    place.post("general", "bob", "It is thirty since May.", root)
    (one,) = (await documents_of(place.source())).values()
    assert one.text.split("\n\n")[1:] == ["bob: It is thirty since May."]
    assert one.title == "#general: It is thirty since May."


async def test_a_reply_that_was_also_sent_to_the_channel_stands_in_its_thread_alone(
    place: Workplace,
) -> None:
    root = place.post("general", "alice", "root")
    place.post("general", "bob", "loud", root, subtype="thread_broadcast")
    found = await documents_of(place.source())
    assert [one.text.count("loud") for one in found.values()] == [1]


async def test_words_of_people_never_become_markup(place: Workplace) -> None:
    evil = "# Heading\n&lt;h1&gt;Boo&lt;/h1&gt; &lt;title&gt;t&lt;/title&gt;\n---\ntitle: x"
    place.slack.workspace.users["UBOB"].name = "</p><h1>Bob</h1>\n# Bob"
    place.slack.workspace.users["UBOB"].real_name = ""
    place.post("general", "UBOB", evil)
    place.post("general", "alice", "see <https://a.example/x|the page> ```a  &lt;b&gt;\n  c```")
    place.post("general", "alice", "hi <@UBOB>", files=[{"name": "<b>plan</b>.pdf"}])
    (one,) = (await documents_of(place.source())).values()
    assert one.headings == ()
    assert one.title == "#general: # Heading <h1>Boo</h1> <title>t</title> --- title: x"
    assert "<h1>Boo</h1> <title>t</title>" in one.text
    assert "alice: see the page (https://a.example/x)\n\na  <b>\n  c" in one.text
    assert "(file: <b>plan</b>.pdf)" in one.text


async def test_a_sync_follows_new_edited_and_deleted_messages_and_nothing_else(
    place: Workplace,
) -> None:
    root = place.post("general", "alice", "Where is the printer?")
    reply = place.post("general", "bob", "On the second floor.", root)
    place.clock.advance(2 * 3_600)
    other = place.post("general", "alice", "Unrelated talk of the day.")
    source = place.source()
    first = await place.sync(source)
    assert (first.added, first.skipped) == (2, ())
    again = await place.sync(source)
    assert (again.unchanged, again.added, again.changed, again.removed) == (2, 0, 0, 0)

    place.edit("general", reply, "On the third floor.")
    edited = await place.sync(source)
    assert (edited.changed, edited.unchanged) == (1, 1)
    assert "third floor" in await place.texts() and "second floor" not in await place.texts()

    place.clock.advance(600)
    place.post("general", "bob", "More talk.")
    grown = await place.sync(source)
    assert (grown.changed, grown.unchanged) == (1, 1)

    place.delete("general", reply)
    gone = await place.sync(source)
    # Without replies the root is talk, the first of its stretch.
    assert "third floor" not in await place.texts() and "printer" in await place.texts()
    assert (gone.added, gone.removed) == (1, 1)

    place.delete("general", root)
    place.delete("general", other)
    await place.sync(source)
    assert "printer" not in await place.texts() and "Unrelated" not in await place.texts()
    assert "More talk." in await place.texts()


async def test_a_root_that_is_deleted_leaves_its_replies(place: Workplace) -> None:
    root = place.post("general", "alice", "the secret plan")
    place.post("general", "bob", "I will do it.", root)
    source = place.source()
    await place.sync(source)
    place.delete("general", root)
    report = await place.sync(source)
    assert report.changed == 1
    assert "secret" not in await place.texts() and "I will do it." in await place.texts()


async def test_a_sync_without_news_reads_no_old_thread_but_those_that_are_due(
    place: Workplace,
) -> None:
    roots = []
    for number in range(12):
        root = place.post("general", "alice", f"question {number}")
        place.post("general", "bob", f"answer {number}", root)
        roots.append(root)
    place.clock.advance(YOUNG_SECONDS + 60)
    await refs_of(place.source(rereads=0))
    assert len(place.asked("conversations.replies")) == 12
    await refs_of(place.source(rereads=0))
    assert len(place.asked("conversations.replies")) == 12
    seen = []
    for _ in range(3):
        before = len(place.asked("conversations.replies"))
        await refs_of(place.source(rereads=4))
        seen += [call["ts"] for call in place.asked("conversations.replies")[before:]]
    assert sorted(seen) == sorted(roots)  # each of them once in three syncs


@pytest.mark.parametrize("change", ["added", "deleted"])
async def test_a_thread_with_news_is_read_however_old_it_is(place: Workplace, change: str) -> None:
    root = place.post("general", "alice", "question")
    first = place.post("general", "bob", "first answer", root)
    place.post("general", "bob", "second answer", root)
    await place.sync(place.source(rereads=0))
    place.clock.advance(YOUNG_SECONDS * 10)
    if change == "added":
        place.post("general", "alice", "thanks a lot", root)
    else:
        place.delete("general", first)
    report = await place.sync(place.source(rereads=0))
    assert report.changed == 1
    assert ("thanks a lot" in await place.texts()) == (change == "added")
    assert ("first answer" in await place.texts()) == (change == "added")


async def test_an_edited_reply_is_found_in_a_young_thread_and_in_an_old_one_when_due(
    place: Workplace,
) -> None:
    root = place.post("general", "alice", "question")
    reply = place.post("general", "bob", "wrong answer", root)
    await place.sync(place.source(rereads=0))
    place.edit("general", reply, "better answer")
    await place.sync(place.source(rereads=0))
    assert "better answer" in await place.texts()
    place.clock.advance(YOUNG_SECONDS + 60)
    place.edit("general", reply, "best answer")
    await place.sync(place.source(rereads=0))
    assert "best answer" not in await place.texts()
    await place.sync(place.source(rereads=1))
    assert "best answer" in await place.texts()


async def test_what_is_remembered_holds_no_words_and_may_vanish(place: Workplace) -> None:
    root = place.post("general", "alice", "marmalade")
    place.post("general", "bob", "strawberry", root)
    before = await refs_of(place.source())
    (kept,) = (place.folder / "work").iterdir()
    text = kept.read_text("utf-8")
    assert root in text and "UBOB" in text
    assert not any(word in text for word in ("marmalade", "strawberry", "bob", "alice"))
    for damage in (
        "",
        "[]",
        '{"recipe": 1}',
        text[:40],
        text.replace('"threads":{', '"threads":{"x":[1],'),
    ):
        kept.write_text(damage, "utf-8")
        assert await refs_of(place.source()) == before
    kept.unlink()
    assert await refs_of(place.source()) == before


async def test_a_listing_that_breaks_off_goes_on_with_what_it_has_read(place: Workplace) -> None:
    for number in range(60):
        root = place.post("general", "alice", f"question {number}")
        place.post("general", "bob", "answer", root)
    place.clock.advance(YOUNG_SECONDS * 2)
    source = place.source(rereads=0)
    listing = source.list()
    for _ in range(55):
        await anext(listing)
    await listing.aclose()  # type: ignore[attr-defined]
    assert len(place.asked("conversations.replies")) == 55
    await refs_of(place.source(rereads=0))
    assert len(place.asked("conversations.replies")) == 55 + 10


async def test_a_private_channel_is_for_its_members_and_a_public_one_for_everyone(
    place: Workplace,
) -> None:
    place.post("general", "alice", "public words")
    place.post("people-team", "alice", "private words")
    await place.sync(place.source("general", "GPEOPLE"))
    assert await place.texts() and "private words" not in await place.texts()
    assert "private words" in await place.texts(MEMBER)
    assert "public words" in await place.texts(MEMBER)
    both = Audience.of([EVERYONE, Principal("slack-channel", "GPEOPLE")], [EVERYONE])
    assert "private words" not in await place.texts(both)


async def test_a_channel_that_becomes_private_or_public_takes_its_documents_along(
    place: Workplace,
) -> None:
    root = place.post("people-team", "alice", "salaries")
    place.post("people-team", "alice", "are secret", root)
    place.clock.advance(YOUNG_SECONDS * 2)
    conversation = place.slack.workspace.conversation("people-team")
    source = place.source("GPEOPLE", rereads=0)
    await place.sync(source)
    assert "salaries" not in await place.texts()
    conversation.kind = "channel"
    report = await place.sync(source)
    assert report.changed == 1 and "salaries" in await place.texts()
    conversation.kind = "private"
    report = await place.sync(source)
    assert report.changed == 1 and "salaries" not in await place.texts()
    assert "are secret" in await place.texts(MEMBER)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"shared": True}, "CHELP is shared with another company.*take it out"),
        ({"archived": True}, "CHELP is archived; unarchive it"),
        ({"members": ["UALICE"]}, "in no channel called CHELP.*/invite @Footnote"),
    ],
)
async def test_a_channel_that_may_not_be_read_any_more_leaves_the_index_and_is_named(
    place: Workplace, change: dict[str, object], reason: str
) -> None:
    place.post("general", "alice", "kept words")
    place.post("help", "alice", "gone words")
    source = place.source("general", "CHELP")
    await place.sync(source)
    conversation = place.slack.workspace.conversation("help")
    for name, value in change.items():
        setattr(conversation, name, value)
    report = await place.sync(source)
    assert report.removed == 1
    ((location, told),) = [(one.location, one.reason) for one in report.skipped]
    assert location == "CHELP"
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(told)
    assert "gone words" not in await place.texts() and "kept words" in await place.texts()


async def test_a_channel_that_vanished_is_named_and_its_documents_are_removed(
    place: Workplace,
) -> None:
    place.post("general", "alice", "kept words")
    place.post("help", "alice", "gone words")
    source = place.source("general", "CHELP")
    await place.sync(source)
    del place.slack.workspace.conversations["CHELP"]
    report = await place.sync(source)
    assert [one.location for one in report.skipped] == ["CHELP"]
    assert report.removed == 1 and "gone words" not in await place.texts()


async def test_a_private_channel_without_the_bot_says_no_more_than_one_that_is_not_there(
    place: Workplace,
) -> None:
    place.slack.workspace.add_conversation(Conversation("GSECRET", "board", "private", ["UBOB"]))
    report = await place.sync(place.source("GSECRET", "GNOWHERE", "nowhere", "random"))
    reasons = {one.location: one.reason.replace(one.location, "X") for one in report.skipped}
    assert reasons["GSECRET"] == reasons["GNOWHERE"]
    assert len(reasons) == 4 and "#nowhere" in next(
        one.reason for one in report.skipped if one.location == "nowhere"
    )


async def test_a_channel_is_found_by_its_name_and_listed_once(place: Workplace) -> None:
    place.post("general", "alice", "words")
    found = await refs_of(place.source("#general", "CGENERAL", "general"))
    assert len(found) == 1 and next(iter(found)).startswith("CGENERAL/talk/")


@pytest.mark.parametrize(
    ("channels", "problem"),
    [
        (["*"], "name each channel"),
        (["#gen*"], "name each channel"),
        (["C123 ABC"], "name each channel"),
        (["DALICE123"], "direct messages, which are never read"),
        (["U012ABCDEF"], "direct messages, which are never read"),
        ([], "at least 1 item"),
    ],
)
def test_the_catalog_names_each_channel(
    place: Workplace, channels: list[str], problem: str
) -> None:
    with pytest.raises(ValidationError, match=problem):
        SlackOptions.model_validate({"channels": channels})
    text = f'[[source]]\nname = "s"\nkind = "slack"\nchannels = {channels!r}'
    with pytest.raises(CatalogInvalid):
        read_catalog(text, {"slack": place.kind})


def test_the_catalog_need_not_name_readers_and_must_not(place: Workplace, tmp_path: Path) -> None:
    text = '[[source]]\nname = "s"\nkind = "slack"\nchannels = ["C0123ABCD"]'
    (one,) = read_catalog(text, {"slack": place.kind})
    given = Given(one.name, one.readers, tmp_path, tmp_path, lambda name: name)
    assert isinstance(place.kind.make(given, one.options), SlackSource)
    open_to_all = Given("s", frozenset({EVERYONE.id}), tmp_path, tmp_path, lambda name: name)
    with pytest.raises(CatalogInvalid, match="leave readers out"):
        place.kind.make(open_to_all, one.options)


async def test_names_follow_the_people_and_the_channel(place: Workplace) -> None:
    root = place.post("general", "alice", "ask <@UBOB> in <#CHELP>")
    place.post("general", "bob", "yes", root)
    place.clock.advance(YOUNG_SECONDS * 2)
    source = place.source("CGENERAL", rereads=0)
    await place.sync(source)
    assert "alice: ask @bob in #" in await place.texts()
    place.slack.workspace.users["UBOB"].name = "robert"
    report = await place.sync(source)
    assert report.changed == 1
    assert "ask @robert in" in await place.texts() and "robert: yes" in await place.texts()
    place.slack.workspace.conversation("general").name = "everybody"
    await place.sync(source)
    assert {row[2][:11] for row in await place.rows()} == {"#everybody:"}


async def test_only_so_much_of_the_past_is_read_and_whole_days(place: Workplace) -> None:
    place.post("general", "alice", "long ago")
    place.clock.advance(10 * DAY)
    place.post("general", "alice", "yesterday")
    place.clock.advance(DAY)
    options = SlackOptions(channels=("general",), days=3)
    assert options.oldest(place.clock()) % DAY == 0
    given = Given(NAME, frozenset(), place.folder, place.folder, lambda name: name)
    source = place.kind.make(given, options)
    assert isinstance(source, SlackSource)
    (one,) = (await documents_of(source)).values()
    assert "yesterday" in one.text


async def test_a_fetch_alone_reads_what_a_listing_would(place: Workplace) -> None:
    """Another machine fetches what the first one listed."""
    root = place.post("general", "alice", "question")
    for number in range(450):
        place.post("general", "bob", f"answer {number}", root)
    for number in range(30):
        place.clock.advance(60 * (number % 3) * 20)
        place.post("general", "alice", f"talk {number}")
    listed = await refs_of(place.source())
    for ref in listed.values():
        alone = place.source()
        raw = await alone.fetch(ref)
        assert raw.ref == ref


async def test_a_fetch_after_a_change_brings_the_version_of_its_words(place: Workplace) -> None:
    ts = place.post("general", "alice", "before")
    (ref,) = (await refs_of(place.source())).values()
    place.edit("general", ts, "after")
    raw = await place.source().fetch(ref)
    assert b"after" in raw.content and raw.ref.id == ref.id
    assert raw.ref == (await refs_of(place.source()))[ref.location]


async def test_what_was_held_since_an_older_listing_is_not_fetched(place: Workplace) -> None:
    ts = place.post("general", "alice", "before")
    older = place.source()
    await refs_of(older)
    place.edit("general", ts, "after")
    (ref,) = (await refs_of(place.source())).values()
    assert b"after" in (await older.fetch(ref)).content


async def test_what_counts_may_be_decided_anew(place: Workplace) -> None:
    root = place.post("general", "alice", "is it up?")
    place.post("general", "bob", "deploy done", root, bot_id="BDEPLOY")
    place.clock.advance(YOUNG_SECONDS * 2)
    await place.sync(place.source(rereads=0))
    assert "deploy done" not in await place.texts()
    await place.sync(place.source(rereads=0, bots=True))
    assert "deploy done" in await place.texts()
    await place.sync(place.source(rereads=0))
    assert "deploy done" not in await place.texts()


@pytest.mark.parametrize(
    "location",
    [
        *("CGENERAL/talk/1.000001", "CGENERAL/thread/1.000001", "CRANDOM/talk/1800000000.000000"),
        *(
            "CGENERAL/talk/",
            "CGENERAL/x/1800000000.000000",
            "CGENERAL",
            "",
            "../x",
            "CGENERAL/talk",
        ),
    ],
)
async def test_what_was_never_listed_is_unreadable(place: Workplace, location: str) -> None:
    with pytest.raises(DocumentUnreadable, match=r"\.$"):
        await place.source().fetch(DocumentRef(NAME, location, "1"))


async def test_a_document_whose_messages_went_since_the_listing_is_unreadable(
    place: Workplace,
) -> None:
    root = place.post("general", "alice", "root")
    reply = place.post("general", "bob", "reply", root)
    place.clock.advance(3_600)
    talk = place.post("general", "bob", "talk")
    refs = await refs_of(place.source())
    place.delete("general", talk)
    place.delete("general", reply)
    for ref in refs.values():
        with pytest.raises(DocumentUnreadable, match="vanished"):
            await place.source().fetch(ref)


@pytest.mark.parametrize("method", ["conversations.history", "conversations.replies", "users.list"])
async def test_trouble_with_slack_is_never_an_empty_channel(place: Workplace, method: str) -> None:
    root = place.post("general", "alice", "root")
    place.post("general", "bob", "reply", root)
    source = place.source()
    await place.sync(source)
    place.slack.fail_next(method, status=503, times=10)
    with pytest.raises(SourceUnavailable, match=r"^slack: .*\.$"):
        await place.sync(source)
    assert "reply" in await place.texts()


@pytest.mark.parametrize("error", ["missing_scope", "invalid_auth", "access_denied"])
async def test_a_scope_or_token_that_is_missing_removes_nothing(
    place: Workplace, error: str
) -> None:
    place.post("general", "alice", "words")
    source = place.source()
    await place.sync(source)
    place.slack.fail_next("conversations.info", error)
    with pytest.raises(SourceUnavailable, match=error):
        await place.sync(source)
    assert "words" in await place.texts()


async def test_a_passing_failure_is_tried_again(place: Workplace) -> None:
    place.post("general", "alice", "words")
    place.slack.fail_next("conversations.history", status=500, times=2)
    assert len(await refs_of(place.source())) == 1


async def test_a_huge_channel_is_read_page_by_page_within_the_limits(place: Workplace) -> None:
    ids = [place.post("general", "alice", f"message {number}") for number in range(5_000)]
    for ts in ids[::100]:
        place.post("general", "bob", "reply", ts)
    found = await documents_of(place.source())
    assert sum(one.text.count("alice: ") for one in found.values()) == 5_000
    assert len(place.asked("conversations.history")) == 25
    assert len(place.asked("conversations.replies")) == 50
    assert place.refusals() == []  # the playground counts as Slack does
    assert place.waited < 180


async def test_four_fetches_at_once_keep_the_pace(place: Workplace) -> None:
    for number in range(60):
        root = place.post("general", "alice", f"question {number}")
        place.post("general", "bob", "answer", root)
    refs = list((await refs_of(place.source())).values())
    alone = place.source()
    todo = iter(refs)

    async def fetch_some() -> None:
        for ref in todo:
            await alone.fetch(ref)

    await asyncio.gather(*(fetch_some() for _ in range(4)))
    assert place.refusals() == []


async def test_people_of_other_companies_stay_nameless(place: Workplace) -> None:
    place.slack.workspace.add_user(User("UOTHER", "oda", "Oda Other", stranger=True))
    place.post("general", "alice", "hi <@UGONE99>")
    (one,) = (await documents_of(place.source())).values()
    assert one.text.endswith("alice: hi @someone")
