"""What the tests of Slack as a source work with: a workspace, a clock, sources, real indexes."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from bot.client import SlackClient
from bot.playground import Playground
from bot.playground.workspace import Message
from handlers.adapters.slack_rooms import SlackOptions
from handlers.adapters.slack_source import SlackSource, slack_kind
from index.audience import Audience
from index.documents import Document, DocumentRef
from index.lance import LanceIndex
from index.parsing import DocumentParser
from index.sources.catalog import Given
from index.sync import SyncReport, sync
from tests.doubles.clocks import ManualClock
from tests.doubles.hashing_embedder import HashingEmbedder

TOKEN = "xoxb-playground"
NAME = "slack"


class Workplace:
    """One workspace and one index. Waiting moves the clock, which is the playground's too."""

    def __init__(
        self, slack: Playground, clock: ManualClock, folder: Path, index: LanceIndex
    ) -> None:
        self.slack = slack
        self.clock = clock
        self.folder = folder
        self.index = index
        self.embedder = HashingEmbedder()
        # No retry handlers: they would wait in real time.
        self.client = SlackClient(token=TOKEN, base_url=slack.api_url, retry_handlers=[])
        self.kind = slack_kind(self.client, clock=clock, pause=self.pause)
        self.waited = 0.0

    async def pause(self, seconds: float) -> None:
        self.waited += seconds
        self.clock.advance(seconds)

    def source(self, *channels: str, work: str = "work", **options: Any) -> SlackSource:
        """Return a fresh source; with the same ``work`` it remembers what the last one learned."""
        given = Given(NAME, frozenset(), self.folder, self.folder / work, lambda name: name)
        chosen = SlackOptions(channels=channels or ("general",), since=date(2020, 1, 1), **options)
        source = self.kind.make(given, chosen)
        assert isinstance(source, SlackSource)
        return source

    async def sync(self, source: SlackSource, **options: Any) -> SyncReport:
        return await sync(source, DocumentParser(), self.embedder, self.index, **options)

    def post(self, channel: str, user: str, text: str, thread_ts: str = "", **more: Any) -> str:
        """Write as Slack stores it, markup and all."""
        place = self.slack.channel_id(channel)
        fields: Message = {"user": self.slack.workspace.user(user).id, "text": text, **more}
        return str(self.slack.workspace.post(place, fields, thread_ts=thread_ts)["ts"])

    def edit(self, channel: str, ts: str, text: str) -> None:
        place = self.slack.channel_id(channel)
        message = self.slack.workspace.find(place, ts)
        assert message is not None
        self.slack.workspace.change(place, ts, {"text": text}, by=message["user"])

    def delete(self, channel: str, ts: str) -> None:
        self.slack.workspace.delete(self.slack.channel_id(channel), ts)

    def asked(self, method: str) -> list[Mapping[str, Any]]:
        """Return the arguments of the calls of a method so far."""
        return [call.arguments for call in self.slack.calls if call.method == method]

    def refusals(self) -> list[str]:
        return [str(c.response.get("error")) for c in self.slack.calls if not c.response.get("ok")]

    async def rows(self, audience: Audience | None = None) -> list[tuple[Any, ...]]:
        """Return all that a search can tell of each row, in a fixed order."""
        return await rows_of(self.index, self.embedder, audience or Audience.everyone())

    async def texts(self, audience: Audience | None = None) -> str:
        """Return all text that this audience can find."""
        return "\n".join(row[1] for row in await self.rows(audience))


async def rows_of(
    index: LanceIndex, embedder: HashingEmbedder, audience: Audience
) -> list[tuple[Any, ...]]:
    found = await index.search(embedder.embed_query("word"), "word", audience, 100_000)
    return sorted(
        (one.chunk.document_id, one.chunk.text, one.title, one.url, one.updated_at, one.chunk.id)
        for one in found
    )


async def refs_of(source: SlackSource) -> dict[str, DocumentRef]:
    listed = [ref async for ref in source.list()]
    assert len({ref.location for ref in listed}) == len(listed)
    return {ref.location: ref for ref in listed}


async def documents_of(source: SlackSource) -> dict[str, Document]:
    """Return every document that the source lists, as the parser reads it."""
    parser = DocumentParser()
    found = {}
    for location, ref in (await refs_of(source)).items():
        raw = await source.fetch(ref)
        assert raw.ref == ref
        found[location] = parser.parse(raw)
    return found
