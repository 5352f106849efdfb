"""What every click carries, read with care, and a word to whoever clicked."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import TROUBLE, code_of

TELL_SECONDS = 1.2

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClickPlace:
    """Where something was clicked, and by whom. ``thread_ts`` may be ""."""

    team: str
    channel: str
    message_ts: str
    thread_ts: str
    user: str


def first_action(body: dict[str, Any]) -> dict[str, Any]:
    """Return what was clicked, or {}."""
    actions = body.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else {}
    return first if isinstance(first, dict) else {}


def id_of(body: dict[str, Any], name: str) -> str:
    """Return the id of the "team", "channel" or "user" of a click, or ""."""
    part = body.get(name)
    found = part.get("id") if isinstance(part, dict) else None
    if found is None and isinstance(body.get("container"), dict):
        found = body["container"].get(f"{name}_id")
    return found if isinstance(found, str) else ""


def text_in(body: dict[str, Any], *names: str) -> str:
    """Return the text at a path of names inside a click, or ""."""
    found: Any = body
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""


def place_of(body: dict[str, Any]) -> ClickPlace:
    """Return where a button of a message was pressed."""
    thread_ts = text_in(body, "container", "thread_ts") or text_in(body, "message", "thread_ts")
    return ClickPlace(
        team=id_of(body, "team"),
        channel=id_of(body, "channel"),
        message_ts=text_in(body, "container", "message_ts"),
        thread_ts=thread_ts,
        user=id_of(body, "user"),
    )


async def tell(client: AsyncWebClient, place: ClickPlace, sentence: str) -> None:
    """Say something to whoever clicked, and to nobody else. A failure is only logged."""
    try:
        async with asyncio.timeout(TELL_SECONDS):
            await client.chat_postEphemeral(
                channel=place.channel,
                user=place.user,
                thread_ts=place.thread_ts or None,
                text=sentence,
            )
    except TROUBLE as error:
        logger.warning("nobody was told: %s", code_of(error) or type(error).__name__)
