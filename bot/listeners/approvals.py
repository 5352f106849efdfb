"""Clicks on what the agent proposes -> decisions, dialogs, undoing; and Slack's own Stop button.

Slack waits three seconds and delivers no click twice, so whoever clicked hears of whatever went
wrong. The card is drawn again from what the decision answered; should that fail, the worker that
goes on draws it once more.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bot import approval_messages as messages
from bot.approval_cards import card_text, proposal_blocks
from bot.approval_parts import APPROVE, REJECT, UNDO
from bot.approval_values import Dialog, read_asked, read_dialog, read_undo
from bot.approval_views import (
    ARGUMENTS_VIEW,
    EDIT_VIEW,
    FIELD,
    edited_fields,
    syntax_fault,
)
from bot.blocks import notice_view
from bot.errors import TROUBLE, code_of
from bot.listeners import proposal_dialogs
from bot.listeners.clicks import ClickPlace, first_action, id_of, place_of, tell, text_in
from bot.proposals import Decided, Decision, Proposal, Ruling, Verb
from bot.shown_json import typed

DRAW_SECONDS = 1.2

_TAKEN = frozenset({Ruling.APPROVED, Ruling.REJECTED})

logger = logging.getLogger(__name__)


class ProposalDesk(Protocol):
    """Who decides, shows, undoes and stops; ``bot.app.Callbacks`` says what each method does."""

    async def decided(self, decision: Decision) -> Decided:
        """Take a decision."""
        ...

    async def proposal(self, approval_ids: Sequence[str]) -> Proposal | None:
        """Return what is proposed."""
        ...

    async def undo(self, team: str, channel: str, run: str, call: str, user: str) -> str:
        """Have something taken back."""
        ...

    async def stopped(self, team: str, channel: str, thread_ts: str, user: str) -> None:
        """Have a run stop."""
        ...


def register(
    app: AsyncApp, desk: ProposalDesk, client: AsyncWebClient, now: Callable[[], datetime]
) -> None:
    """Register the listeners; they have to come before those that acknowledge everything."""
    proposal_dialogs.register(app, desk.proposal, client)
    clicks = _Clicks(desk, client, now)
    app.action(APPROVE)(clicks.approve)
    app.action(REJECT)(clicks.reject)
    app.action(UNDO)(clicks.undo)
    app.view(ARGUMENTS_VIEW)(clicks.approve_read)
    app.view(EDIT_VIEW)(clicks.approve_edited)
    app.event("agent_session_stopped")(clicks.stop)


class _Clicks:
    """The listeners. Each acknowledges, whatever happens, but for Slack's events."""

    def __init__(
        self, desk: ProposalDesk, client: AsyncWebClient, now: Callable[[], datetime]
    ) -> None:
        self._desk = desk
        self._client = client
        self._now = now

    async def approve(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await self._click(body, Verb.APPROVE)

    async def reject(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await self._click(body, Verb.REJECT)

    async def undo(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        place = place_of(body)
        asked = read_undo(first_action(body).get("value"))
        if asked is None:
            await tell(self._client, place, messages.ODD)
            return
        try:
            said = await self._desk.undo(place.team, place.channel, *asked, place.user)
        except Exception as error:
            logger.error("something was not undone: %s", type(error).__name__)
            said = messages.COULD_NOT_UNDO
        await tell(self._client, place, said)

    async def approve_read(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Take an approval from the dialog that shows everything."""
        dialog = read_dialog(text_in(body, "view", "private_metadata"))
        if dialog is None or dialog.settled:
            await ack()
            return
        await self._submitted(ack, _in_dialog(body, dialog), dialog, None)

    async def approve_edited(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Take an approval of edited arguments; what is wrong with them is said at the field."""
        dialog = read_dialog(text_in(body, "view", "private_metadata"))
        parts = edited_fields(body.get("view"))
        if dialog is None or not parts:
            await ack(response_action="update", view=notice_view(messages.ODD))
            return
        fault = syntax_fault(parts)
        if fault is not None:
            await ack(response_action="errors", errors={f"{FIELD}{fault[0]}": fault[1]})
            return
        await self._submitted(ack, _in_dialog(body, dialog), dialog, typed("".join(parts)))

    async def stop(self, body: dict[str, Any]) -> None:
        """Have the run of a thread stop. What this raises reaches Slack, which tells it again."""
        team, event = text_in(body, "team_id"), body.get("event") or {}
        channel, thread_ts = text_in(event, "channel"), text_in(event, "thread_ts")
        if not (team and channel and thread_ts):
            logger.info("a stop was ignored: it names no thread")
            return
        await self._desk.stopped(team, channel, thread_ts, text_in(event, "user"))

    async def _click(self, body: dict[str, Any], verb: Verb) -> None:
        place = place_of(body)
        asked = read_asked(first_action(body).get("value"))
        if asked is None or asked.settled:
            await tell(self._client, place, messages.ODD)
            return
        refusal = await self._decide(place, verb, asked.calls, None)
        if refusal is not None:
            await tell(self._client, place, refusal[1])

    async def _submitted(
        self, ack: AsyncAck, place: ClickPlace, dialog: Dialog, arguments: str | None
    ) -> None:
        refusal = await self._decide(place, Verb.APPROVE, dialog.calls, arguments)
        if refusal is None:
            await ack()
        elif refusal[0] is Ruling.BAD_ARGUMENTS and arguments is not None:
            await ack(response_action="errors", errors={f"{FIELD}0": refusal[1]})
        else:
            await ack(response_action="update", view=notice_view(refusal[1]))

    async def _decide(
        self,
        place: ClickPlace,
        verb: Verb,
        calls: tuple[tuple[str, str], ...],
        arguments: str | None,
    ) -> tuple[Ruling, str] | None:
        """Have it decided and the card drawn again; return why it was not taken, if it was not."""
        decision = Decision(
            team=place.team,
            channel=place.channel,
            message_ts=place.message_ts,
            user=place.user,
            verb=verb,
            calls=calls,
            arguments=arguments,
        )
        try:
            decided = await self._desk.decided(decision)
        except Exception as error:
            logger.error("a decision was not taken: %s", type(error).__name__)
            return Ruling.PENDING, messages.COULD_NOT_DECIDE
        await self._draw(place, decided)
        if decided.ruling in _TAKEN:
            return None
        return decided.ruling, decided.reason or messages.REFUSED[decided.ruling]

    async def _draw(self, place: ClickPlace, decided: Decided) -> None:
        if decided.proposal is None or not place.message_ts:
            return
        try:
            async with asyncio.timeout(DRAW_SECONDS):
                await self._client.chat_update(
                    channel=place.channel,
                    ts=place.message_ts,
                    text=card_text(decided.proposal),
                    blocks=proposal_blocks(decided.proposal, decided, self._now()),
                    unfurl_links=False,
                    unfurl_media=False,
                )
        except TROUBLE as error:
            logger.warning("a card was not drawn: %s", code_of(error) or type(error).__name__)


def _in_dialog(body: dict[str, Any], dialog: Dialog) -> ClickPlace:
    """Return where the dialog was opened, and who submits it."""
    where = (dialog.channel, dialog.message_ts, dialog.thread_ts)
    return ClickPlace(id_of(body, "team"), *where, id_of(body, "user"))
