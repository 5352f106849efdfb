"""Streamed messages: what was appended so far, and how much and how long one may still grow."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.playground import limits
from bot.playground.errors import SlackRefusal

Chunk = dict[str, Any]


@dataclass(slots=True)
class Stream:
    """One message in the making. ``pieces`` are Block Kit blocks, in the order they came."""

    channel: str
    ts: str
    started: float
    text: str = ""
    pieces: list[dict[str, Any]] = field(default_factory=list)

    def add(self, chunks: list[Chunk]) -> None:
        """Append chunks; refuse more than about 11 KB of text in all: msg_too_long."""
        added = "".join(c["text"] for c in chunks if c["type"] == "markdown_text")
        if len((self.text + added).encode()) > limits.STREAM_BYTES:
            raise SlackRefusal("msg_too_long")
        self.text += added
        for chunk in chunks:
            self._add_one(chunk)

    def _add_one(self, chunk: Chunk) -> None:
        kind = chunk["type"]
        if kind == "markdown_text":
            if self.pieces and self.pieces[-1]["type"] == "markdown":
                self.pieces[-1]["text"] += chunk["text"]
            elif chunk["text"]:
                self.pieces.append({"type": "markdown", "text": chunk["text"]})
        elif kind == "task_update":
            card = {"type": "task_card", "task_id": chunk["id"], "title": chunk["title"]}
            card |= {"status": chunk["status"]}
            for key in ("details", "output"):
                if chunk.get(key):
                    card[key] = _rich(chunk[key])
            if chunk.get("sources"):
                card["sources"] = chunk["sources"]
            same = [p for p in self.pieces if p.get("task_id") == chunk["id"]]
            if same:
                same[0].update(card)
            else:
                self.pieces.append(card)
        elif kind == "plan_update":
            same = [p for p in self.pieces if p["type"] == "plan"]
            if same:
                same[0]["title"] = chunk["title"]
            else:
                self.pieces.insert(0, {"type": "plan", "title": chunk["title"]})
        else:
            self.pieces += chunk["blocks"]

    def blocks(self) -> list[dict[str, Any]]:
        """Return the blocks of the message so far, each with an id."""
        return [
            {**piece, "block_id": piece.get("block_id") or f"s{number}"}
            for number, piece in enumerate(self.pieces, start=1)
        ]


class Streams:
    """The streams that are open. ``clock`` gives seconds since the epoch."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._open: dict[tuple[str, str], Stream] = {}
        self._stopped: set[tuple[str, str]] = set()

    def opened(self, stream: Stream) -> None:
        """Remember a new stream."""
        self._open[stream.channel, stream.ts] = stream

    def new(self, channel: str) -> Stream:
        """Return a stream that has no message yet."""
        return Stream(channel, "", self._clock())

    def running(self, channel: str, ts: str) -> Stream:
        """Return an open stream; refuse one that ended, or is older than 5 minutes."""
        if (channel, ts) in self._stopped:
            raise SlackRefusal("stopped_by_user")
        stream = self._open.get((channel, ts))
        if stream is None or self._clock() - stream.started > limits.STREAM_SECONDS:
            raise SlackRefusal("message_not_in_streaming_state")
        return stream

    def is_open(self, channel: str, ts: str) -> bool:
        """Tell whether a message still streams; one that outlived its time does not."""
        stream = self._open.get((channel, ts))
        return stream is not None and self._clock() - stream.started <= limits.STREAM_SECONDS

    def closed(self, channel: str, ts: str) -> None:
        """Forget a stream."""
        self._open.pop((channel, ts), None)

    def stop(self, channel: str, ts: str) -> bool:
        """End a stream because a person wants it; tell whether there was one."""
        was_open = self.is_open(channel, ts)
        if was_open:
            self.closed(channel, ts)
            self._stopped.add((channel, ts))
        return was_open


def _rich(text: str) -> dict[str, Any]:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [section]}
