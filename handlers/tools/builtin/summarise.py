"""Read a thread or a channel, so that the model can say what it comes to."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.channel_reader import ChannelReader
from bot.client import SlackClient
from bot.listings import seconds
from bot.markup import cut, one_line
from bot.pacing import Pacer
from bot.transcripts import Said, is_reply, people, readable, said
from handlers.tools.builtin.asking_slack import asking_slack
from handlers.tools.builtin.places import CHANNEL, Spot, may_be_shown, spot
from handlers.tools.errors import ToolRefused
from handlers.tools.ports import Effect, ToolContext, ToolResult

MOST_MESSAGES = 150
MOST_CHARACTERS = 12_000
LONGEST_MESSAGE = 1_000
MOST_NAMES = 40
DEFAULT_HOURS = 24
MOST_HOURS = 30 * 24


class Summarise:
    """Returns a transcript, bounded; the model that called it writes the summary.

    Read is only where the asker is a member, and only for a room whose people may read it anyhow:
    what was said in a private channel goes to nobody else.
    """

    name = "summarise"
    description = (
        "Read this thread, or the latest messages of a channel, to summarise them. Returns who said"
        " what, oldest first."
    )
    parameters: Mapping[str, object] = {
        "type": "object",
        "properties": {
            "channel": CHANNEL,
            "hours": {
                "type": "integer",
                "minimum": 1,
                "maximum": MOST_HOURS,
                "description": f"How far back to read a channel; {DEFAULT_HOURS} if left out.",
            },
        },
        "required": ["channel"],
        "additionalProperties": False,
    }
    effect = Effect.READ

    def __init__(
        self,
        client: SlackClient,
        *,
        pacer: Pacer | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Read with ``client``, at the pace of ``pacer``, that of the workspace if there is one."""
        self._client = client
        self._reader = ChannelReader(client, pacer or Pacer())
        self._clock = clock

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Return the transcript. Raises ToolRefused, ToolUnavailable."""
        hours = int(str(arguments.get("hours", DEFAULT_HOURS)))
        async with asking_slack(context):
            place = await spot(self._client, context.caller, str(arguments["channel"]))
            if not may_be_shown(place, context):
                raise ToolRefused(
                    "Not everybody here may read that channel, so nothing of it is shown here."
                )
            found, more = await self._said(place, hours)
            names = await self._names(found)
        if not found:
            return ToolResult(f"Nobody said anything in {place.name} that could be summarised.")
        lines, left = _lines(found, names)
        notes = [f"What was said in {place.name}, oldest first:"]
        if more or left:
            notes.append("(Earlier messages are left out: there were too many.)")
        return ToolResult("\n".join([*notes, *lines]))

    async def _said(self, place: Spot, hours: int) -> tuple[list[Said], bool]:
        """Return what counts, oldest first, and whether there was more before it."""
        us = await self._client.whoami()

        def counted(message: Mapping[str, Any]) -> Said | None:
            return said(message, bot_user=us.bot_user, bot_id=us.bot_id, bots=False)

        if place.thread_ts:
            thread = await self._reader.thread(place.channel, place.thread_ts)
            kept = [one for message in thread if (one := counted(message)) is not None]
            return kept[-MOST_MESSAGES:], len(kept) > MOST_MESSAGES
        found: list[Said] = []
        oldest = self._clock() - hours * 3600.0
        async for message in self._reader.messages(place.channel, oldest):
            one = counted(message) if not is_reply(message) else None
            if one is not None:
                found.append(one)
            if len(found) > MOST_MESSAGES:
                return found[MOST_MESSAGES - 1 :: -1], True
        return found[::-1], False

    async def _names(self, found: Sequence[Said]) -> Mapping[str, str]:
        """Return the names of those who spoke or were named, of the latest first."""
        ids = dict.fromkeys(
            one
            for message in reversed(found)
            for one in sorted(message.mentions)
            if one[:1] in ("U", "W")
        )
        rows = []
        for user in list(ids)[:MOST_NAMES]:
            try:
                answer: Any = await self._client.users_info(user=user)
            except SlackApiError:
                # A name that Slack does not tell is no reason to read nothing.
                continue
            row = answer.get("user")
            rows += [row] if isinstance(row, dict) else []
        return people(rows)


def _lines(found: Sequence[Said], names: Mapping[str, str]) -> tuple[list[str], bool]:
    """Return a line for each message, the newest that fit, and whether some did not."""
    lines: list[str] = []
    room = MOST_CHARACTERS
    for one in reversed(found):
        text = one_line(readable(one.text, names)) or "(a file)"
        author = names.get(one.author, "someone")
        when = datetime.fromtimestamp(seconds(one.ts), UTC)
        line = f"[{when:%Y-%m-%d %H:%M} UTC] {author}: {cut(text, LONGEST_MESSAGE)}"
        room -= len(line) + 1
        if room < 0:
            return lines[::-1], True
        lines.append(line)
    return lines[::-1], False
