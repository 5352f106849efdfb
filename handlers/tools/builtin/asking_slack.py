"""Slack's answers to a tool: within the deadline, and its refusals as errors of tools."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.errors import TROUBLE, SlackConversationError, code_of, reading_error
from handlers.tools.errors import ToolRefused, ToolUnavailable
from handlers.tools.ports import ToolContext

_SAID: dict[str, str] = {
    "channel_not_found": "Slack knows no such channel, or the bot is not in it.",
    "not_in_channel": "The bot is not in that channel; somebody must invite it there.",
    "is_archived": "That channel is archived.",
    "msg_too_long": "The text is too long for Slack; make it shorter.",
    "thread_not_found": "That thread is no longer there.",
    "message_not_found": "That message is no longer there.",
    "cant_delete_message": "Slack does not let the bot delete that message any more.",
    "missing_scope": "The bot lacks a permission for this; an operator must add it.",
    "time_in_past": "That time is over; choose one that is still to come.",
    "time_too_far": "Slack takes no message for more than 120 days ahead.",
    "restricted_too_many": "Too many messages are planned for that channel at that time.",
    "invalid_scheduled_message_id": "That message was sent already, or was deleted.",
}


@asynccontextmanager
async def asking_slack(context: ToolContext) -> AsyncIterator[None]:
    """Run the block within the deadline. Raises ToolUnavailable, ToolRefused.

    Only codes of Slack reach the model, never a message's words.
    """
    try:
        async with asyncio.timeout_at(context.deadline):
            yield
    except SlackConversationError as error:
        raise _told(error, error.__cause__ or error) from error
    except TROUBLE as error:
        raise _told(reading_error(error), error) from error


def _told(error: SlackConversationError, cause: BaseException) -> Exception:
    code = code_of(cause)
    if error.retryable:
        return ToolUnavailable("Slack did not answer in time, or asks to wait.")
    return ToolRefused(_SAID.get(code, f"Slack refused ({code or 'without a reason'})."))
