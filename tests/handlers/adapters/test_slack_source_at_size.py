"""Slack channels as a source, with real chat, with slow limits, and through many random steps."""

import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.playground import Playground
from bot.playground.workspace import Conversation
from index.audience import EVERYONE, Audience, Principal
from index.errors import SourceUnavailable
from index.formats.outline import one_line
from index.lance import LanceIndex
from tests.doubles.clocks import ManualClock
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.doubles.irc_channels import Poured, logs, pour
from tests.handlers.adapters.slack_workplace import (
    TOKEN,
    Workplace,
    documents_of,
    refs_of,
    rows_of,
)


async def assert_poured_is_indexed(place: Workplace, poured: list[Poured]) -> None:
    """Every message stands in exactly one document, with those that it was said with."""
    source = place.source(*(one.id for one in poured))
    found = await documents_of(source)
    assert place.refusals() == []
    threads = {f"{one.id}/thread/{root}" for one in poured for root in one.threads}
    assert {location for location in found if "/thread/" in location} == threads
    for one in poured:
        for root, replies in one.threads.items():
            there = squeezed(found[f"{one.id}/thread/{root}"].text)
            assert there == spoken(one, [root, *replies])
        talks = sorted(
            (location.rpartition("/")[2], document.text)
            for location, document in found.items()
            if location.startswith(f"{one.id}/talk/")
        )
        assert squeezed("\n".join(text for _, text in talks)) == spoken(one, one.talk)


def spoken(poured: Poured, messages: list[str]) -> str:
    said = [poured.spoken[ts] for ts in messages if ts in poured.spoken]
    return squeezed("\n".join(f"{name}: {text}" for name, text in said))


def squeezed(text: str) -> str:
    """Return what must be the same: all but the days, white space and the marks of code."""
    lines = [line for line in text.split("\n") if not re.fullmatch(r"\d{4}-\d\d-\d\d", line)]
    return re.sub(r"[\s`]+", "", one_line("\n".join(lines)))


async def synced_alike(place: Workplace, poured: list[Poured]) -> None:
    """A first sync indexes all; a second neither fetches nor embeds."""
    channels = [one.id for one in poured]
    first = await place.sync(place.source(*channels))
    assert first.skipped == () and first.changed == first.removed == 0
    embedded = place.embedder.embedded
    second = await place.sync(place.source(*channels))
    assert second.unchanged == first.added and second.added == second.changed == 0
    assert place.embedder.embedded == embedded


def made_up(seed: int) -> dict[str, Any]:
    """Return a log as the real ones are: who comes and goes, chatter, and linked replies."""
    chance = random.Random(seed)
    messages: list[str] = []
    links: list[list[int]] = []
    minute = 8 * 60
    for index in range(600):
        minute += chance.choice([0, 0, 0, 1, 1, 2, 45])
        time = f"{minute // 60 % 24:02}:{minute % 60:02}"
        name = f"{chance.choice(['Ada', 'Bo', 'Cy', 'Dé'])}{chance.randrange(9)}"
        words = " ".join(
            chance.choice("if x<y & z > 1 ok: `ls -l` why? no. Größe".split()) for _ in range(6)
        )
        if chance.random() < 0.1:
            messages.append(f"=== {name} entered the room.")
            continue
        action = chance.random() < 0.05
        messages.append(f"[{time}]  * {name} {words}" if action else f"[{time}] <{name}> {words}")
        if index and chance.random() < 0.3:
            links.append([chance.randrange(max(0, index - 20), index), index])
    return {"messages": messages, "reply_links": links}


async def test_chat_becomes_threads_and_talk_and_every_line_is_there_once(
    place: Workplace,
) -> None:
    poured = [pour(place.slack, place.clock, made_up(seed), seed) for seed in (1, 2)]
    assert min(len(one.threads) for one in poured) > 30 < min(len(one.talk) for one in poured)
    await assert_poured_is_indexed(place, poured)
    await synced_alike(place, poured)


@pytest.mark.soak
@pytest.mark.timeout(1_200)
async def test_all_of_the_real_chat_is_indexed_and_read_only_by_whom_it_should_be(
    place: Workplace,
) -> None:
    poured = [
        pour(place.slack, place.clock, log, number, private=bool(number % 3 == 0))
        for number, log in enumerate(logs())
    ]
    assert sum(len(one.spoken) for one in poured) > 40_000
    await assert_poured_is_indexed(place, poured)
    await synced_alike(place, poured)
    closed = {one.id for one in poured if one.id.startswith("G")}
    channels = {f"{place.slack.url}archives/{one.id}/": one.id for one in poured}

    def ids(rows: list[tuple[Any, ...]]) -> set[str]:
        return {channels[row[3].rpartition("p")[0]] for row in rows}

    assert ids(await place.rows()) == {one.id for one in poured} - closed
    for channel in closed:
        member = Audience.of([EVERYONE, Principal("slack-channel", channel)])
        assert ids(await place.rows(member)) & closed == {channel}


async def test_an_app_outside_the_marketplace_is_slow_and_gets_there(tmp_path: Path) -> None:
    clock, embedder = ManualClock(), HashingEmbedder()
    index = LanceIndex(
        str(tmp_path / "index"), embedder=embedder.name, dimensions=embedder.dimensions
    )
    async with Playground(
        signing_secret="s", bot_token=TOKEN, clock=clock, distributed=True
    ) as slack:
        place = Workplace(slack, clock, tmp_path, index)
        roots = [place.post("general", "alice", f"question {n}") for n in range(40)]
        for number in range(20):
            place.post("general", "bob", f"answer {number}", roots[3])
        found = await documents_of(place.source())
        text = "\n".join(one.text for one in found.values())
        assert all(f"question {n}" in text for n in range(40))
        assert all(f"answer {n}" in text for n in range(20))
        assert set(place.refusals()) == {"ratelimited"}
        assert place.waited < 6 * 60
    await index.close()


