"""A delivery from Slack -> something to answer, or the reason for silence. Pure; never raises."""

import hashlib
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from bot.conversation import Mention, Place
from bot.markup import plain_text

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # no colon: ids are joined with one in keys
_TS = re.compile(r"[0-9]{1,16}\.[0-9]{1,9}")
_LONGEST_TOKEN = 1_000
_SPOKEN_SUBTYPES = (None, "file_share", "thread_broadcast")
_EMPTY: Mapping[str, Any] = {}


class Silence(StrEnum):
    """Why a delivery is not answered."""

    MALFORMED = "malformed"
    NOT_A_MESSAGE = "not_a_message"
    FROM_A_BOT = "from_a_bot"
    CHANGED = "changed"
    NOT_MENTIONED = "not_mentioned"
    TWIN = "twin"
    SHARED_CHANNEL = "shared_channel"
    FOREIGN_USER = "foreign_user"
    EMPTY = "empty"


def heard(envelope: object) -> Mention | Silence:
    """Judge one Events API envelope.

    In a channel only ``app_mention`` counts: its twin, the ``message`` event of the same words, and
    replies that do not name the bot are passed over. In a direct message every message of a person
    counts. A mention without a question is a mention with empty text. Conversations with other
    companies are not answered: nobody can tell there what everybody may read.
    """
    outer = _mapping(envelope)
    event = _mapping(outer.get("event"))
    kind = event.get("type")
    if kind not in ("message", "app_mention"):
        return Silence.NOT_A_MESSAGE
    subtype = event.get("subtype")
    if event.get("bot_id") or event.get("bot_profile") or subtype == "bot_message":
        return Silence.FROM_A_BOT
    if subtype not in _SPOKEN_SUBTYPES or event.get("hidden"):
        return Silence.CHANGED
    team, channel = _id(outer.get("team_id")), _id(event.get("channel"))
    user, ts = _id(event.get("user")), _ts(event.get("ts"))
    thread_ts = _ts(event["thread_ts"]) if event.get("thread_ts") else ts
    if not (team and channel and user and ts and thread_ts):
        return Silence.MALFORMED
    bot = _bot_user(outer)
    if user == bot or user == "USLACKBOT":
        return Silence.FROM_A_BOT
    if outer.get("is_ext_shared_channel") is True:
        return Silence.SHARED_CHANNEL
    if _is_foreign(outer, event, team):
        return Silence.FOREIGN_USER
    said = event.get("text")
    text = said if isinstance(said, str) else ""
    direct = event.get("channel_type") == "im" or channel.startswith("D")
    if kind == "message" and not direct:
        return Silence.TWIN if _names(text, bot) else Silence.NOT_MENTIONED
    return Mention(
        team=team,
        channel=channel,
        user=user,
        ts=ts,
        thread_ts=thread_ts,
        place=Place.DIRECT if direct else Place.CHANNEL,
        text=plain_text(text, bot),
        action_token=_token(_mapping(event.get("assistant_thread")).get("action_token")),
    )


def heard_later(
    message: object, channel: str, *, team: str, bot_user: str, enterprise: str = ""
) -> Mention | Silence:
    """Judge a message that was read from the history of ``channel``, as its event would have been.

    The event that Slack would have sent is made from the message and put before ``heard``, so that
    there is one judgement: ``app_mention`` where the bot is named in a channel, ``message``
    elsewhere. Slack sends ``app_mention`` again when such a message is edited, so an edited message
    is judged by its present words. What history does not say is whether the channel is shared with
    another company: leave those channels out.
    """
    said = _mapping(message)
    text, kind = said.get("text"), said.get("type")
    if kind == "message" and not channel.startswith("D"):
        kind = "app_mention" if isinstance(text, str) and _names(text, bot_user) else kind
    grant = {"is_bot": True, "user_id": bot_user, "team_id": team, "enterprise_id": enterprise}
    event = {**said, "type": kind, "channel": channel, "channel_type": ""}
    return heard({"team_id": team, "event": event, "authorizations": [grant]})


def commanded(form: object) -> Mention | Silence:
    """Judge one slash command.

    A command leaves no message behind, so its ``ts`` is made from the trigger id, which Slack never
    gives twice.
    """
    fields = _mapping(form)
    team, channel = _id(fields.get("team_id")), _id(fields.get("channel_id"))
    user, trigger = _id(fields.get("user_id")), fields.get("trigger_id")
    if not (team and channel and user and isinstance(trigger, str) and trigger):
        return Silence.MALFORMED
    raw = fields.get("text")
    text = plain_text(raw) if isinstance(raw, str) else ""
    if not text:
        return Silence.EMPTY
    ts = "command-" + hashlib.sha256(trigger.encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return Mention(team, channel, user, ts, ts, Place.COMMAND, text)


def _bot_user(outer: Mapping[str, Any]) -> str:
    """Return the bot's own user id, which every envelope carries, or ""."""
    grants = outer.get("authorizations")
    for grant in grants if isinstance(grants, list) else ():
        fields = _mapping(grant)
        if fields.get("is_bot") is True:
            return _id(fields.get("user_id"))
    return ""


def _names(text: str, bot: str) -> bool:
    """Tell whether ``text`` mentions the bot."""
    return bool(bot) and (f"<@{bot}>" in text or f"<@{bot}|" in text)


def _is_foreign(outer: Mapping[str, Any], event: Mapping[str, Any], team: str) -> bool:
    """Tell whether the author belongs to another company than the one that installed the bot."""
    grants = outer.get("authorizations")
    sides = [outer, *(_mapping(grant) for grant in (grants if isinstance(grants, list) else ()))]
    own = {team, *(_id(side.get(name)) for side in sides for name in ("team_id", "enterprise_id"))}
    named = (_id(event.get("user_team")), _id(event.get("source_team")))
    return any(name and name not in own for name in named)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else _EMPTY


def _id(value: object) -> str:
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def _token(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= _LONGEST_TOKEN else ""


def _ts(value: object) -> str:
    return value if isinstance(value, str) and _TS.fullmatch(value) else ""
