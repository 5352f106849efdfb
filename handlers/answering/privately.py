"""What a room may not read is answered privately: whoever asked is told where, and nobody else.

The room hears that nothing was found, and nothing of what was left out, not even that it exists.
"""

import asyncio
import logging

from slack_sdk.web.async_client import AsyncWebClient

from bot.conversation import Answer, Mention, Place, Verdict
from bot.errors import SlackConversationError
from bot.whispers import whisper
from bot.wording import wording
from handlers.answering.finding import Finder, Search
from handlers.answering.room import Rooms
from index.audience import Audience
from index.errors import KnowledgeError

HINT_SECONDS = 20.0
"""The answer stands already; a hint that comes later than this belongs to nothing any more."""

log = logging.getLogger(__name__)


async def hint(
    client: AsyncWebClient,
    rooms: Rooms,
    finder: Finder,
    mention: Mention,
    search: Search,
    answer: Answer,
    room: Audience,
) -> None:
    """Tell the author of a mention if a better page than any was left out because of the room.

    Only where the room was told that nothing was found. Whatever goes wrong, there is no hint.
    """
    if mention.place is not Place.CHANNEL or answer.verdict is not Verdict.NOT_FOUND:
        return
    try:
        async with asyncio.timeout(HINT_SECONDS):
            alone = await rooms.alone_beyond(room, mention.user)
            if alone is not None and await finder.keeps_best_for(search, alone, room):
                await whisper(client, mention, wording(answer.language).only_alone)
    except (SlackConversationError, KnowledgeError, TimeoutError) as error:
        log.info("no hint was given: %s", type(error).__name__)
