"""What people said in a channel, as text to read: who counts, and names for ids. Pure.

Left out are the notices of Slack itself (joined, left, renamed), what the bot wrote and what was
said to it (a question to the bot answers nobody's), other bots unless they are wanted, and what a
message shows of other places: forwarded messages and previews of links. Files are only named.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.listings import rows, seconds, word
from bot.markup import one_line, plain_text

SPOKEN = (None, "file_share", "thread_broadcast", "me_message")
SOMEONE = "someone"
_LONGEST_NAME = 60
_REFERENCE = re.compile(r"<(?P<kind>[@#])(?P<id>[A-Z0-9]{2,32})(?:\|(?P<label>[^<>]*))?>")
_GROUP = re.compile(r"<!subteam\^[A-Z0-9]+>")
_LINK = re.compile(r"<(?P<url>https?://[^<>|]+)\|(?P<label>[^<>]*)>")
_FENCE = re.compile(r"```\n?(.*?)```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Said:
    """One message that counts. ``text`` is Slack's markup; ``author`` an id, or a bot's name.

    ``edited`` is the ts of its last edit, or "".
    """

    ts: str
    author: str
    text: str
    edited: str = ""
    files: tuple[str, ...] = ()

    @property
    def mentions(self) -> frozenset[str]:
        """Ids of the author and of the people and channels that are named without a name."""
        found = {m["id"] for m in _REFERENCE.finditer(self.text) if not m["label"]}
        return frozenset({self.author, *found})

    @property
    def last_touched(self) -> float:
        """When it was written or last edited, in seconds since the epoch."""
        return max(seconds(self.ts), seconds(self.edited))


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a message: running text, or code whose spaces and line ends mean something."""

    text: str
    code: bool = False


def said(message: Mapping[str, Any], *, bot_user: str, bot_id: str, bots: bool) -> Said | None:
    """Return a message as ``conversations.history`` gave it, or None if it does not count.

    ``bot_user`` and ``bot_id`` are the bot's own; ``bots`` lets those of other bots count.
    """
    subtype, ts = message.get("subtype"), message.get("ts")
    if message.get("hidden") or not seconds(ts) or subtype not in (*SPOKEN, "bot_message"):
        return None
    user, written_by = word(message, "user"), word(message, "bot_id")
    own = user == bot_user or (bool(bot_id) and written_by == bot_id) or user == "USLACKBOT"
    foreign_bot = bool(written_by) or subtype == "bot_message"
    if own or (foreign_bot and not bots) or not (user or foreign_bot):
        return None
    text = word(message, "text")
    if any(m["kind"] == "@" and m["id"] == bot_user for m in _REFERENCE.finditer(text)):
        return None
    files = tuple(
        name
        for file in rows(message, "files")
        if file.get("mode") != "tombstone"
        and (name := one_line(word(file, "title") or word(file, "name")))
    )
    if not text.strip() and not files:
        return None
    author = user if not foreign_bot else one_line(_bot_name(message))[:_LONGEST_NAME]
    edit = message.get("edited")
    edited = word(edit, "ts") if isinstance(edit, dict) else ""
    return Said(str(ts), author or SOMEONE, text, edited, files)


def is_thread(message: Mapping[str, Any]) -> bool:
    """Tell whether a message of a channel is the root of a thread with replies."""
    return bool(message.get("reply_count")) and not is_reply(message)


def is_reply(message: Mapping[str, Any]) -> bool:
    """Tell whether a message belongs to a thread that another one began."""
    return bool(message.get("thread_ts", message.get("ts")) != message.get("ts"))


def people(members: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the display name of each of Slack's users, by id. No e-mail address is looked at."""
    found = {}
    for row in members:
        profile = row.get("profile") if isinstance(row.get("profile"), dict) else {}
        name = (
            word(profile, "display_name")
            or word(profile, "real_name")
            or word(row, "real_name")
            or word(row, "name")
        )
        if word(row, "id") and (plain := one_line(name)[:_LONGEST_NAME]):
            found[word(row, "id")] = plain
    return found


def pieces(text: str, names: Mapping[str, str]) -> list[Piece]:
    """Return the markup of a message as text, in order; ``names`` maps ids to names.

    A link keeps its label and its address, for the address is often what was asked for.
    """
    found: list[Piece] = []
    position = 0
    for fence in _FENCE.finditer(text):
        found += [Piece(text[position : fence.start()]), Piece(fence[1], code=True)]
        position = fence.end()
    found.append(Piece(text[position:]))
    shown = (
        Piece(_code(piece.text) if piece.code else readable(piece.text, names), piece.code)
        for piece in found
    )
    return [piece for piece in shown if piece.text.strip()]


def readable(text: str, names: Mapping[str, str]) -> str:
    """Return running text without Slack's markup, on one or more lines."""

    def named(found: re.Match[str]) -> str:
        if found["label"]:
            return found[0]
        unknown = SOMEONE if found["kind"] == "@" else "channel"
        return f"<{found['kind']}{found['id']}|{_inert(names.get(found['id'], unknown))}>"

    def linked(found: re.Match[str]) -> str:
        url, label = found["url"], found["label"].strip()
        return label if url in label else f"{label} ({url})" if label else url

    text = _GROUP.sub("@group", _REFERENCE.sub(named, text))
    return plain_text(_LINK.sub(linked, text))


def _code(text: str) -> str:
    """Return code as it was written; Slack marks addresses in it all the same."""
    text = re.sub(r"<((?:https?://|mailto:)[^<>|]+)(?:\|[^<>]*)?>", r"\1", text)
    for character, entity in (("<", "&lt;"), (">", "&gt;"), ("&", "&amp;")):
        text = text.replace(entity, character)
    return text


def _inert(name: str) -> str:
    """Escape a name, which is text that somebody chose."""
    return re.sub(r"[<>|]", " ", name)


def _bot_name(message: Mapping[str, Any]) -> str:
    profile = message.get("bot_profile")
    name = word(profile, "name") if isinstance(profile, dict) else ""
    return word(message, "username") or name or "bot"
