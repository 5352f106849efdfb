"""Events -> callbacks. All that the manifest subscribes to is acknowledged, handled or not."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.conversation import Mention
from bot.errors import TROUBLE, code_of
from bot.home import home_view
from bot.mentions import Silence, heard

ACK_SECONDS = 2.5  # Slack waits 3

logger = logging.getLogger(__name__)


def register(
    app: AsyncApp,
    mentioned: Callable[[Mention], Awaitable[None]],
    client: AsyncWebClient,
    *,
    agents: bool,
) -> None:
    """Register one listener for every event; what ``mentioned`` raises reaches Slack as a 500.

    ``agents`` tells whether Home says how to ask for something to be done.
    """

    async def on_event(body: dict[str, Any]) -> None:
        if body["event"].get("type") == "app_home_opened":
            await _show_home(client, body["event"], agents=agents)
            return
        found = heard(body)
        if isinstance(found, Silence):
            logger.debug("an event was not answered: %s", found.value)
            return
        await mentioned(found)

    app.event(re.compile(".*"))(on_event)


async def _show_home(client: AsyncWebClient, event: dict[str, Any], *, agents: bool) -> None:
    """Publish the Home tab. A second try would show the same, so a failure is only logged."""
    user = event.get("user")
    if event.get("tab") != "home" or not isinstance(user, str):
        return
    try:
        async with asyncio.timeout(ACK_SECONDS):
            await client.views_publish(user_id=user, view=home_view(agents=agents))
    except TROUBLE as error:
        logger.warning("Home was not shown: %s", code_of(error) or type(error).__name__)
