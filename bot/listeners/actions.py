"""Clicks -> a footnote in a modal, or a vote. What is old or odd is acknowledged, as links are."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot import messages
from bot.blocks import OPEN_FOOTNOTE, Block, footnote_view, notice_view, read_button_value
from bot.conversation import Citation, Vote
from bot.errors import TROUBLE, FootnoteWithheld, code_of
from bot.feedback import FEEDBACK, read_vote
from bot.listeners.clicks import first_action, id_of

OPEN_SECONDS = 2.5  # a trigger id lives 3

logger = logging.getLogger(__name__)

Footnote = Callable[[str, int, str], Awaitable[Citation | None]]
Voted = Callable[[Vote], Awaitable[None]]


def register(
    app: AsyncApp,
    footnote: Footnote,
    voted: Voted,
    client: AsyncWebClient,
    now: Callable[[], datetime],
) -> None:
    """Register the listeners for everything that can be clicked."""

    async def open_footnote(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        await ack()
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                view = await _view(body, footnote, now())
                await client.views_open(trigger_id=str(body.get("trigger_id", "")), view=view)
        except TROUBLE as error:
            logger.warning("a footnote was not opened: %s", code_of(error) or type(error).__name__)
            await _tell(body, respond)

    async def take_vote(ack: AsyncAck, body: dict[str, Any]) -> None:
        # Slack shows the chosen button pressed, so nothing is said; a refusal it shows as well.
        vote = _vote(body)
        if vote is None:
            logger.info("a click on feedback buttons was ignored: not a vote")
        else:
            await voted(vote)
        await ack()

    async def acknowledge(ack: AsyncAck) -> None:
        await ack()

    anything = re.compile(".*")
    app.action(OPEN_FOOTNOTE)(open_footnote)
    app.action(FEEDBACK)(take_vote)
    app.action(anything)(acknowledge)
    app.shortcut(anything)(acknowledge)
    app.view(anything)(acknowledge)
    app.options(anything)(acknowledge)


async def _view(body: dict[str, Any], footnote: Footnote, now: datetime) -> Block:
    """Return the modal for a click: the footnote, or a sentence that says why not.

    A button only opens footnotes of the conversation in which it was clicked, and only for those
    who may read what they quote.
    """
    asked = read_button_value(first_action(body).get("value"))
    if asked is None:
        return notice_view(messages.FOOTNOTE_GONE)
    key, number = asked
    if key.split(":")[:2] != [id_of(body, "team"), id_of(body, "channel")]:
        return notice_view(messages.FOOTNOTE_ELSEWHERE)
    try:
        citation = await footnote(key, number, id_of(body, "user"))
    except FootnoteWithheld:
        return notice_view(messages.FOOTNOTE_WITHHELD)
    except Exception as error:
        logger.error("a footnote was not found: %s", type(error).__name__)
        return notice_view(messages.FOOTNOTE_FAILED)
    return footnote_view(citation, now) if citation else notice_view(messages.FOOTNOTE_GONE)


def _vote(body: dict[str, Any]) -> Vote | None:
    return read_vote(
        first_action(body),
        team=id_of(body, "team"),
        channel=id_of(body, "channel"),
        user=id_of(body, "user"),
    )


async def _tell(body: dict[str, Any], respond: AsyncRespond) -> None:
    """Say privately that the footnote did not open."""
    if not body.get("response_url"):
        return
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            await respond(
                text=messages.FOOTNOTE_FAILED,
                response_type="ephemeral",
                replace_original=False,
            )
    except TROUBLE as error:
        logger.warning("nor could that be said: %s", type(error).__name__)
