"""Slash commands -> callbacks. Every answer is for the eyes of its author only."""

import logging
import re
from collections.abc import Awaitable
from typing import Any, Protocol

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot import messages
from bot.conversation import Mention
from bot.mentions import Silence, commanded

logger = logging.getLogger(__name__)


class Mentioned(Protocol):
    """Accepts a mention durably, or raises."""

    def __call__(self, mention: Mention, *, response_url: str = "") -> Awaitable[None]:
        """Accept ``mention``; the answer goes to ``response_url``."""
        ...


def register(app: AsyncApp, mentioned: Mentioned) -> None:
    """Register the listener for our command, by whatever name the manifest gave it."""

    async def on_command(ack: AsyncAck, body: dict[str, Any]) -> None:
        found = commanded(body)
        if isinstance(found, Silence):
            empty = found is Silence.EMPTY
            await say(ack, messages.USAGE if empty else messages.COULD_NOT_TAKE)
            return
        url = body.get("response_url")
        try:
            await mentioned(found, response_url=url if isinstance(url, str) else "")
        except Exception as error:
            # Slack does not deliver a command again: its author must hear that it was not taken.
            logger.error("a command was not accepted: %s", type(error).__name__)
            await say(ack, messages.COULD_NOT_TAKE)
            return
        await say(ack, messages.SEARCHING)

    async def say(ack: AsyncAck, sentence: str) -> None:
        await ack(text=sentence, response_type="ephemeral")

    app.command(re.compile(".*"))(on_command)
