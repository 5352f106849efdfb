"""Messages -> documents of the index: one a thread, one a stretch of talk outside threads. Pure.

**Threads.** Slack itself says what belongs together: the root and its replies.

**Talk.** Single messages make poor documents: "yes, since the update" means nothing without the
line before. Talk is therefore cut where it paused for ``PAUSE_SECONDS``, and in a channel that
never pauses after ``TALK_SECONDS``. A document is named after its first message, so what is said
later never renames what was said before, and a new message changes the latest stretch alone. It is
cut at midnight (UTC) as well, so that a deleted message can move no border of another day, and no
more than a day need be held to find them.

Message text is untrusted: it is escaped into HTML of ours, so none of it becomes a heading, a title
or a link.
"""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from bot.channels import Channel
from bot.listings import seconds
from bot.markup import cut, one_line
from bot.transcripts import SOMEONE, Said, pieces, readable
from index.audience import EVERYONE, Principal
from index.documents import DocumentRef, RawDocument, stable_id

PAUSE_SECONDS: Final = 1_800
TALK_SECONDS: Final = 3_600
MEDIA_TYPE: Final = "text/html"

_RECIPE = "slack-1"
"""Raise it whenever the same messages give another document."""

_TITLE_CHARACTERS = 100
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Room:
    """What all documents of a channel share. ``site`` is the workspace's address, or ""."""

    channel: Channel
    site: str
    names: Mapping[str, str]

    @property
    def readers(self) -> frozenset[str]:
        """Everybody for a public channel; for a private one whoever is a member when asked.

        The name of the principal is the channel's id alone, and it says nothing of who the members
        are: that is looked up with each question, so that who leaves reads no more.
        """
        if self.channel.private:
            return frozenset({Principal("slack-channel", self.channel.id).id})
        return frozenset({EVERYONE.id})

    def url(self, ts: str) -> str:
        """Return the permalink of a message, made without asking Slack for each."""
        if not self.site:
            return ""
        return f"{self.site}archives/{self.channel.id}/p{ts.replace('.', '')}"


@dataclass(frozen=True, slots=True)
class Digest:
    """What is known of messages without their words: a hash, and whom and what they name."""

    value: str
    named: frozenset[str]
    empty: bool


def digest(lines: Sequence[Said]) -> Digest:
    """Return what changes whenever one of these messages is edited, deleted or joined by one."""
    each = (stable_id(one.ts, one.author, one.edited, one.text, *one.files) for one in lines)
    named = frozenset[str]().union(*(one.mentions for one in lines))
    return Digest(stable_id(*each), named, not lines)


def version(room: Room, *parts: Digest) -> str:
    """Return the version of a document made of these messages, in this room as it is now.

    Who may read is part of it, and so are the names that stand in the text: a channel that becomes
    private, or a person who is renamed, changes the documents.
    """
    named = sorted(frozenset[str]().union(*(part.named for part in parts)))
    names = [f"{one}={room.names.get(one, '')}" for one in named]
    where = (room.channel.id, room.channel.name, room.site, *sorted(room.readers))
    return stable_id(_RECIPE, *where, *(part.value for part in parts), *names)


def stretches(lines: Iterable[Said]) -> list[list[Said]]:
    """Cut talk, oldest first, into documents."""
    found: list[list[Said]] = []
    for line in lines:
        now = seconds(line.ts)
        if (
            not found
            or now - seconds(found[-1][-1].ts) > PAUSE_SECONDS
            or now - seconds(found[-1][0].ts) > TALK_SECONDS
            or now // _DAY != seconds(found[-1][0].ts) // _DAY
        ):
            found.append([])
        found[-1].append(line)
    return found


def document(ref: DocumentRef, room: Room, first: str, lines: Sequence[Said]) -> RawDocument:
    """Return the document of these messages, oldest first and at least one; ``first`` is linked."""
    return RawDocument(
        ref=ref,
        content=_page(room, lines).encode("utf-8", "replace"),
        media_type=f"{MEDIA_TYPE}; charset=utf-8",
        url=room.url(first),
        readers=room.readers,
        updated_at=datetime.fromtimestamp(max(one.last_touched for one in lines), UTC),
    )


def _page(room: Room, lines: Sequence[Said]) -> str:
    title = f"#{room.channel.name}: {_headline(lines, room.names)}"
    parts = [f"<html><head><title>{html.escape(title)}</title></head><body><main>"]
    day = ""
    for line in lines:
        today = datetime.fromtimestamp(seconds(line.ts), UTC).date().isoformat()
        if today != day:
            parts.append(f"<p>{today}</p>")
            day = today
        parts += _message(line, room.names)
    return "\n".join([*parts, "</main></body></html>"])


def _message(line: Said, names: Mapping[str, str]) -> list[str]:
    """Return a message as paragraphs; the first begins with its author's name."""
    parts = []
    speaker = f"{html.escape(_author(line, names))}: "
    for piece in pieces(line.text, names):
        if piece.code:
            parts += [f"<p>{speaker}</p>"] if speaker else []
            parts.append(f"<pre>{html.escape(piece.text)}</pre>")
        else:
            shown = "<br>".join(html.escape(text) for text in piece.text.strip().split("\n"))
            parts.append(f"<p>{speaker}{shown}</p>")
        speaker = ""
    if line.files:
        shown = ", ".join(html.escape(name) for name in line.files)
        parts.append(f"<p>{speaker}(file: {shown})</p>")
    return parts


def _author(line: Said, names: Mapping[str, str]) -> str:
    return names.get(line.author) or (SOMEONE if line.author.isupper() else line.author)


def _headline(lines: Sequence[Said], names: Mapping[str, str]) -> str:
    for line in lines:
        text = one_line(readable(line.text.replace("```", " "), names))
        if text:
            return cut(text, _TITLE_CHARACTERS)
    return ", ".join(lines[0].files)[:_TITLE_CHARACTERS]
