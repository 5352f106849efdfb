"""Slack channels as a source: each channel named by the operator, one thread one document.

    [[source]]
    name = "help-desk"
    kind = "slack"
    channels = ["C0123ABCD", "#it-help"]   # ids rather than names: a name can be given away
    days = 365                             # how far back

**Off unless asked for.** Slack's API terms forbid persistent copies of messages to apps that are
distributed. An app that a company installs for itself from our manifest is internal, and exempt;
it is also spared the limit of one call a minute. There is no wild card, and never read are direct
messages, channels shared with another company, archived ones, and where the bot was not invited.
What is refused leaves the index, and is named with each sync.

**In step.** Every sync lists the whole history of each channel (200 messages a call, 30 calls a
minute), so each message, edit and delete outside threads is followed. Slack tells of new and
deleted replies in the root of a thread, so those threads are read again at once. Of an edited reply
it tells nothing: threads with a reply in the last ``YOUNG_SECONDS`` are always read, and
``rereads`` of the others, those first that were read longest ago. Up to that many quiet threads
(300 take ten minutes) every sync follows everything; with n, an edit of an old reply is followed
after n / ``rereads`` syncs at the latest. A delete is never late. A thread belongs to the day on
which it began.

**Kept** between syncs are ids and hashes (``slack_threads``), never words.

**Readers.** A public channel is for everyone; a private one for its members, by its id, whoever
they are at the time of a question. A channel that turns private is closed by the next sync; until
then everyone may find what everyone could read when it was written.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bot.channel_reader import ChannelReader
from bot.channels import Closed
from bot.client import SlackClient
from bot.errors import SlackConversationError
from bot.listings import seconds, word
from bot.pacing import Pacer
from bot.transcripts import Said, is_reply, is_thread
from handlers.adapters.slack_documents import (
    TALK_SECONDS,
    Digest,
    Room,
    digest,
    document,
    stretches,
    version,
)
from handlers.adapters.slack_rooms import SlackOptions, SlackRooms
from handlers.adapters.slack_threads import ThreadMemory, news_of
from index.documents import DocumentRef, RawDocument, stable_id
from index.errors import CatalogInvalid, DocumentUnreadable, SourceUnavailable
from index.sources.catalog import Given, Kind

YOUNG_SECONDS: Final = 2 * 24 * 3_600
HELD_BYTES: Final = 32_000_000
"""What was read for the listing is held for the fetch up to this size; the rest is read again."""

_SAVED_EVERY = 50
_THREAD, _TALK = "thread", "talk"


class SlackSource:
    """The Source port on channels of one workspace.

    ``work`` is a folder for what is remembered of threads; it may vanish, which costs only time.
    ``clock`` gives seconds since the epoch.
    """

    def __init__(
        self,
        name: str,
        options: SlackOptions,
        client: SlackClient,
        pacer: Pacer,
        work: Path,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Describe the source; Slack is asked when it is listed."""
        self._name = name
        self._options = options
        self._reader = ChannelReader(client, pacer)
        self._rooms = SlackRooms(options, client, self._reader, clock=clock)
        self._work = work
        self._clock = clock
        self._held: dict[str, RawDocument] = {}
        self._held_bytes = 0

    @property
    def name(self) -> str:
        """Name in the catalog."""
        return self._name

    @property
    def readers(self) -> frozenset[str]:
        """Nobody in general: each channel has readers of its own, and they are in each version."""
        return frozenset()

    @property
    def paced(self) -> bool:
        """True: Slack counts the calls of the whole app, and one pacer keeps within its limits."""
        return True

    async def list(self) -> AsyncIterator[DocumentRef]:
        """Yield a ref for each thread and each stretch of talk, as they are now.

        A channel that may not be read is one ref, whose fetch says why. Raises SourceUnavailable
        if Slack stops answering: half a listing would look like deleted messages.
        """
        self._held, self._held_bytes = {}, 0
        self._rooms.forget()
        try:
            await self._rooms.introduce()
            memory = ThreadMemory(self._work / "threads.json", self._rooms.recipe)
            await asyncio.to_thread(memory.load)
            due = memory.due(self._options.rereads)
            done: set[str] = set()
            for wanted in self._options.channels:
                room = await self._rooms.room(wanted)
                if isinstance(room, Closed):
                    yield DocumentRef(self._name, wanted, stable_id(room.reason))
                elif room.channel.id not in done:
                    done.add(room.channel.id)
                    async for ref in self._documents(room, memory, due):
                        yield ref
            await asyncio.to_thread(memory.save, complete=True)
        except SlackConversationError as error:
            raise SourceUnavailable(f"{self._name}: {error}") from error

    async def fetch(self, ref: DocumentRef) -> RawDocument:
        """Return the messages of one document as a page of HTML.

        They are those of the listing, or else as they are now. Raises DocumentUnreadable if they
        are gone or the channel may not be read, and SourceUnavailable.
        """
        held = self._held.pop(ref.location, None)
        if held is not None:
            self._held_bytes -= len(held.content)
            if held.ref == ref:
                return held
        try:
            return await self._read_again(ref)
        except SlackConversationError as error:
            raise SourceUnavailable(f"{self._name}: {error}") from error

    async def _documents(
        self, room: Room, memory: ThreadMemory, due: frozenset[str]
    ) -> AsyncIterator[DocumentRef]:
        talk: list[Said] = []
        unsaved = 0
        oldest = self._options.oldest(self._clock())
        async for message in self._reader.messages(room.channel.id, oldest):
            if is_thread(message):
                ref, was_read = await self._thread(room, message, memory, due)
                unsaved += was_read
                if unsaved >= _SAVED_EVERY:
                    await asyncio.to_thread(memory.save)
                    unsaved = 0
                if ref is not None:
                    yield ref
            elif not is_reply(message):
                for line in self._rooms.lines([message]):
                    if talk and len(stretches([line, talk[-1]])) > 1:
                        for ref in self._talks(room, talk):
                            yield ref
                        talk = []
                    talk.append(line)
        for ref in self._talks(room, talk):
            yield ref

    async def _thread(
        self, room: Room, root: Mapping[str, Any], memory: ThreadMemory, due: frozenset[str]
    ) -> tuple[DocumentRef | None, bool]:
        """Return the document of a thread, if anything in it counts, and whether it was read."""
        ts, news = str(root["ts"]), news_of(root)
        key = f"{room.channel.id}/{ts}"
        young = seconds(word(root, "latest_reply")) > self._clock() - YOUNG_SECONDS
        replies = memory.get(key, news)
        if replies is not None and not young and key not in due:
            first = self._rooms.lines([root])
            counts = bool(first) or not replies.empty
            changes = version(room, digest(first), replies)
            return (self._ref(room, _THREAD, ts, changes) if counts else None), False
        messages = await self._reader.thread(room.channel.id, ts)
        found, replies = self._of_thread(room, ts, messages)
        memory.put(key, news, replies, self._clock())
        if found is not None:
            self._hold(found)
        return (found.ref if found is not None else None), True

    def _of_thread(
        self, room: Room, ts: str, messages: Sequence[Mapping[str, Any]]
    ) -> tuple[RawDocument | None, Digest]:
        """Return a thread as a document, if anything in it counts, and what its replies are."""
        first = self._rooms.lines(one for one in messages if one["ts"] == ts)
        rest = self._rooms.lines(one for one in messages if one["ts"] != ts)
        replies = digest(rest)
        if not first and not rest:
            return None, replies
        ref = self._ref(room, _THREAD, ts, version(room, digest(first), replies))
        return document(ref, room, ts, [*first, *rest]), replies

    def _of_talk(self, room: Room, lines: Sequence[Said]) -> RawDocument:
        ref = self._ref(room, _TALK, lines[0].ts, version(room, digest(lines)))
        return document(ref, room, lines[0].ts, lines)

    def _talks(self, room: Room, newest_first: Sequence[Said]) -> Sequence[DocumentRef]:
        found = [self._of_talk(room, lines) for lines in stretches(reversed(newest_first))]
        for one in found:
            self._hold(one)
        return [one.ref for one in found]

    async def _read_again(self, ref: DocumentRef) -> RawDocument:
        channel, _, rest = ref.location.partition("/")
        kind, _, ts = rest.partition("/")
        if ref.source != self._name or (rest and kind not in (_THREAD, _TALK)):
            raise DocumentUnreadable(f"{ref.location!r} is not a document of this source.")
        await self._rooms.introduce()
        room = await self._rooms.opted_in(channel)
        if isinstance(room, Closed):
            raise DocumentUnreadable(room.reason)
        found = None
        if seconds(ts) >= self._options.oldest(self._clock()):
            if kind == _THREAD:
                messages = await self._reader.thread(room.channel.id, ts)
                if any(map(is_thread, messages)):
                    found, _ = self._of_thread(room, ts, messages)
            else:
                found = await self._talk_from(room, ts)
        if found is None:
            raise DocumentUnreadable(
                f"{ref.location} vanished after it was listed; sync again if it should be there."
            )
        return found

    async def _talk_from(self, room: Room, ts: str) -> RawDocument | None:
        """Return the stretch of talk that begins with this message, if it is still talk."""
        span = await self._reader.span(room.channel.id, ts, TALK_SECONDS + 1)
        spoken = self._rooms.lines(m for m in span if not is_thread(m) and not is_reply(m))
        lines = next(iter(stretches(spoken)), None)
        return self._of_talk(room, lines) if lines and lines[0].ts == ts else None

    def _ref(self, room: Room, kind: str, ts: str, changes: str) -> DocumentRef:
        return DocumentRef(self._name, f"{room.channel.id}/{kind}/{ts}", changes)

    def _hold(self, found: RawDocument) -> None:
        if self._held_bytes + len(found.content) <= HELD_BYTES:
            self._held[found.ref.location] = found
            self._held_bytes += len(found.content)


def slack_kind(
    client: SlackClient,
    *,
    clock: Callable[[], float] = time.time,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Kind:
    """Return ``kind = "slack"``; its sources share one pace, as they share one workspace."""
    pacer = Pacer(clock=clock, pause=pause)

    def made(given: Given, options: SlackOptions) -> SlackSource:
        if given.readers:
            raise CatalogInvalid(
                [f"Source {given.name}: leave readers out; a channel's members are its readers."]
            )
        return SlackSource(given.name, options, client, pacer, given.work, clock=clock)

    return Kind(SlackOptions, made, own_readers=True)
