"""Socket Mode: Slack's events over a WebSocket of the bot's own; no public address is needed."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler

from bot.app import FootnoteApp
from bot.client import make_client, quiet_logger
from bot.errors import TROUBLE, ConversationUnreadable, code_of

logger = logging.getLogger(__name__)


@asynccontextmanager
async def connected(app: FootnoteApp, app_token: str, base_url: str) -> AsyncIterator[None]:
    """Keep the app connected until the block is left; a lost connection is opened again.

    Raises ConversationUnreadable when Slack refuses the app-level token.
    """
    handler = AsyncSocketModeHandler(
        app, app_token, logger=quiet_logger(), web_client=make_client(app_token, base_url)
    )
    try:
        await handler.connect_async()  # type: ignore[no-untyped-call]
    except TROUBLE as error:
        await handler.close_async()  # type: ignore[no-untyped-call]
        raise ConversationUnreadable(
            f"Slack did not open a Socket Mode connection ({code_of(error) or 'no reply'}). "
            "Check SLACK_APP_TOKEN and its scope connections:write."
        ) from error
    try:
        yield
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]