async def test_waiting_in_vain_ends(place: Workplace) -> None:
    place.slack.fail_next("conversations.history", "ratelimited", retry_after=30, times=50)
    with pytest.raises(SourceUnavailable, match="try again later"):
        await refs_of(place.source())
    assert place.waited < 600
    place.slack.fail_next("users.list", "ratelimited", retry_after=3_600)
    with pytest.raises(SourceUnavailable, match="try again later"):
        await refs_of(place.source())
    assert place.waited < 600


class Workday:
    """People at work: each step is one thing that somebody does."""

    def __init__(self, place: Workplace, seed: int) -> None:
        self.place = place
        self.chance = random.Random(seed)
        self.spoken: dict[str, list[str]] = {"CGENERAL": [], "GPEOPLE": [], "CHELP": []}
        self.count = 0

    def step(self) -> None:
        steps: list[Callable[[str], None]] = [
            *[self.say] * 4,
            *[self.reply] * 4,
            *[self.edit] * 2,
            *[self.delete] * 2,
            self.wait,
            self.loud_reply,
            self.join,
            self.rename,
            self.open_or_close,
        ]
        self.chance.choice(steps)(self.chance.choice(list(self.spoken)))

    def words(self) -> str:
        self.count += 1
        return " ".join(f"word{self.chance.randrange(300)}" for _ in range(8)) + f" n{self.count}"

    def who(self) -> str:
        return self.chance.choice(["UALICE", "UBOB", "UFOOTNOTE"])

    def say(self, channel: str) -> None:
        self.place.clock.advance(self.chance.choice([5, 500, 1_900]))
        who, more = self.who(), {}
        if who == "UFOOTNOTE":
            more = {"bot_id": "BFOOTNOTE"}
        self.spoken[channel].append(self.place.post(channel, who, self.words(), **more))

    def reply(self, channel: str, **more: Any) -> None:
        if ts := self.pick(channel):
            message = self.place.slack.workspace.find(channel, ts) or {}
            root = str(message.get("thread_ts", ts))
            if self.place.slack.workspace.find(channel, root):
                self.spoken[channel].append(
                    self.place.post(
                        channel, self.chance.choice(["UALICE", "UBOB"]), self.words(), root, **more
                    )
                )

    def loud_reply(self, channel: str) -> None:
        self.reply(channel, subtype="thread_broadcast")

    def edit(self, channel: str) -> None:
        if ts := self.pick(channel):
            self.place.clock.advance(1)
            self.place.edit(channel, ts, self.words())

    def delete(self, channel: str) -> None:
        if ts := self.pick(channel):
            self.spoken[channel].remove(ts)
            self.place.delete(channel, ts)

    def wait(self, channel: str) -> None:
        self.place.clock.advance(self.chance.choice([3_600, 3 * 24 * 3_600]))

    def join(self, channel: str) -> None:
        self.place.post(channel, "UBOB", "<@UBOB> has joined", subtype="channel_join")

    def rename(self, channel: str) -> None:
        self.place.slack.workspace.users["UBOB"].name = f"bob{self.chance.randrange(5)}"

    def open_or_close(self, channel: str) -> None:
        if channel == "GPEOPLE":
            conversation = self.place.slack.workspace.conversation(channel)
            conversation.kind = "channel" if conversation.kind == "private" else "private"

    def pick(self, channel: str) -> str:
        there = [
            ts
            for ts in self.spoken[channel]
            if (self.place.slack.workspace.find(channel, ts) or {}).get("subtype") != "tombstone"
        ]
        return self.chance.choice(there) if there else ""


async def follow(place: Workplace, tmp_path: Path, seed: int, syncs: int) -> None:
    """After each sync the index equals one that is made afresh, row for row."""
    day = Workday(place, seed)
    channels = ("CGENERAL", "GPEOPLE", "CHELP")
    source = place.source(*channels)
    member = Audience.of([EVERYONE, Principal("slack-channel", "GPEOPLE")])
    for number in range(syncs):
        for _ in range(10):
            day.step()
        report = await place.sync(source, confirm_deletion=True)
        assert report.skipped == ()
        embedder = HashingEmbedder()
        fresh = LanceIndex(
            str(tmp_path / f"fresh-{number}"),
            embedder=embedder.name,
            dimensions=embedder.dimensions,
        )
        afresh = Workplace(place.slack, place.clock, tmp_path, fresh)
        await afresh.sync(afresh.source(*channels, work=f"afresh-{number}"))
        for audience in (member, Audience.everyone()):
            assert await place.rows(audience) == await rows_of(fresh, embedder, audience)
        kept = await place.index.fingerprints(source.name)
        assert kept == await fresh.fingerprints(source.name)
        await fresh.close()


async def test_after_random_steps_the_index_equals_one_made_afresh(
    place: Workplace, tmp_path: Path
) -> None:
    await follow(place, tmp_path, seed=1, syncs=12)


@pytest.mark.soak
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("seed", range(2, 10))
async def test_after_many_random_steps_too(place: Workplace, tmp_path: Path, seed: int) -> None:
    await follow(place, tmp_path, seed, syncs=40)


async def test_many_small_channels_are_one_source(place: Workplace) -> None:
    names = []
    for number in range(30):
        channel = f"CMANY{number:03}"
        members = ["UALICE", place.slack.workspace.bot.id]
        place.slack.workspace.add_conversation(
            Conversation(channel, f"many-{number}", "channel", members)
        )
        place.post(channel, "alice", f"words of {number}")
        names.append(channel)
    report = await place.sync(place.source(*names))
    assert report.added == 30 and place.refusals() == []
