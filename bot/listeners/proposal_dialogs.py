"""Buttons that open, or leaf through, a dialog about what the agent proposes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bot import approval_messages as messages
from bot.approval_parts import EDIT, PAGE, PAGE_BACK, SHOW, Block
from bot.approval_values import Dialog, read_asked, read_dialog
from bot.approval_views import arguments_view, edit_view, nonces_differ
from bot.blocks import notice_view
from bot.errors import TROUBLE, code_of
from bot.listeners.clicks import first_action, place_of, tell, text_in
from bot.proposals import Proposal, Ruling

OPEN_SECONDS = 2.5  # a trigger id lives 3

logger = logging.getLogger(__name__)

Proposed = Callable[[Sequence[str]], Awaitable[Proposal | None]]
Builder = Callable[[Proposal, Dialog], Block | None]


def register(app: AsyncApp, proposed: Proposed, client: AsyncWebClient) -> None:
    """Register the listeners; they have to come before those that acknowledge everything."""
    dialogs = _Dialogs(proposed, client)
    app.action(SHOW)(dialogs.show)
    app.action(EDIT)(dialogs.edit)
    app.action(PAGE)(dialogs.turn)
    app.action(PAGE_BACK)(dialogs.turn)


class _Dialogs:
    def __init__(self, proposed: Proposed, client: AsyncWebClient) -> None:
        self._proposed = proposed
        self._client = client

    async def show(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await self._open(body, _everything)

    async def edit(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await self._open(body, edit_view)

    async def turn(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Show another page of an open dialog."""
        await ack()
        dialog = read_dialog(text_in(body, "view", "private_metadata"))
        page = text_in(first_action(body), "value")
        if dialog is None or not page.isdecimal() or len(page) > 5:
            logger.info("a page was not turned: not one of ours")
            return
        view = await self._view(replace(dialog, page=int(page)), _everything)
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await self._client.views_update(
                    view_id=text_in(body, "view", "id"),
                    hash=text_in(body, "view", "hash"),
                    view=view,
                )
        except TROUBLE as error:
            logger.warning("a page was not turned: %s", code_of(error) or type(error).__name__)

    async def _open(self, body: dict[str, Any], build: Builder) -> None:
        place = place_of(body)
        asked = read_asked(first_action(body).get("value"))
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                if asked is None:
                    view = notice_view(messages.ODD)
                else:
                    where = (place.channel, place.message_ts, place.thread_ts)
                    view = await self._view(Dialog(*where, asked.calls, 0, asked.settled), build)
                await self._client.views_open(trigger_id=text_in(body, "trigger_id"), view=view)
        except TROUBLE as error:
            logger.warning("a dialog was not opened: %s", code_of(error) or type(error).__name__)
            await tell(self._client, place, messages.COULD_NOT_SHOW)

    async def _view(self, dialog: Dialog, build: Builder) -> Block:
        """Return the dialog as it stands now, or a sentence that says why there is none."""
        try:
            proposal = await self._proposed([approval for approval, _ in dialog.calls])
        except Exception as error:
            logger.error("a proposal was not read: %s", type(error).__name__)
            return notice_view(messages.COULD_NOT_SHOW)
        view = build(proposal, dialog) if proposal is not None else None
        return view or notice_view(messages.REFUSED[Ruling.GONE])


def _everything(proposal: Proposal, dialog: Dialog) -> Block | None:
    """Return a page; the first one, when what was read so far is not what is proposed now."""
    if dialog.page and nonces_differ(proposal, dialog):
        return arguments_view(proposal, replace(dialog, page=0), notice=messages.CHANGED_MEANWHILE)
    return arguments_view(proposal, dialog)
