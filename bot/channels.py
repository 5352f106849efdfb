"""Which channels the bot may read for other people, and what they are. Pure.

Read is what the bot was invited to, inside one company. Not read are conversations between persons,
channels with another company (nobody can tell there what everybody may read) and archived ones:
Slack takes everybody out of an archived public channel, so that nobody is a member any more.
"""

import re
from dataclasses import dataclass
from typing import Any

from bot.listings import word
from bot.markup import one_line

_ID = re.compile(r"[CG][A-Z0-9]{2,24}")
_NAME = re.compile(r"[^\s#@<>|/*A-Z]{1,80}")
_SHARED = ("is_ext_shared", "is_pending_ext_shared")
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel that may be read. ``private``: only its members may."""

    id: str
    name: str
    private: bool


@dataclass(frozen=True, slots=True)
class Closed:
    """A channel that may not be read, and a sentence that says why and what to do."""

    reason: str


def channel_named(text: str) -> str:
    """Return a channel's id, or its name without ``#``, as somebody wrote it down.

    Raises ValueError for anything else: direct messages and wild cards name no channel.
    """
    written = text.strip()
    if _ID.fullmatch(written):
        return written
    name = written.removeprefix("#").lower()
    if re.fullmatch(r"[DUW][A-Z0-9]{6,24}", written):
        raise ValueError(f"{written} is a person or direct messages, which are never read")
    if not _NAME.fullmatch(name):
        raise ValueError(f"{text!r} must be a channel's id or its name; name each channel")
    return name


def is_id(named: str) -> bool:
    """Tell whether a result of ``channel_named`` is an id; names hold no capital letters."""
    return bool(_ID.fullmatch(named))


def judged(row: Any, wanted: str) -> Channel | Closed:
    """Return what Slack describes, if it may be read. ``wanted`` is how the operator calls it."""
    channel = word(row, "id")
    if row.get("is_im") or row.get("is_mpim") or not _ID.fullmatch(channel):
        return Closed(f"{wanted} is a conversation between persons, which is never read.")
    if any(row.get(flag) for flag in _SHARED) or (
        row.get("is_shared") and not row.get("is_org_shared")
    ):
        return Closed(
            f"{wanted} is shared with another company, so it is not read; take it out of the"
            " catalog."
        )
    if row.get("is_archived"):
        return Closed(f"{wanted} is archived; unarchive it, or take it out of the catalog.")
    private = row.get("is_private") is not False
    if row.get("is_member") is False or not (private or row.get("is_member")):
        return not_a_member(wanted)
    return Channel(channel, one_line(word(row, "name"))[:_LONGEST_NAME] or channel, private)


def not_a_member(wanted: str) -> Closed:
    """Return why a channel is not read that the bot is not in, as far as anybody can tell."""
    return Closed(
        f"The bot is in no channel called {wanted}; check the name, or write"
        " /invite @Footnote there."
    )
