"""Socket Mode: Slack's events over a WebSocket of the bot's own; no public address is needed."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot.app import FootnoteApp
from bot.client import make_client, quiet_logger
from bot.errors import TOKEN_CODES, TROUBLE, ConversationUnreadable, code_of, reading_error

logger = logging.getLogger(__name__)


@asynccontextmanager
async def connected(app: FootnoteApp, app_token: str, base_url: str) -> AsyncIterator[None]:
    """Keep the app connected until the block is left; a lost connection is opened again.

    Slack that cannot be reached is tried again for as long as that takes. Raises
    ConversationUnreadable when it refuses the app-level token.
    """
    client = make_client(app_token, base_url)
    await _check(client, app_token)
    handler = AsyncSocketModeHandler(app, app_token, logger=quiet_logger(), web_client=client)
    try:
        await handler.connect_async()  # type: ignore[no-untyped-call]
        yield
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]


async def _check(client: AsyncWebClient, app_token: str) -> None:
    """Ask for a connection once: the handler itself would go on asking, whatever Slack says."""
    try:
        await client.apps_connections_open(app_token=app_token)
    except TROUBLE as error:
        if not reading_error(error).retryable or code_of(error) in TOKEN_CODES:
            raise ConversationUnreadable(
                f"Slack did not open a Socket Mode connection ({code_of(error)}). "
                "Check SLACK_APP_TOKEN and its scope connections:write."
            ) from error
        logger.warning("Slack cannot be reached yet, it is tried again every few seconds")
