"""A word to one person in a channel, which nobody else sees and nobody can find again."""

from slack_sdk.web.async_client import AsyncWebClient

from bot.conversation import Mention
from bot.errors import TROUBLE, writing_error


async def whisper(client: AsyncWebClient, mention: Mention, sentence: str) -> None:
    """Say ``sentence``, which is ours, to the author of a mention, in its thread.

    Raises ReplyRefused, SlackUnreachable, TokenRefused.
    """
    try:
        await client.chat_postEphemeral(
            channel=mention.channel,
            user=mention.user,
            thread_ts=mention.thread_ts,
            text=sentence,
        )
    except TROUBLE as error:
        raise writing_error(error) from error
